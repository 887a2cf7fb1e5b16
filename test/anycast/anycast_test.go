package anycast

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// An event takes an edge away, or brings it back.
type event struct {
	name   string
	do     func(l *lab)
	routes string // that are left
	mend   func(l *lab)
	fails  time.Duration // requests may fail for so long; 0: none may
}

var events = []event{
	{"lancred of edge 1 is stopped, draining", func(l *lab) { l.edges[0].lancred.Signal(syscall.SIGTERM) }, "2",
		func(l *lab) { <-l.edges[0].lancred.ended; l.edges[0].startLancred() }, 0},
	{"lancred of edge 1 is upgraded: stopped and started again", func(l *lab) {
		e := l.edges[0]
		e.lancred.Signal(syscall.SIGTERM)
		<-e.lancred.ended
		e.startLancred()
	}, "12", func(*lab) {}, 0}, // the agent goes on, and gives the route back
	{"kill -9 of lancred of edge 1", func(l *lab) { l.edges[0].lancred.kill() }, "2",
		func(l *lab) { l.edges[0].startLancred() }, 4 * tick}, // two ticks, and what BGP and a busy machine take
	{"kill -9 of announce of edge 1", func(l *lab) { l.edges[0].agent.kill() }, "2",
		func(l *lab) { l.edges[0].startAgent() }, 0},
	{"kill -9 of BIRD of edge 1", func(l *lab) { l.edges[0].bird.kill() }, "2",
		func(l *lab) { l.edges[0].startBird() }, 0},
	{"BIRD of edge 1 is frozen", func(l *lab) { l.edges[0].bird.Signal(syscall.SIGSTOP) }, "2",
		func(l *lab) { l.edges[0].bird.Signal(syscall.SIGCONT) }, 0},
	{"edge 1 is stale", func(l *lab) { l.edges[0].stale(true) }, "2",
		func(l *lab) { l.edges[0].stale(false) }, 0},
	{"edge 1 is dead, edge 2 stale", func(l *lab) { l.edges[1].stale(true); l.edges[0].agent.kill() }, "2",
		func(l *lab) { l.edges[1].stale(false); l.edges[0].startAgent() }, 0},
}

// Whatever happens to an edge, what is sent to the other one goes on, and routes come
// back when it is well.
func TestEvents(t *testing.T) {
	l := newLab(t)
	t.Log("| event | requests | failed | moved | route gone after |")
	for _, e := range events {
		c := l.newClient()
		c.awaitMore(t, 20)
		began := time.Now()
		e.do(l)
		l.await(e.name, func() bool { return l.routes() == e.routes })
		gone := time.Since(began).Round(10 * time.Millisecond).String()
		if e.routes == "12" {
			gone = "–"
		}
		c.awaitMore(t, 50)
		now := time.Now()
		c.awaitMore(t, 20)
		if e.routes == "2" && (c.since("edge1", now) || !c.since("edge2", now)) {
			t.Errorf("%s: edge 1 answers still", e.name)
		}
		e.mend(l)
		l.await("both edges after: "+e.name, func() bool { return l.routes() == "12" })
		c.awaitMore(t, 50)
		c.end()
		t.Logf("| %s | %d | %d | %d | %v |", e.name, c.asked, c.failed-c.moved, c.moved, gone)
		if c.moved <= maxMoved && c.moved == c.failed {
			continue
		}
		if e.fails == 0 || c.lastFail.Sub(began) > e.fails {
			t.Errorf("%s: %d requests failed, the last after %v: %v", e.name, c.failed, c.lastFail.Sub(began), c.why)
		}
	}
}

// Where the origin is dead all edges are stale, and all go on: none is withdrawn.
func TestAllStale(t *testing.T) {
	l := newLab(t)
	c := l.newClient()
	c.awaitMore(t, 20)
	for _, e := range l.edges {
		e.stale(true)
	}
	l.await("paths of four", func() bool {
		return strings.Count(l.in("router", "birdc -s "+l.path("router.ctl")+" show route all"), "65001 65001 65001 65001") == 2
	})
	l.await("both edges", func() bool { return l.routes() == "12" })
	now := time.Now()
	l.await("both to answer", func() bool { return c.since("edge1", now) && c.since("edge2", now) })
	c.end()
	t.Logf("all edges stale: %d requests, %d failed", c.asked, c.failed)
	if c.failed > c.moved || c.moved > maxMoved {
		t.Errorf("%d of %d requests failed: %v", c.failed, c.asked, c.why)
	}
}
