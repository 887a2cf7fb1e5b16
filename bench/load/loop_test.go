package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lancre/bench/traffic"
)

// against returns a generator for a server that answers with the path, and
// exchanges of which every fourth has another answer than the server gives. Its clock
// stands still.
func against(t *testing.T, options ...func(*http.Server)) *generator {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.Path)
	}))
	for _, option := range options {
		option(s.Config)
	}
	s.Start()
	t.Cleanup(s.Close)
	g := &generator{
		to:  &unix.SockaddrInet4{Port: s.Listener.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}},
		now: func() time.Time { return start },
	}
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

// start is when the clocks of generators begin. They go by what happens, so that no
// run depends on how busy the machine is.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// goByAnswers makes g's clock go on by d with each answer.
func goByAnswers(g *generator, d time.Duration) {
	g.now = func() time.Time {
		var answered uint64
		for i := range g.windows {
			answered += g.windows[i].total
		}
		return start.Add(time.Duration(answered) * d)
	}
}

// goByLooks makes g's clock go on by d whenever g looks at it.
func goByLooks(g *generator, d time.Duration) {
	looks := time.Duration(0)
	g.now = func() time.Time {
		looks++
		return start.Add(looks * d)
	}
}

func TestEveryAnswerIsCompared(t *testing.T) {
	for _, c := range []struct {
		name      string
		rate      float64
		reconnect bool
		shares    bool
	}{
		{"closed loop", 0, false, false}, {"closed loop that waits", 0, false, true},
		{"connection for each request", 0, true, false}, {"open loop", 3000, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := against(t)
			goByAnswers(g, time.Millisecond)
			g.rate, g.reconnect, g.shares = c.rate, c.reconnect, c.shares
			r, err := g.run(4, 200*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if r.Failed > 0 || r.Answered < 200 || r.Answered > 204 { // and what four connections still asked
				t.Errorf("%d answered, %d failed; want 200 to 204, and none", r.Answered, r.Failed)
			}
			if r.Wrong != r.Answered/4 {
				t.Errorf("%d of %d wrong, want every fourth", r.Wrong, r.Answered)
			}
		})
	}
}

// In an open loop requests are due whatever the server does; those that no connection
// was free for are counted.
func TestOpenLoopKeepsToItsRate(t *testing.T) {
	silent := make(chan struct{})
	defer close(silent) // before the servers are closed, which wait for their handlers
	silence := func(s *http.Server) {
		s.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent })
	}
	for _, c := range []struct {
		connections  int
		asked, spare uint64 // spare may be due when the run is over
	}{{60, 50, 1}, {1, 1, 0}} {
		g := against(t, silence)
		goByLooks(g, time.Millisecond)
		g.rate = 100
		r, err := g.run(c.connections, 500*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if due := g.asked + r.Unsent; due != 51 {
			t.Errorf("%d requests were due in half a second at 100 a second, want 51: at 0, 10, …, 500 ms", due)
		}
		if g.asked < c.asked || g.asked > c.asked+c.spare {
			t.Errorf("%d connections that get no answer sent %d requests, want %d", c.connections, g.asked, c.asked)
		}
	}
}

// A server may close connections on which nothing was asked for some time.
func TestIdleConnectionsThatTheServerCloses(t *testing.T) {
	const d = 300 * time.Millisecond
	var closed atomic.Int64
	g := against(t, func(s *http.Server) {
		s.ReadTimeout = 10 * time.Millisecond
		s.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed.Add(1)
			}
		}
	})
	g.now = func() time.Time { return start.Add(min(d, time.Duration(closed.Load())*10*time.Millisecond)) }
	g.rate, g.exchanges = 300, g.exchanges[:3] // all of them right
	r, err := g.run(8, d)
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

// A server that has one client at a time, and waits for what it says, is never kept waiting by a
// connection that is for a request.
func TestAServerOfOneClientAtATime(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
			c.Close()
		}
	}()
	g := &generator{
		to:        &unix.SockaddrInet4{Port: ln.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}},
		exchanges: []traffic.Exchange{{Request: []byte("GET / HTTP/1.1\r\nHost: test\r\n\r\n"), Bodies: [][]byte{[]byte("ok")}}},
		reconnect: true,
	}
	goByAnswers(g, time.Millisecond)
	r, err := g.run(4, 100*time.Millisecond)
	if err != nil || r.Failed+r.Wrong > 0 || r.Answered < 100 {
		t.Errorf("%+v, %v, want 100 answers and more, and none failed or wrong", r, err)
	}
	if len(g.conns) != 0 {
		t.Errorf("%d connections are open at the end", len(g.conns))
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
	g := &generator{
		to:        &unix.SockaddrInet4{Port: ln.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}},
		now:       func() time.Time { return start },
		exchanges: []traffic.Exchange{{Request: []byte("GET / HTTP/1.1\r\nHost: test\r\n\r\n")}},
	}
	if r, err := g.run(1, time.Minute); err == nil {
		t.Errorf("no error, %+v", r)
	}
}
