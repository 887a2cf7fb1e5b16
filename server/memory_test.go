package server

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestMemoryIsTheSmallerLimit(t *testing.T) {
	machine := memoryFor(filepath.Join(t.TempDir(), "absent"))
	if machine <= 0 {
		t.Fatalf("the machine has %d octets", machine)
	}
	for text, want := range map[string]int64{
		"max\n":                 machine,
		"junk":                  machine,
		"4000000\n":             3000000,
		"9000000000000000000\n": machine,
	} {
		path := filepath.Join(t.TempDir(), "memory.max")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := memoryFor(path); got != want {
			t.Errorf("with a limit of %q: %d, want %d", text, got, want)
		}
	}
}

// A store that outgrows memory gets more goroutines a processor, until it fits again.
func TestProcsFollowTheStore(t *testing.T) {
	t.Setenv("GOMAXPROCS", "") // as if the operator had not set it
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	runtime.SetDefaultGOMAXPROCS()
	usual := runtime.GOMAXPROCS(0)
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	if got := runtime.GOMAXPROCS(0); got != usual {
		t.Errorf("a store that fits has GOMAXPROCS %d, want %d", got, usual)
	}
	e.memory = 1
	publish(t, e.dir, content{segments: [][]entry{good("06")}})
	if _, err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	if got, want := runtime.GOMAXPROCS(0), coldProcs*runtime.NumCPU(); got != want {
		t.Errorf("a store that does not fit has GOMAXPROCS %d, want %d", got, want)
	}
	if !strings.Contains(e.log.String(), "does not fit into memory") {
		t.Errorf("nothing is logged: %s", e.log)
	}
	e.memory = 1 << 40
	publish(t, e.dir, content{segments: [][]entry{good("07")}})
	if _, err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := runtime.GOMAXPROCS(0); got != usual {
		t.Errorf("a store that fits again has GOMAXPROCS %d, want %d", got, usual)
	}
	t.Setenv("GOMAXPROCS", "3")
	e.memory = 1
	e.adaptTo(e.current.Load().store)
	if got := runtime.GOMAXPROCS(0); got != usual {
		t.Errorf("GOMAXPROCS of the environment is overridden by %d", got)
	}
}
