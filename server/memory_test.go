package server

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestMemoryIsTheLeastLimit(t *testing.T) {
	dir := t.TempDir()
	machine := memoryFor([]string{filepath.Join(dir, "absent")})
	if machine <= 0 {
		t.Fatalf("the machine has %d octets", machine)
	}
	for _, c := range []struct {
		limits []string
		want   int64
	}{
		{nil, machine},
		{[]string{"max\n"}, machine},
		{[]string{"junk"}, machine},
		{[]string{"4000000\n"}, 3000000},
		{[]string{"9000000000000000000\n"}, machine},
		{[]string{"max\n", "8000000\n", "4000000\n", "9223372036854771712\n"}, 3000000},
	} {
		var files []string
		for i, text := range c.limits {
			files = append(files, filepath.Join(dir, fmt.Sprint(i)))
			if err := os.WriteFile(files[i], []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := memoryFor(files); got != c.want {
			t.Errorf("with limits of %q: %d, want %d", c.limits, got, c.want)
		}
	}
}

func TestLimitFiles(t *testing.T) {
	for _, c := range []struct {
		name, groups string
		want         []string
	}{
		{"version 2, a service", "0::/system.slice/lancred.service\n", []string{
			"/sys/fs/cgroup/system.slice/lancred.service/memory.max", "/sys/fs/cgroup/system.slice/lancred.service/memory.high", "/sys/fs/cgroup/system.slice/memory.max", "/sys/fs/cgroup/system.slice/memory.high", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.high"}},
		{"version 2, a container", "0::/\n", []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.high"}},
		{"version 2, outside of its namespace", "0::/../other\n", []string{"/sys/fs/cgroup/other/memory.max", "/sys/fs/cgroup/other/memory.high", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.high"}},
		{"version 1", "5:devices:/a\n4:cpuset,memory:/a\n1:name=systemd:/a\n", []string{
			"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}},
		{"none", "", nil},
		{"junk", "junk\n::\n", []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.high", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.high"}},
	} {
		if got := limitFiles(c.groups); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
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
