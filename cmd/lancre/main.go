// Command lancre checks what a CA signed in advance, packs it into a store that lancred
// serves, and looks into stores; lancre follow does so by itself, as long as it runs.
//
// Its exit status is 0 if the work is done, 1 if the input was rejected or a
// problem was found, and 2 for wrong usage. Results go to standard output,
// everything else to standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"lancre/internal/usage"
)

// Exit statuses. Scripts and timers rely on the difference between the last two.
const (
	exitDone    = 0
	exitProblem = 1 // the input was rejected, or a check found something
	exitUsage   = 2
)

func main() {
	// An interrupted build must still remove what it has half made.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
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
		fmt.Fprintf(stderr, "%s: %v\n", cmd.CommandPath(), err)
		return exitProblem
	}
	usage.Report(stderr, cmd, err)
	return exitUsage
}
