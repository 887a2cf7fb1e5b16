// Command lancre checks what a CA signed in advance, packs it into a store that lancred
// serves, and looks into stores; lancre follow does so by itself, as long as it runs.
//
// Its exit status is 0 if the work is done, 1 if the input was rejected, a problem was
// found or SIGTERM or SIGINT ended the work, and 2 for wrong usage. A second signal ends
// it at once. Results go to standard output, everything else to standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"lancre/internal/legible"
	"lancre/internal/usage"
)

// Exit statuses. Scripts and timers rely on the difference between the last two.
const (
	exitDone    = 0
	exitProblem = 1 // the input was rejected, or a check found something
	exitUsage   = 2
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go stop(signals, cancel)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// stop ends the work at the first signal, so that an interrupted build removes what it
// has half made, and the program at the second, whatever it does.
func stop(signals <-chan os.Signal, work context.CancelFunc) {
	<-signals
	work()
	<-signals
	os.Exit(exitProblem)
}

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	if errors.As(err, new(problem)) {
		fmt.Fprintf(stderr, "%s: %s\n", cmd.CommandPath(), spell(err))
		return exitProblem
	}
	usage.Report(stderr, cmd, err)
	return exitUsage
}

// listItem begins a line in an error that lists things.
const listItem = "\n  "

// spell is err for people: errors that were joined in lines of their own, and within one
// no others than those of lists, whatever names are in it.
func spell(err error) string {
	if p, ok := err.(problem); ok {
		err = p.error
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var texts, spelled []string
		for _, e := range joined.Unwrap() {
			texts, spelled = append(texts, e.Error()), append(spelled, spell(e))
		}
		if strings.Join(texts, "\n") == err.Error() {
			return strings.Join(spelled, "\n")
		}
	}
	lines := strings.Split(err.Error(), listItem)
	for i := range lines {
		lines[i] = legible.Line(lines[i])
	}
	return strings.Join(lines, listItem)
}
