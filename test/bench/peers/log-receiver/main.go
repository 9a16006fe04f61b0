// The barest access log service: receives, decodes all of each message, and keeps the set of edges of the last stream.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"sort"
	"strings"
	"sync"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	data "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	accesslog "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"google.golang.org/grpc"

	"lazyscope/test/bench/peers/control"
)

// Who called what, from one pod to one address and name.
type edge struct {
	source      string
	destination string
	port        uint32
	host        string
	protocol    string
}

type receiver struct {
	accesslog.UnimplementedAccessLogServiceServer
	mutex   sync.Mutex
	edges   map[edge]struct{}
	entries int
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		control.Fatal(err)
	}
	service := &receiver{}
	server := grpc.NewServer()
	accesslog.RegisterAccessLogServiceServer(server, service)
	go server.Serve(listener)
	hello := map[string]int{"port": listener.Addr().(*net.TCPAddr).Port}
	control.Run(hello, control.Commands{"edges": func([]byte) (any, error) { return service.report(), nil }})
}

func (r *receiver) StreamAccessLogs(stream accesslog.AccessLogService_StreamAccessLogsServer) error {
	edges := map[edge]struct{}{}
	entries := 0
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		logs := message.GetHttpLogs().GetLogEntry()
		for _, entry := range logs {
			edges[edgeOf(entry)] = struct{}{}
		}
		entries += len(logs)
	}
	r.mutex.Lock()
	r.edges = edges
	r.entries += entries
	r.mutex.Unlock()
	return stream.SendAndClose(&accesslog.StreamAccessLogsResponse{})
}

func edgeOf(entry *data.HTTPAccessLogEntry) edge {
	common := entry.GetCommonProperties()
	destination := socketAddress(common.GetDownstreamLocalAddress())
	protocol := "HTTP1"
	if entry.GetProtocolVersion() == data.HTTPAccessLogEntry_HTTP2 {
		protocol = "HTTP2"
	}
	return edge{
		source:      socketAddress(common.GetDownstreamRemoteAddress()).GetAddress(),
		destination: destination.GetAddress(),
		port:        destination.GetPortValue(),
		host:        entry.GetRequest().GetAuthority(),
		protocol:    protocol,
	}
}

func socketAddress(address *core.Address) *core.SocketAddress {
	return address.GetSocketAddress()
}

// The entries of all streams, and the edges of the last one: how many, and a hash that equal edges have.
func (r *receiver) report() any {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	lines := make([]string, 0, len(r.edges))
	for each := range r.edges {
		lines = append(lines, fmt.Sprintf("%s %s:%d %s %s", each.source, each.destination, each.port, each.host, each.protocol))
	}
	sort.Strings(lines)
	digest := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return map[string]any{"entries": r.entries, "edges": len(lines), "digest": hex.EncodeToString(digest[:])}
}
