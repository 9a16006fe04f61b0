package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"syscall"
)

// PROXY protocol version 2 over TCP and IPv4, section 2.2 of its specification.
func proxyHeader(source, destination *syscall.SockaddrInet4) []byte {
	header := []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c")
	header = append(header, source.Addr[:]...)
	header = append(header, destination.Addr[:]...)
	header = binary.BigEndian.AppendUint16(header, uint16(source.Port))
	return binary.BigEndian.AppendUint16(header, uint16(destination.Port))
}

func headerFor(fd int, options options) []byte {
	source, err := syscall.Getsockname(fd)
	check(err, "getsockname")
	return proxyHeader(source.(*syscall.SockaddrInet4), socketAddress(options.destination))
}

func request(path, host string) []byte {
	return []byte(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n", path, host))
}

var contentLength = []byte("\r\ncontent-length:")

// readResponse says how long the response at the start of what was received is, 0 while it is incomplete, -1 if it is
// none or not the one that must come.
func readResponse(received []byte, bodyBytes int) int {
	end := bytes.Index(received, headEnd)
	if end < 0 {
		return 0
	}
	if !bytes.HasPrefix(received, []byte("HTTP/1.1 200 ")) || headLength(received[:end+2]) != bodyBytes {
		return -1
	}
	body := received[end+len(headEnd):]
	if len(body) < bodyBytes {
		return 0
	}
	if !bytes.Equal(body[:bodyBytes], pattern[:bodyBytes]) {
		return -1
	}
	return end + len(headEnd) + bodyBytes
}

// The names of fields are in lower case as the server sends them; a proxy may have capitalised them.
func headLength(head []byte) int {
	at := bytes.Index(head, contentLength)
	if at < 0 {
		head = bytes.ToLower(head)
		at = bytes.Index(head, contentLength)
	}
	if at < 0 {
		return -1
	}
	value, _, _ := bytes.Cut(head[at+len(contentLength):], []byte("\r"))
	length, err := strconv.Atoi(string(bytes.TrimSpace(value)))
	if err != nil {
		return -1
	}
	return length
}

// Keep-alive connections through the proxy, each with one request at a time; every response is compared in full.
func startRequests(loop *loop, options options) *counts {
	counts := &counts{}
	buffer := make([]byte, 64*1024)
	question := request("/", options.host)
	for range options.connections {
		startRequester(loop, options, counts, question, buffer)
	}
	return counts
}

func startRequester(loop *loop, options options, counts *counts, question, buffer []byte) {
	fd := connect(options.through)
	var unread []byte
	isOpen := false
	over := func(reason string) {
		counts.failed(reason)
		loop.close(fd)
		startRequester(loop, options, counts, question, buffer)
	}
	loop.add(fd, syscall.EPOLLOUT, func(uint32) {
		if !isOpen {
			isOpen = true
			loop.change(fd, syscall.EPOLLIN)
			_, _ = write(fd, append(headerFor(fd, options), question...))
			return
		}
		count, errno := read(fd, buffer)
		if errno == syscall.EAGAIN {
			return
		}
		if count <= 0 || errno != 0 {
			over("the connection was closed")
			return
		}
		received := buffer[:count]
		if len(unread) > 0 {
			unread = append(unread, received...)
			received = unread
		}
		length := readResponse(received, options.bodyBytes)
		switch {
		case length == 0:
			if len(unread) == 0 {
				unread = append(unread, received...)
			}
		case length != len(received):
			over(fmt.Sprintf("a wrong response: %.300q", received))
		default:
			counts.Units++
			counts.Bytes += int64(length)
			unread = unread[:0]
			_, _ = write(fd, question)
		}
	})
}

// One read in so many is compared with what must come; the others are only counted, which costs next to nothing.
const comparedReads = 16

func startBulk(loop *loop, options options) *counts {
	counts := &counts{}
	buffer := make([]byte, patternBytes)
	for range options.connections {
		startReceiver(loop, options, counts, buffer)
	}
	return counts
}

func startReceiver(loop *loop, options options, counts *counts, buffer []byte) {
	fd := connect(options.through)
	isOpen := false
	reads, offset := 0, 0
	loop.add(fd, syscall.EPOLLOUT, func(uint32) {
		if !isOpen {
			isOpen = true
			loop.change(fd, syscall.EPOLLIN)
			_, _ = write(fd, append(headerFor(fd, options), request(bulkPath, options.host)...))
			return
		}
		reads++
		var count int
		var errno syscall.Errno
		if isCompared := reads%comparedReads == 1; isCompared {
			count, errno = read(fd, buffer)
			if count > 0 && !bytes.Equal(buffer[:count], pattern[offset:offset+count]) {
				counts.failed("wrong bytes")
			}
		} else {
			count, errno = discard(fd, 4*patternBytes)
		}
		if errno == syscall.EAGAIN {
			return
		}
		if count <= 0 || errno != 0 {
			counts.failed("the connection was closed")
			loop.close(fd)
			return
		}
		offset = (offset + count) % patternBytes
		counts.Units += int64(count)
		counts.Bytes += int64(count)
	})
}
