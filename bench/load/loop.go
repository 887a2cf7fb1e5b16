package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"lancre/bench/traffic"
)

// maxFailures in a row end a run: the server is gone.
const maxFailures = 1000

// A generator sends requests from one thread over many connections: a closed
// loop, in which a connection sends its next request when it has an answer, or an
// open one, in which requests are due at a fixed rate whatever the server does.
type generator struct {
	to        *unix.SockaddrInet4
	exchanges []traffic.Exchange
	rate      float64 // requests a second; 0: closed loop
	reconnect bool    // a connection for each request
	any       bool    // any body is right
	shares    bool    // its core with another
	now       func() time.Time

	poll        int
	conns       map[int32]*conn // those that are open, by file descriptor
	connections int
	idle        []*conn
	opened      uint64
	asked       uint64 // requests sent
	begin       time.Time
	windows     []histogram // by second
	wrong       uint64
	failed      uint64
	inARow      int // failures since the last answer
}

// run sends for the duration d and waits for the answers to what was sent.
func (g *generator) run(connections int, d time.Duration) (*traffic.Result, error) {
	var err error
	if g.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	defer unix.Close(g.poll)
	g.conns, g.connections = make(map[int32]*conn), connections
	for range connections {
		c := new(conn)
		if !g.reconnect {
			if err := g.open(c); err != nil {
				return nil, err
			}
		}
		g.idle = append(g.idle, c)
	}
	g.windows = make([]histogram, int(d.Seconds())+1)
	g.begin = g.now()
	for g.elapsed() < d {
		if err := g.askDue(); err != nil {
			return nil, err
		}
		if err := g.collect(); err != nil {
			return nil, err
		}
	}
	seconds := g.elapsed().Seconds()
	unsent := uint64(0)
	if g.rate > 0 {
		unsent = max(g.due(), g.asked) - g.asked
	}
	if err := g.drain(); err != nil {
		return nil, err
	}
	return g.result(seconds, unsent), nil
}

// drain collects answers until none is missing, for a second at most; what is
// missing then has failed.
func (g *generator) drain() error {
	for stop := g.now().Add(time.Second); len(g.idle) < g.connections && g.now().Before(stop); {
		if err := g.collect(); err != nil {
			return err
		}
	}
	g.failed += uint64(g.connections - len(g.idle))
	return nil
}

// elapsed is for how long g has been sending.
func (g *generator) elapsed() time.Duration { return g.now().Sub(g.begin) }

// due is how many requests should have been sent by now.
func (g *generator) due() uint64 { return uint64(g.elapsed().Seconds()*g.rate) + 1 }

// askDue sends what is due on the connections that are idle.
func (g *generator) askDue() error {
	for len(g.idle) > 0 && (g.rate == 0 || g.asked < g.due()) {
		c := g.idle[len(g.idle)-1]
		g.idle = g.idle[:len(g.idle)-1]
		begin := g.now()
		if g.rate > 0 {
			begin = g.begin.Add(time.Duration(float64(g.asked) / g.rate * 1e9))
		}
		e := &g.exchanges[g.asked%uint64(len(g.exchanges))]
		g.asked++
		if g.reconnect {
			if err := g.open(c); err != nil {
				return err
			}
		}
		if err := c.ask(e, begin); err != nil {
			if err := g.fail(c, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// collect takes the answers that are there. It waits for one only if others need its core:
// over loopback, it is the server's own write that wakes who waits, which would be a tenth
// of the processor time of a server that is slower than its clients, and none of one that
// is faster; and a timer, in an open loop, would be late by its slack.
func (g *generator) collect() error {
	wait := 0
	if g.shares {
		wait = 100 // ms, then to look at the clock
	}
	var events [64]unix.EpollEvent
	n, err := unix.EpollWait(g.poll, events[:], wait)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, event := range events[:max(n, 0)] {
		if err := g.take(g.conns[event.Fd]); err != nil {
			return err
		}
	}
	return nil
}

// take reads from c and, if that completes an answer, makes it idle again.
func (g *generator) take(c *conn) error {
	a, err := c.receive()
	switch {
	case errors.Is(err, errShort):
		return nil
	case err != nil && c.asked == nil:
		return g.reopen(c) // an idle connection may be closed by the server
	case err != nil:
		return g.fail(c, err)
	case c.asked == nil:
		return g.fail(c, errors.New("an answer that nobody asked for"))
	}
	g.inARow = 0
	window := min(int(c.begin.Sub(g.begin)/time.Second), len(g.windows)-1)
	g.windows[window].add(g.now().Sub(c.begin))
	if a.status != c.asked.Status() || !g.any && !c.right(a.body) {
		g.wrong++
	}
	if g.reconnect || a.close {
		return g.reopen(c)
	}
	c.in, c.asked = append(c.in[:0], c.in[a.size:]...), nil
	g.idle = append(g.idle, c)
	return nil
}

func (g *generator) fail(c *conn, err error) error {
	g.failed++
	if g.inARow++; g.inARow > maxFailures {
		return fmt.Errorf("%d failures in a row: %w", g.inARow, err)
	}
	return g.reopen(c)
}

// reopen makes c, idle or not, a new connection that is idle; one for each request is opened when
// it is asked, for servers that answer one client after another would wait for it.
func (g *generator) reopen(c *conn) error {
	unix.Close(c.fd)
	delete(g.conns, int32(c.fd))
	if c.asked != nil {
		g.idle = append(g.idle, c)
	}
	if g.reconnect {
		return nil
	}
	return g.open(c)
}

// open connects c. That it cannot is the end: servers under test listen.
func (g *generator) open(c *conn) error {
	g.opened++
	if err := c.open(g.poll, g.to, g.opened); err != nil {
		return fmt.Errorf("connecting to 127.0.0.1:%d: %w", g.to.Port, err)
	}
	g.conns[int32(c.fd)] = c
	return nil
}

// result sums up what was answered.
func (g *generator) result(seconds float64, unsent uint64) *traffic.Result {
	var all histogram
	r := &traffic.Result{Begin: g.begin, Seconds: seconds, Wrong: g.wrong, Failed: g.failed, Unsent: unsent}
	for i := range g.windows {
		w := &g.windows[i]
		all.merge(w)
		r.Windows = append(r.Windows, traffic.Window{Answered: w.total, Latency: w.latency()})
	}
	r.Answered, r.Latency = all.total, all.latency()
	return r
}
