// Serves a mesh with go-control-plane's delta ADS server, from its SnapshotCache or its LinearCache, set up as in its
// own example. Commands change the endpoints of a service and tell how long the last acknowledgement took.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"sync"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"lazyscope/test/bench/peers/control"
	"lazyscope/test/bench/peers/mesh"
)

// A published mesh.
type publisher interface {
	cache() cache.Cache
	// Moves the last endpoint of a service. narrow publishes to those clients only that hold it, where that makes a difference.
	change(service string, variant int, narrow bool) error
}

const patience = 60 * time.Second

func main() {
	kind := flag.String("cache", "snapshot", "snapshot or linear")
	file := flag.String("mesh", "", "what the clients are to hold")
	flag.Parse()
	wanted, err := mesh.Read(*file)
	if err != nil {
		control.Fatal(err)
	}
	published, err := publish(*kind, wanted)
	if err != nil {
		control.Fatal(err)
	}
	acks := &acknowledgements{}
	port, err := serve(published.cache(), acks)
	if err != nil {
		control.Fatal(err)
	}
	control.Run(map[string]int{"port": port}, control.Commands{
		"change": func(line []byte) (any, error) { return change(published, acks, line) },
	})
}

func publish(kind string, wanted *mesh.Mesh) (publisher, error) {
	switch kind {
	case "snapshot":
		return newSnapshots(wanted)
	case "linear":
		return newLinear(wanted)
	}
	return nil, fmt.Errorf("there is no cache %q", kind)
}

func serve(from cache.Cache, acks *acknowledgements) (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	// The example gives clients 5 s to answer a ping; on a machine as busy as this one that cuts some off.
	grpcServer := grpc.NewServer(
		grpc.MaxConcurrentStreams(1_000_000),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 30 * time.Second, PermitWithoutStream: true}),
	)
	callbacks := server.CallbackFuncs{StreamDeltaRequestFunc: acks.request}
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, server.NewServer(context.Background(), from, callbacks))
	go grpcServer.Serve(listener)
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func change(published publisher, acks *acknowledgements, line []byte) (any, error) {
	var command struct {
		Service string
		Variant int
		Narrow  bool
		// Clients that are told, and acknowledge.
		Expect int
	}
	if err := json.Unmarshal(line, &command); err != nil {
		return nil, err
	}
	began := time.Now()
	all := acks.expect(command.Expect)
	if err := published.change(command.Service, command.Variant, command.Narrow); err != nil {
		return nil, err
	}
	select {
	case <-all:
		return map[string]float64{"ms": float64(time.Since(began)) / float64(time.Millisecond)}, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("not all of %d clients have acknowledged %s", command.Expect, command.Service)
	}
}

// Counts acknowledgements.
type acknowledgements struct {
	mutex   sync.Mutex
	missing int
	all     chan struct{}
}

// Closes what it returns when so many acknowledgements have come from now on.
func (acks *acknowledgements) expect(count int) <-chan struct{} {
	acks.mutex.Lock()
	defer acks.mutex.Unlock()
	acks.missing = count
	acks.all = make(chan struct{})
	return acks.all
}

func (acks *acknowledgements) request(_ int64, request *discovery.DeltaDiscoveryRequest) error {
	if request.ResponseNonce == "" {
		return nil
	}
	acks.mutex.Lock()
	defer acks.mutex.Unlock()
	if acks.missing -= 1; acks.missing == 0 {
		close(acks.all)
	}
	return nil
}
