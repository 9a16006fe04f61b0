package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"

	_ "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"lazyscope/test/bench/peers/mesh"
)

// In the order in which an Envoy asks.
var allTypes = []string{resource.ClusterType, resource.ListenerType, resource.EndpointType, resource.RouteType}

// What a client asks for of one type.
type subscription struct {
	typeURL string
	// All that it is to hold.
	names []string
	// Asked for without a name, as Envoy does for clusters and listeners.
	wildcard bool
}

func subscriptionsOf(from *mesh.Mesh, client mesh.Client, types []string, byName bool) []subscription {
	var subscriptions []subscription
	for _, typeURL := range types {
		isNamed := byName || typeURL == resource.EndpointType || typeURL == resource.RouteType
		asked := subscription{typeURL: typeURL, wildcard: !isNamed}
		for _, index := range client.Holds {
			if each := from.Resources[index]; each.Type == typeURL {
				asked.names = append(asked.names, each.Name)
			}
		}
		subscriptions = append(subscriptions, asked)
	}
	return subscriptions
}

// Bytes received.
type counts struct{ messages, resources, control int }

// A delta ADS client that accepts everything.
type client struct {
	node          string
	subscriptions []subscription
	// Of names that it is to hold, those that it does not hold yet; closed when there are none.
	missing  map[[2]string]bool
	complete chan struct{}

	mutex  sync.Mutex
	count  counts
	held   map[[2]string][]byte
	failed error
}

func newClient(node string, subscriptions []subscription) *client {
	missing := map[[2]string]bool{}
	for _, each := range subscriptions {
		for _, name := range each.names {
			missing[[2]string{each.typeURL, name}] = true
		}
	}
	return &client{
		node:          node,
		subscriptions: subscriptions,
		missing:       missing,
		complete:      make(chan struct{}),
		held:          map[[2]string][]byte{},
	}
}

func (c *client) connect(target string, patience time.Duration) error {
	stream, err := open(target, discoveryMethod)
	if err != nil {
		return err
	}
	for index, each := range c.subscriptions {
		request := &discovery.DeltaDiscoveryRequest{TypeUrl: each.typeURL}
		if index == 0 {
			request.Node = &core.Node{Id: c.node}
		}
		if !each.wildcard {
			request.ResourceNamesSubscribe = each.names
		}
		if err := send(stream, request); err != nil {
			return err
		}
	}
	go func() { c.fail(c.receive(stream)) }()
	select {
	case <-c.complete:
		return nil
	case <-time.After(patience):
		c.mutex.Lock()
		defer c.mutex.Unlock()
		return fmt.Errorf("%s lacks %d resources (%v)", c.node, len(c.missing), c.failed)
	}
}

func (c *client) receive(stream *stream) error {
	for {
		message, err := stream.receive(func(isMessage bool, bytes int) { c.add(isMessage, bytes) })
		if err != nil {
			return err
		}
		response := &discovery.DeltaDiscoveryResponse{}
		if err := proto.Unmarshal(message, response); err != nil {
			return err
		}
		c.hold(response)
		ack := &discovery.DeltaDiscoveryRequest{TypeUrl: response.TypeUrl, ResponseNonce: response.Nonce}
		if err := send(stream, ack); err != nil {
			return err
		}
	}
}

func send(stream *stream, request *discovery.DeltaDiscoveryRequest) error {
	message, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	return stream.send(message)
}

func (c *client) add(isMessage bool, bytes int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if isMessage {
		c.count.messages += bytes
	} else {
		c.count.control += bytes
	}
}

func (c *client) hold(response *discovery.DeltaDiscoveryResponse) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	wasComplete := len(c.missing) == 0
	for _, each := range response.Resources {
		key := [2]string{response.TypeUrl, each.Name}
		c.count.resources += proto.Size(each)
		c.held[key] = each.GetResource().GetValue()
		delete(c.missing, key)
	}
	for _, name := range response.RemovedResources {
		delete(c.held, [2]string{response.TypeUrl, name})
	}
	if !wasComplete && len(c.missing) == 0 {
		close(c.complete)
	}
}

func (c *client) fail(err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.failed = err
}

func (c *client) counted() (counts, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.count, c.failed
}

// A line for each resource of some types, sorted. Its hash is that of one way to encode it, as servers may order fields differently.
func (c *client) holds(types []string) ([]string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.failed != nil {
		return nil, c.failed
	}
	var lines []string
	for key, bytes := range c.held {
		if !slices.Contains(types, key[0]) {
			continue
		}
		message, err := anypb.UnmarshalNew(&anypb.Any{TypeUrl: key[0], Value: bytes}, proto.UnmarshalOptions{})
		if err != nil {
			return nil, err
		}
		canonical, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("%s %s %x", key[0], key[1], sha256.Sum256(canonical)))
	}
	slices.Sort(lines)
	return lines, nil
}
