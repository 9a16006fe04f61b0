// Package mesh reads what each client of a mesh is to hold, as the controller has written it down: so both serve the
// same bytes.
package mesh

import (
	"encoding/json"
	"fmt"
	"os"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/proto"
)

// Mesh is the content of the file.
type Mesh struct {
	// Each once, however many clients hold it.
	Resources []Resource
	Clients   []Client
}

// Resource is an encoded resource.
type Resource struct {
	Type  string
	Name  string
	Bytes []byte
}

// Client is a sidecar.
type Client struct {
	// Its id.
	Node string
	// Indices of the resources that it holds.
	Holds []int
}

// Read reads the file.
func Read(file string) (*Mesh, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var mesh Mesh
	if err := json.Unmarshal(text, &mesh); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &mesh, nil
}

// Variant is an assignment whose last endpoint has moved to an address that the number stands for.
func Variant(of *endpoint.ClusterLoadAssignment, number int) *endpoint.ClusterLoadAssignment {
	variant := proto.Clone(of).(*endpoint.ClusterLoadAssignment)
	endpoints := variant.Endpoints[0].LbEndpoints
	last := endpoints[len(endpoints)-1].GetEndpoint().GetAddress().GetAddress().(*core.Address_SocketAddress)
	last.SocketAddress.Address = fmt.Sprintf("10.255.%d.%d", number>>8&255, number&255)
	return variant
}
