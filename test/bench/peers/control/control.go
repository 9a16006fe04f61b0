// Package control lets a benchmark drive a program over its standard streams: a command is a line of JSON, and so is
// the answer to it. The first answer comes unasked and says where the program listens.
package control

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// Commands by name: each takes the whole line, and its result is the answer.
type Commands map[string]func(line []byte) (any, error)

type answer struct {
	Ok    any    `json:"ok,omitempty"`
	Error string `json:"error,omitempty"`
}

// Run says hello and answers commands, one after the other, until standard input ends.
func Run(hello any, commands Commands) {
	out := json.NewEncoder(os.Stdout)
	say(out, hello, nil)
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		result, err := perform(commands, line)
		say(out, result, err)
	}
}

func perform(commands Commands, line []byte) (any, error) {
	var command struct{ Do string }
	if err := json.Unmarshal(line, &command); err != nil {
		return nil, err
	}
	run, known := commands[command.Do]
	if !known {
		return nil, fmt.Errorf("there is no command %q", command.Do)
	}
	return run(line)
}

func say(out *json.Encoder, result any, err error) {
	if err != nil {
		out.Encode(answer{Error: err.Error()})
		return
	}
	out.Encode(answer{Ok: result})
}

// Fatal ends the program, which the benchmark takes for a failure.
func Fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
