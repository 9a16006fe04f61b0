// Replays recorded messages of an access log stream, which are sent as they are: so that whoever receives them is what
// is measured.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"

	"lazyscope/test/bench/peers/control"
)

const method = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs"

func main() {
	target := flag.String("target", "", "address of the access log service")
	file := flag.String("stream", "", "messages, each behind its length in 4 bytes, most significant first")
	flag.Parse()
	messages, err := read(*file)
	if err != nil {
		control.Fatal(err)
	}
	connection, err := grpc.NewClient(*target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(encoded{})))
	if err != nil {
		control.Fatal(err)
	}
	control.Run(map[string]int{"messages": len(messages)}, control.Commands{
		"send": func(line []byte) (any, error) { return nil, sendAll(connection, messages, line) },
	})
}

// The whole stream, several times, one after the other; over when the receiver has answered the last.
func sendAll(connection *grpc.ClientConn, messages [][]byte, line []byte) error {
	var command struct{ Times int }
	if err := json.Unmarshal(line, &command); err != nil {
		return err
	}
	for range command.Times {
		if err := send(connection, messages); err != nil {
			return err
		}
	}
	return nil
}

func send(connection *grpc.ClientConn, messages [][]byte) error {
	description := &grpc.StreamDesc{ClientStreams: true}
	stream, err := connection.NewStream(context.Background(), description, method)
	if err != nil {
		return err
	}
	for _, message := range messages {
		if err := stream.SendMsg(message); err != nil {
			// The reason is in the answer.
			break
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return stream.RecvMsg(nil)
}

func read(file string) ([][]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var messages [][]byte
	for len(content) > 0 {
		if len(content) < 4 || uint32(len(content)-4) < binary.BigEndian.Uint32(content) {
			return nil, fmt.Errorf("%s ends in the middle of a message", file)
		}
		end := 4 + binary.BigEndian.Uint32(content)
		messages = append(messages, content[4:end])
		content = content[end:]
	}
	return messages, nil
}

// Messages that are encoded already, and answers that nobody reads.
type encoded struct{}

func (encoded) Name() string { return "proto" }

func (encoded) Marshal(message any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(message.([]byte))}, nil
}

func (encoded) Unmarshal(mem.BufferSlice, any) error { return nil }
