// Thousands of delta ADS clients in one process, each with a connection of its own, cheap enough to leave a machine to
// the server: they ask for what a mesh says that they are to hold, acknowledge what they get, and count its bytes.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"time"

	"lazyscope/test/bench/peers/control"
	"lazyscope/test/bench/peers/mesh"
)

const (
	// Clients that connect at a time: fewer than a listener's backlog.
	connecting = 50
	patience   = 60 * time.Second
)

func main() {
	target := flag.String("target", "", "address of the ADS server")
	file := flag.String("mesh", "", "what the clients are to hold")
	types := flag.String("types", strings.Join(allTypes, ","), "type URLs that they ask for")
	byName := flag.Bool("by-name", false, "ask for clusters and listeners by name instead of for all")
	flag.Parse()
	wanted, err := mesh.Read(*file)
	if err != nil {
		control.Fatal(err)
	}
	clients := make([]*client, len(wanted.Clients))
	for index, each := range wanted.Clients {
		clients[index] = newClient(each.Node, subscriptionsOf(wanted, each, strings.Split(*types, ","), *byName))
	}
	if err := connect(clients, *target); err != nil {
		control.Fatal(err)
	}
	control.Run(map[string]int{"clients": len(clients)}, control.Commands{
		"traffic": func([]byte) (any, error) { return traffic(clients) },
		"digest":  func(line []byte) (any, error) { return digest(clients, line) },
	})
}

// Until each holds what it asked for.
func connect(clients []*client, target string) error {
	places := make(chan struct{}, connecting)
	done := make(chan error, len(clients))
	for _, each := range clients {
		go func() {
			places <- struct{}{}
			defer func() { <-places }()
			done <- each.connect(target, patience)
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

// Bytes that each client has received since it began: of the frames that carry messages, of the resources in them, and
// of all other frames.
func traffic(clients []*client) (any, error) {
	var sum struct {
		Messages  []int `json:"messages"`
		Resources []int `json:"resources"`
		Control   []int `json:"control"`
	}
	for _, each := range clients {
		counted, err := each.counted()
		if err != nil {
			return nil, err
		}
		sum.Messages = append(sum.Messages, counted.messages)
		sum.Resources = append(sum.Resources, counted.resources)
		sum.Control = append(sum.Control, counted.control)
	}
	return sum, nil
}

// A hash of all that all clients hold of some types.
func digest(clients []*client, line []byte) (any, error) {
	var command struct{ Types []string }
	if err := json.Unmarshal(line, &command); err != nil {
		return nil, err
	}
	all := sha256.New()
	for index, each := range clients {
		held, err := each.holds(command.Types)
		if err != nil {
			return nil, fmt.Errorf("client %d: %w", index, err)
		}
		fmt.Fprintln(all, index, strings.Join(held, " "))
	}
	return map[string]any{"digest": hex.EncodeToString(all.Sum(nil))}, nil
}
