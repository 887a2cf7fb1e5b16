package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lancre/bench/traffic"
)

// against returns a generator for a server that answers with the path, and
// exchanges of which every fourth has another answer than the server gives.
func against(t *testing.T, options ...func(*http.Server)) *generator {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.Path)
	}))
	for _, option := range options {
		option(s.Config)
	}
	s.Start()
	t.Cleanup(s.Close)
	g := &generator{to: &unix.SockaddrInet4{Port: s.Listener.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}}
	for _, want := range []string{"/a", "/b", "/c", "/wrong"} {
		path := want
		if want == "/wrong" {
			path = "/d"
		}
		g.exchanges = append(g.exchanges, traffic.Exchange{
			Request: []byte("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n"), Bodies: [][]byte{[]byte("/other"), []byte(want)},
		})
	}
	return g
}

func TestEveryAnswerIsCompared(t *testing.T) {
	for _, c := range []struct {
		name      string
		rate      float64
		reconnect bool
	}{{"closed loop", 0, false}, {"connection for each request", 0, true}, {"open loop", 1000, false}} {
		t.Run(c.name, func(t *testing.T) {
			g := against(t)
			g.rate, g.reconnect = c.rate, c.reconnect
			r, err := g.run(4, 200*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if r.Failed > 0 || r.Answered < 8 {
				t.Errorf("%d answered, %d failed", r.Answered, r.Failed)
			}
			if r.Wrong != r.Answered/4 {
				t.Errorf("%d of %d wrong, want every fourth", r.Wrong, r.Answered)
			}
		})
	}
}

func TestOpenLoopKeepsToItsRate(t *testing.T) {
	g := against(t)
	g.rate = 100
	r, err := g.run(4, 500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if sent := g.asked + r.Unsent; sent < 50 || sent > 52 {
		t.Errorf("%d requests were due in half a second at 100 a second", sent)
	}
}

// A server may close connections on which nothing was asked for some time.
func TestIdleConnectionsThatTheServerCloses(t *testing.T) {
	g := against(t, func(s *http.Server) { s.ReadTimeout = 10 * time.Millisecond })
	g.rate, g.exchanges = 300, g.exchanges[:3] // all of them right
	r, err := g.run(8, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if r.Wrong > 0 {
		t.Errorf("%d of %d answers wrong", r.Wrong, r.Answered)
	}
	if len(g.idle) != 8 || len(g.conns) != 8 {
		t.Errorf("%d connections are idle at the end, %d open, want 8 and 8", len(g.idle), len(g.conns))
	}
}

func TestAServerThatGoesAwayEndsTheRun(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	t.Cleanup(func() { ln.Close() })
	g := &generator{to: &unix.SockaddrInet4{Port: ln.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}},
		exchanges: []traffic.Exchange{{Request: []byte("GET / HTTP/1.1\r\nHost: test\r\n\r\n")}}}
	if r, err := g.run(1, time.Minute); err == nil {
		t.Errorf("no error, %+v", r)
	}
}
