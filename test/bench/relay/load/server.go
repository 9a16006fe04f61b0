package main

import (
	"bytes"
	"fmt"
	"math/rand"
	"syscall"
)

// A request for this path is answered with bytes without end.
const bulkPath = "/bulk"

const patternBytes = 64 * 1024

// What bodies and endless streams are made of; a receiver knows from its offset what must come.
var pattern = func() []byte {
	twice := make([]byte, patternBytes)
	rand.New(rand.NewSource(5)).Read(twice)
	return append(twice, twice...)
}()

var headEnd = []byte("\r\n\r\n")

func response(bodyBytes int) []byte {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: %d\r\n\r\n", bodyBytes)
	return append([]byte(head), pattern[:bodyBytes]...)
}

type connection struct {
	fd int
	// What has been received and not been dealt with.
	unread []byte
	// What could not be written yet.
	unwritten []byte
	isBulk    bool
	offset    int
}

func serve(loop *loop, options options) {
	listener := listen(options.listen)
	answer := response(options.bodyBytes)
	buffer := make([]byte, 64*1024)
	loop.add(listener, syscall.EPOLLIN, func(uint32) {
		fd, ok := accept(listener)
		if !ok {
			return
		}
		connection := &connection{fd: fd}
		loop.add(fd, syscall.EPOLLIN, func(events uint32) { connection.serve(loop, events, buffer, answer) })
	})
}

func (c *connection) serve(loop *loop, events uint32, buffer []byte, answer []byte) {
	if events&(syscall.EPOLLIN|syscall.EPOLLHUP|syscall.EPOLLERR) != 0 {
		count, errno := read(c.fd, buffer)
		if errno == syscall.EAGAIN {
			return
		}
		if count <= 0 || errno != 0 {
			loop.close(c.fd)
			return
		}
		c.requests(loop, buffer[:count], answer)
	}
	if events&syscall.EPOLLOUT != 0 {
		c.flush(loop)
	}
}

func (c *connection) requests(loop *loop, received []byte, answer []byte) {
	if len(c.unread) > 0 {
		received = append(c.unread, received...)
	}
	for {
		end := bytes.Index(received, headEnd)
		if end < 0 {
			break
		}
		if bytes.HasPrefix(received, []byte("GET "+bulkPath)) {
			c.isBulk = true
			loop.change(c.fd, syscall.EPOLLIN|syscall.EPOLLOUT)
		} else {
			c.send(loop, answer)
		}
		received = received[end+len(headEnd):]
	}
	c.unread = append(c.unread[:0], received...)
}

func (c *connection) send(loop *loop, answer []byte) {
	if len(c.unwritten) == 0 {
		count, _ := write(c.fd, answer)
		answer = answer[max(count, 0):]
		if len(answer) == 0 {
			return
		}
		loop.change(c.fd, syscall.EPOLLIN|syscall.EPOLLOUT)
	}
	c.unwritten = append(c.unwritten, answer...)
}

func (c *connection) flush(loop *loop) {
	if c.isBulk {
		if count, errno := write(c.fd, pattern[c.offset:c.offset+patternBytes]); errno == 0 {
			c.offset = (c.offset + count) % patternBytes
		}
		return
	}
	count, _ := write(c.fd, c.unwritten)
	c.unwritten = c.unwritten[max(count, 0):]
	if len(c.unwritten) == 0 {
		loop.change(c.fd, syscall.EPOLLIN)
	}
}
