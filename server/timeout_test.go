package server

import (
	"io"
	"net"
	"testing"
	"time"
)

// A connection without requests is closed after the idle time, here a short one.
func TestIdleConnectionIsClosed(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	if e.http.IdleTimeout != 75*time.Second {
		t.Errorf("idle connections are closed after %v, want 75 s", e.http.IdleTimeout)
	}
	e.http.IdleTimeout = 50 * time.Millisecond
	e.serve(t)
	c, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: o.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// One answer, and then the end of the connection: ReadAll returns at that.
	if got, err := io.ReadAll(c); err != nil || len(got) == 0 {
		t.Errorf("read %q, %v; want one answer and the end", got, err)
	}
}

// What a download may take grows by a second for every 32 KiB.
func TestDownloadsHaveTime(t *testing.T) {
	for size, want := range map[int]time.Duration{
		0:        10 * time.Second,
		32 << 10: 11 * time.Second,
		10 << 20: 330 * time.Second,
	} {
		if got := timeFor(size); got != want {
			t.Errorf("%d octets: %v, want %v", size, got, want)
		}
	}
}
