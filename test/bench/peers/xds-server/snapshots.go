package main

import (
	"context"
	"fmt"
	"strconv"

	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"lazyscope/test/bench/peers/mesh"
)

// A snapshot for each client, as the control planes do that are built on SnapshotCache: a change makes all of them
// anew. The resources themselves are made once and shared, which spares the peer what translating costs.
type snapshots struct {
	mesh    *mesh.Mesh
	decoded []types.Resource
	// Load assignments by name: as they were, and where they are.
	original map[string]*endpoint.ClusterLoadAssignment
	place    map[string]int
	version  int
	to       cache.SnapshotCache
}

func newSnapshots(from *mesh.Mesh) (*snapshots, error) {
	made := &snapshots{
		mesh:     from,
		original: map[string]*endpoint.ClusterLoadAssignment{},
		place:    map[string]int{},
		to:       cache.NewSnapshotCache(true, cache.IDHash{}, nil),
	}
	for index, each := range from.Resources {
		message, err := decode(each)
		if err != nil {
			return nil, err
		}
		made.decoded = append(made.decoded, message)
		if assignment, is := message.(*endpoint.ClusterLoadAssignment); is {
			made.original[each.Name] = assignment
			made.place[each.Name] = index
		}
	}
	return made, made.publish(func(mesh.Client) bool { return true })
}

func (s *snapshots) cache() cache.Cache { return s.to }

func (s *snapshots) change(service string, variant int, narrow bool) error {
	original, known := s.original[service]
	if !known {
		return fmt.Errorf("there is no service %s", service)
	}
	place := s.place[service]
	s.decoded[place] = mesh.Variant(original, variant)
	return s.publish(func(client mesh.Client) bool { return !narrow || holds(client, place) })
}

func (s *snapshots) publish(concerns func(mesh.Client) bool) error {
	s.version += 1
	for _, client := range s.mesh.Clients {
		if !concerns(client) {
			continue
		}
		resources := map[resource.Type][]types.Resource{}
		for _, index := range client.Holds {
			typeURL := s.mesh.Resources[index].Type
			resources[typeURL] = append(resources[typeURL], s.decoded[index])
		}
		snapshot, err := cache.NewSnapshot(strconv.Itoa(s.version), resources)
		if err != nil {
			return err
		}
		if err := s.to.SetSnapshot(context.Background(), client.Node, snapshot); err != nil {
			return err
		}
	}
	return nil
}

func holds(client mesh.Client, index int) bool {
	for _, each := range client.Holds {
		if each == index {
			return true
		}
	}
	return false
}
