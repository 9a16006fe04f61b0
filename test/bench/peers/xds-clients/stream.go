package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	discoveryMethod = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
	streamID        = 1
	// The largest that there is, so that the server never waits, and never hears of windows.
	window        = 1<<31 - 1
	initialWindow = 65_535
	// Whether a message is compressed, and its length.
	grpcPrefix = 5
)

// A gRPC stream on an HTTP/2 connection of its own, read and written frame by frame: one goroutine, and exact counts.
type stream struct {
	framer  *http2.Framer
	out     *bufio.Writer
	arrived bytes.Buffer
}

func open(target, method string) (*stream, error) {
	connection, err := net.Dial("tcp", target)
	if err != nil {
		return nil, err
	}
	out := bufio.NewWriter(connection)
	opened := &stream{framer: http2.NewFramer(out, bufio.NewReader(connection)), out: out}
	opened.framer.SetReuseFrames()
	var headers bytes.Buffer
	encoder := hpack.NewEncoder(&headers)
	for _, each := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", method}, {":authority", target},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		if err := encoder.WriteField(hpack.HeaderField{Name: each[0], Value: each[1]}); err != nil {
			return nil, err
		}
	}
	out.WriteString(http2.ClientPreface)
	opened.framer.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: window},
	)
	opened.framer.WriteWindowUpdate(0, window-initialWindow)
	opened.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: streamID, BlockFragment: headers.Bytes(), EndHeaders: true})
	// The writer keeps the first error, and tells it here.
	return opened, out.Flush()
}

func (s *stream) send(message []byte) error {
	framed := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	s.framer.WriteData(streamID, false, append(framed, message...))
	return s.out.Flush()
}

// The next message. It tells count of every frame on the way: whether it carried (part of) a message, and its length.
func (s *stream) receive(count func(isMessage bool, bytes int)) ([]byte, error) {
	for {
		if message := s.message(); message != nil {
			return message, nil
		}
		frame, err := s.framer.ReadFrame()
		if err != nil {
			return nil, err
		}
		data, isMessage := frame.(*http2.DataFrame)
		count(isMessage, frameHeader+int(frame.Header().Length))
		if isMessage {
			s.arrived.Write(data.Data())
		} else if err := s.answer(frame); err != nil {
			return nil, err
		}
	}
}

const frameHeader = 9

// The first message that has arrived in full, or nothing.
func (s *stream) message() []byte {
	arrived := s.arrived.Bytes()
	if len(arrived) < grpcPrefix {
		return nil
	}
	length := grpcPrefix + int(binary.BigEndian.Uint32(arrived[1:]))
	if len(arrived) < length {
		return nil
	}
	return s.arrived.Next(length)[grpcPrefix:]
}

func (s *stream) answer(frame http2.Frame) error {
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			s.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !frame.IsAck() {
			s.framer.WritePing(true, frame.Data)
		}
	case *http2.HeadersFrame:
		if frame.StreamEnded() {
			return fmt.Errorf("the server has ended the stream")
		}
	case *http2.RSTStreamFrame, *http2.GoAwayFrame:
		return fmt.Errorf("the server has ended the stream: %v", frame)
	}
	return s.out.Flush()
}
