package main

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"
)

// One epoll instance, level-triggered; handlers by descriptor.
type loop struct {
	epoll    int
	handlers []func(events uint32)
	// How long it looks away between two rounds. Who waits in epoll has to be woken by every writer, which costs the
	// writer, the more the slower it is: it finds the reader asleep again each time.
	rest time.Duration
}

func newLoop() *loop {
	epoll, err := syscall.EpollCreate1(0)
	check(err, "epoll_create1")
	return &loop{epoll: epoll}
}

func (l *loop) add(fd int, events uint32, handler func(uint32)) {
	for len(l.handlers) <= fd {
		l.handlers = append(l.handlers, nil)
	}
	l.handlers[fd] = handler
	check(syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)}), "epoll_ctl")
}

func (l *loop) change(fd int, events uint32) {
	check(syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_MOD, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)}), "epoll_ctl")
}

// Closing takes the descriptor out of epoll by itself.
func (l *loop) close(fd int) {
	l.handlers[fd] = nil
	_ = syscall.Close(fd)
}

func (l *loop) run() {
	events := make([]syscall.EpollEvent, 256)
	for {
		count, err := syscall.EpollWait(l.epoll, events, -1)
		if err == syscall.EINTR {
			continue
		}
		check(err, "epoll_wait")
		for _, event := range events[:count] {
			if handler := l.handlers[event.Fd]; handler != nil {
				handler(event.Events)
			}
		}
		if l.rest > 0 {
			pause := syscall.NsecToTimespec(l.rest.Nanoseconds())
			_ = syscall.Nanosleep(&pause, nil)
		}
	}
}

// read and write do not tell Go's scheduler, which costs more than they do: descriptors do not block, and there is one
// thread.
func read(fd int, buffer []byte) (int, syscall.Errno) {
	count, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&buffer[0])), uintptr(len(buffer)))
	return int(count), errno
}

func write(fd int, bytes []byte) (int, syscall.Errno) {
	count, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&bytes[0])), uintptr(len(bytes)))
	return int(count), errno
}

// discard takes bytes of a TCP socket without copying them: tcp(7), MSG_TRUNC.
func discard(fd int, length int) (int, syscall.Errno) {
	count, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), 0, uintptr(length), syscall.MSG_TRUNC|syscall.MSG_DONTWAIT, 0, 0)
	return int(count), errno
}

func listen(address string) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
	check(err, "socket")
	check(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1), "SO_REUSEADDR")
	check(syscall.Bind(fd, socketAddress(address)), "bind "+address)
	check(syscall.Listen(fd, 4096), "listen")
	return fd
}

func accept(listener int) (int, bool) {
	fd, _, err := syscall.Accept4(listener, syscall.SOCK_NONBLOCK)
	if err != nil {
		return 0, false
	}
	noDelay(fd)
	return fd, true
}

// A connection that is being made; it becomes writable once it is.
func connect(address string) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
	check(err, "socket")
	noDelay(fd)
	if err := syscall.Connect(fd, socketAddress(address)); err != syscall.EINPROGRESS {
		check(err, "connect "+address)
	}
	return fd
}

func noDelay(fd int) {
	check(syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1), "TCP_NODELAY")
}

func socketAddress(text string) *syscall.SockaddrInet4 {
	var address syscall.SockaddrInet4
	octets := &address.Addr
	_, err := fmt.Sscanf(text, "%d.%d.%d.%d:%d", &octets[0], &octets[1], &octets[2], &octets[3], &address.Port)
	check(err, "address "+text)
	return &address
}
