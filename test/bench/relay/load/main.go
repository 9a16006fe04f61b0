// Load for proxies, and the server behind them, as cheap as one thread can be: what it costs must not hide what they
// cost. Each line on its input is answered by a line of JSON, how much was done since the start; it ends with its input.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
)

func main() {
	runtime.LockOSThread()
	kind := flag.String("kind", "", "http: requests one after the other on each connection; bulk: bytes without end; open: requests by the clock; serve: none, only the server")
	options := options{}
	flag.StringVar(&options.listen, "listen", "", "where the server listens, ADDRESS:PORT; absent: no server")
	flag.StringVar(&options.through, "through", "", "the proxy, ADDRESS:PORT; gets a PROXY v2 header")
	flag.StringVar(&options.destination, "destination", "", "original destination, ADDRESS:PORT")
	flag.StringVar(&options.host, "host", "bench", "Host of requests")
	flag.IntVar(&options.bodyBytes, "body", 100, "bytes of a response's body")
	flag.IntVar(&options.connections, "connections", 64, "connections at a time")
	flag.StringVar(&options.cold, "cold", "", "open: FIRST,INDEX,COUNT,PORT: COUNT addresses from FIRST on are called once each, with Hosts service-INDEX and so on")
	flag.IntVar(&options.rate, "rate", 0, "open: requests a second to the destination")
	flag.IntVar(&options.coldRate, "cold-rate", 0, "open: first requests a second")
	rest := flag.Duration("rest", 0, "pause between two rounds of reading and writing")
	flag.Parse()

	loop := newLoop()
	loop.rest = *rest
	if options.listen != "" {
		serve(loop, options)
	}
	counts := start(loop, *kind, options)
	answerLines(loop, counts)
	loop.run()
}

type options struct {
	listen, through, destination, host, cold string
	bodyBytes, connections, rate, coldRate   int
}

// What was done since the start.
type counts struct {
	Units  int64 `json:"units"`
	Bytes  int64 `json:"bytes"`
	Errors int64 `json:"errors"`
	// The first thing that went wrong.
	Error string `json:"error,omitempty"`
	// CPU time of this process.
	CPUMicroseconds int64 `json:"cpuMicroseconds"`
	// Open loop: latencies since the last line, of requests to the destination and of first ones.
	Warm []int64 `json:"warmMicroseconds,omitempty"`
	Cold []int64 `json:"coldMicroseconds,omitempty"`
}

func (c *counts) failed(reason string) {
	c.Errors++
	if c.Error == "" {
		c.Error = reason
	}
}

func start(loop *loop, kind string, options options) *counts {
	switch kind {
	case "http":
		return startRequests(loop, options)
	case "bulk":
		return startBulk(loop, options)
	case "open":
		return startOpen(loop, options)
	case "serve":
		return &counts{}
	}
	fmt.Fprintln(os.Stderr, "-kind is http, bulk, open or serve")
	os.Exit(2)
	return nil
}

// The loop owns all state, so lines are answered in it.
func answerLines(loop *loop, counts *counts) {
	read, write, err := os.Pipe()
	check(err, "pipe")
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			_, _ = write.Write([]byte{1})
		}
		os.Exit(0)
	}()
	out := json.NewEncoder(os.Stdout)
	one := make([]byte, 1)
	loop.add(int(read.Fd()), syscall.EPOLLIN, func(uint32) {
		_, _ = syscall.Read(int(read.Fd()), one)
		counts.CPUMicroseconds = ownCPU()
		check(out.Encode(counts), "answer")
		counts.Warm, counts.Cold = nil, nil
	})
}

func ownCPU() int64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage), "getrusage")
	return (usage.Utime.Sec+usage.Stime.Sec)*1_000_000 + usage.Utime.Usec + usage.Stime.Usec
}

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}
