package main

import (
	"fmt"

	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"lazyscope/test/bench/peers/mesh"
)

// One set of clusters and one of load assignments for all clients, who ask for what they need by name. Routes, which
// differ from client to client under one name, cannot be served like this.
type linear struct {
	original  map[string]*endpoint.ClusterLoadAssignment
	endpoints *cache.LinearCache
	mux       *cache.MuxCache
}

func newLinear(from *mesh.Mesh) (*linear, error) {
	original := map[string]*endpoint.ClusterLoadAssignment{}
	resources := map[string]map[string]types.Resource{resource.ClusterType: {}, resource.EndpointType: {}}
	for _, each := range from.Resources {
		if resources[each.Type] == nil {
			continue
		}
		message, err := decode(each)
		if err != nil {
			return nil, err
		}
		resources[each.Type][each.Name] = message
		if assignment, is := message.(*endpoint.ClusterLoadAssignment); is {
			original[each.Name] = assignment
		}
	}
	clusters := cache.NewLinearCache(resource.ClusterType, cache.WithInitialResources(resources[resource.ClusterType]))
	endpoints := cache.NewLinearCache(resource.EndpointType, cache.WithInitialResources(resources[resource.EndpointType]))
	mux := &cache.MuxCache{
		Classify:      func(request *cache.Request) string { return request.TypeUrl },
		ClassifyDelta: func(request *discovery.DeltaDiscoveryRequest) string { return request.TypeUrl },
		Caches:        map[string]cache.Cache{resource.ClusterType: clusters, resource.EndpointType: endpoints},
	}
	return &linear{original, endpoints, mux}, nil
}

func (l *linear) cache() cache.Cache { return l.mux }

func (l *linear) change(service string, variant int, _ bool) error {
	original, known := l.original[service]
	if !known {
		return fmt.Errorf("there is no service %s", service)
	}
	return l.endpoints.UpdateResource(service, mesh.Variant(original, variant))
}

func decode(encoded mesh.Resource) (proto.Message, error) {
	message, err := anypb.UnmarshalNew(&anypb.Any{TypeUrl: encoded.Type, Value: encoded.Bytes}, proto.UnmarshalOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", encoded.Type, encoded.Name, err)
	}
	return message, nil
}
