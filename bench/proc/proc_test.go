package proc

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestParseCPU(t *testing.T) {
	const stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 4 0 100 200 300"
	if got, err := parseCPU([]byte(stat)); got != 2*time.Second || err != nil {
		t.Errorf("%v, %v, want 2s", got, err)
	}
	for _, bad := range []string{"", "42 (a) S 1", "42 (a) S 1 42 42 0 -1 4194304 100 0 0 0 x 50 0"} {
		if got, err := parseCPU([]byte(bad)); err == nil {
			t.Errorf("%q: %v, want an error", bad, got)
		}
	}
}

// Both ways of asking are answered alike, to a tick and what passes between them.
func TestOwnIsOfThisProcess(t *testing.T) {
	before := Own()
	for Own()-before < 5*tick {
	}
	coarse, err := CPU(os.Getpid())
	if after := Own(); err != nil || coarse < before || coarse > after+2*tick {
		t.Errorf("%v, %v; want what lies between %v and %v", coarse, err, before, after)
	}
}

func TestParseMemory(t *testing.T) {
	const status = "Name:\ta\nVmHWM:\t  300 kB\nVmRSS:\t 200 kB\nRssAnon:\t  50 kB\nRssFile:\t 150 kB\n"
	want := Resident{Anon: 50 << 10, File: 150 << 10, Peak: 300 << 10}
	if got, err := parseMemory([]byte(status)); got != want || err != nil {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "Name:\ta\n", "RssAnon: x kB\nRssFile: 1 kB\nVmHWM: 1 kB\n"} {
		if got, err := parseMemory([]byte(bad)); err == nil {
			t.Errorf("%q: %+v, want an error", bad, got)
		}
	}
}

func TestOwnProcess(t *testing.T) {
	if _, err := CPU(os.Getpid()); err != nil {
		t.Error(err)
	}
	r, err := Memory(os.Getpid())
	if err != nil || r.Anon <= 0 || r.File <= 0 || r.Peak < r.Anon {
		t.Errorf("%+v, %v", r, err)
	}
	stop := make(chan struct{})
	close(stop)
	if peak := PeakAnon(os.Getpid(), time.Hour, stop); peak <= 0 {
		t.Errorf("peak %d", peak)
	}
}

func TestListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	for _, want := range []bool{true, false} {
		if got, err := Listens(port); got != want || err != nil {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
		ln.Close()
	}
	const table = "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A\n   1: 0100007F:1F91 0100007F:0050 01\n"
	for port, want := range map[int]bool{0x1f90: true, 0x1f91: false, 0x50: false, 0x1f9: false} {
		if got := listens(strings.NewReader(table), port); got != want {
			t.Errorf("port %#x: %v, want %v", port, got, want)
		}
	}
}

func FuzzProc(f *testing.F) {
	for _, name := range []string{"stat", "status"} {
		text, err := os.ReadFile("/proc/self/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		parseCPU(text)
		parseMemory(text)
	})
}
