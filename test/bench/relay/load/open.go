package main

import (
	"encoding/binary"
	"fmt"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Requests by the clock, whether earlier ones were answered or not: on keep-alive connections to one address, and on a
// connection of its own to each of many that were never called. What is late counts from when it was due.
type openLoop struct {
	loop    *loop
	options options
	counts  *counts
	buffer  []byte
	timer   int
	began   time.Time
	cold    coldAddresses
	// How many have become due.
	warmDue, coldDue int
	idle             []*openConnection
	// Due times of requests that wait for an idle connection.
	waiting []time.Time
}

type coldAddresses struct {
	first uint32
	index int
	count int
	port  int
}

type openConnection struct {
	fd     int
	isCold bool
	isOpen bool
	due    time.Time
	host   string
	unread []byte
}

// How long the keep-alive requests go on alone.
const coldAfter = time.Second

func startOpen(loop *loop, options options) *counts {
	open := &openLoop{loop: loop, options: options, counts: &counts{}, buffer: make([]byte, 64*1024), began: time.Now()}
	open.cold = parseCold(options.cold)
	for range options.connections {
		open.connect(&openConnection{host: options.host}, options.destination)
	}
	timer, _, errno := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, 1, syscall.O_NONBLOCK, 0)
	if errno != 0 {
		check(errno, "timerfd_create")
	}
	open.timer = int(timer)
	expirations := make([]byte, 8)
	loop.add(open.timer, syscall.EPOLLIN, func(uint32) {
		_, _ = read(open.timer, expirations)
		open.becomeDue()
	})
	open.becomeDue()
	return open.counts
}

// FIRST,INDEX,COUNT,PORT: COUNT addresses from FIRST on, whose Hosts are service-INDEX and so on.
func parseCold(text string) coldAddresses {
	parts := strings.Split(text, ",")
	if len(parts) != 4 {
		check(fmt.Errorf("-cold is FIRST,INDEX,COUNT,PORT"), text)
	}
	var cold coldAddresses
	_, err := fmt.Sscanf(strings.Join(parts[1:], " "), "%d %d %d", &cold.index, &cold.count, &cold.port)
	check(err, "-cold")
	first := socketAddress(parts[0] + ":0").Addr
	cold.first = binary.BigEndian.Uint32(first[:])
	return cold
}

func (c coldAddresses) address(number int) string {
	var octets [4]byte
	binary.BigEndian.PutUint32(octets[:], c.first+uint32(number))
	return fmt.Sprintf("%d.%d.%d.%d:%d", octets[0], octets[1], octets[2], octets[3], c.port)
}

func (o *openLoop) dueTimes() (warm, cold time.Time) {
	warm = o.began.Add(time.Duration(o.warmDue) * time.Second / time.Duration(o.options.rate))
	cold = o.began.Add(coldAfter + time.Duration(o.coldDue)*time.Second/time.Duration(o.options.coldRate))
	return warm, cold
}

func (o *openLoop) becomeDue() {
	for {
		warm, cold := o.dueTimes()
		now := time.Now()
		isColdLeft := o.coldDue < o.cold.count
		switch {
		case isColdLeft && !cold.After(now):
			host := fmt.Sprintf("service-%d", o.cold.index+o.coldDue)
			o.connect(&openConnection{isCold: true, due: cold, host: host}, o.cold.address(o.coldDue))
			o.coldDue++
		case !warm.After(now):
			o.warmDue++
			o.ask(warm)
		default:
			next := warm
			if isColdLeft && cold.Before(warm) {
				next = cold
			}
			o.setTimer(next.Sub(now))
			return
		}
	}
}

func (o *openLoop) setTimer(after time.Duration) {
	setting := [2]syscall.Timespec{{}, syscall.NsecToTimespec(max(after.Nanoseconds(), 1))}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, uintptr(o.timer), 0, uintptr(unsafe.Pointer(&setting)), 0, 0, 0)
	if errno != 0 {
		check(errno, "timerfd_settime")
	}
}

func (o *openLoop) ask(due time.Time) {
	if len(o.idle) == 0 {
		o.waiting = append(o.waiting, due)
		return
	}
	connection := o.idle[0]
	o.idle = o.idle[1:]
	o.send(connection, due)
}

func (o *openLoop) send(c *openConnection, due time.Time) {
	c.due = due
	_, _ = write(c.fd, request("/", c.host))
}

func (o *openLoop) connect(c *openConnection, address string) {
	c.fd = connect(address)
	o.loop.add(c.fd, syscall.EPOLLOUT, func(uint32) {
		if !c.isOpen {
			c.isOpen = true
			o.loop.change(c.fd, syscall.EPOLLIN)
			if c.isCold {
				o.send(c, c.due)
			} else {
				o.free(c)
			}
			return
		}
		o.receive(c)
	})
}

func (o *openLoop) receive(c *openConnection) {
	count, errno := read(c.fd, o.buffer)
	if errno == syscall.EAGAIN {
		return
	}
	if count <= 0 || errno != 0 {
		o.counts.failed(c.host + ": the connection was closed")
		o.over(c)
		return
	}
	c.unread = append(c.unread, o.buffer[:count]...)
	length := readResponse(c.unread, o.options.bodyBytes)
	if length == 0 {
		return
	}
	if length != len(c.unread) {
		o.counts.failed(fmt.Sprintf("%s: a wrong response: %.300q", c.host, c.unread))
		o.over(c)
		return
	}
	o.answered(c, length)
}

func (o *openLoop) answered(c *openConnection, length int) {
	now := time.Now()
	took := now.Sub(c.due).Microseconds()
	o.counts.Units++
	o.counts.Bytes += int64(length)
	c.unread = c.unread[:0]
	if c.isCold {
		o.counts.Cold = append(o.counts.Cold, took)
		o.loop.close(c.fd)
		return
	}
	if now.Sub(o.began) > coldAfter {
		o.counts.Warm = append(o.counts.Warm, took)
	}
	o.free(c)
}

func (o *openLoop) free(c *openConnection) {
	if len(o.waiting) == 0 {
		o.idle = append(o.idle, c)
		return
	}
	due := o.waiting[0]
	o.waiting = o.waiting[1:]
	o.send(c, due)
}

func (o *openLoop) over(c *openConnection) {
	o.loop.close(c.fd)
	if !c.isCold {
		o.connect(&openConnection{host: c.host}, o.options.destination)
	}
}
