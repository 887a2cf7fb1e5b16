// Package faults breaks things around the real programs and wants them to survive:
// bad generations, failing disks, kill -9, exhausted limits, hostile clients, and
// restarts under load. What it tried, and what came of it, is a table:
//
//	go test ./test/faults                            seconds, as part of the tests
//	go test ./test/faults -args -full -table FILE    minutes, and the table as Markdown
package faults

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"lancre/internal/programs"
)

var (
	full      = flag.Bool("full", false, "try everything as often as the table in docs/OPERATIONS.md says")
	tableFile = flag.String("table", "", "write the table to `FILE`")
	attacking = flag.Bool(attackFlag, false, "attack as standard input says; for the tests themselves")
)

// size is how often, or how much: a little in the tests, more with -full.
func size(little, more int) int {
	if *full {
		return more
	}
	return little
}

// patience bounds every wait for an event.
const patience = programs.Patience

// retry is the pause between two looks at what sends no event when it changes.
const retry = 20 * time.Millisecond

func TestMain(m *testing.M) {
	flag.Parse()
	if *attacking {
		if err := attackAsTold(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	status := programs.Run(m)
	if err := writeTable(*tableFile); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// check ends the test on an error that is not what it is about.
func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// await looks until done, and fails the test if that takes longer than patience.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(retry) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
