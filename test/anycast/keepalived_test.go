package anycast

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"lancre/internal/programs"
)

// newLAN has two edges in one network with the client, who share the address by the
// keepalived of deploy/anycast:
//
//	client ─ bridge ─┬─ edge 1  lancred, keepalived
//	                 └─ edge 2  likewise
func newLAN(t *testing.T) *lab {
	t.Helper()
	l := newNamespaces(t, "bridge")
	programs.Need(t, "keepalived")
	l.in("bridge", "ip link add name lan type bridge")
	l.in("bridge", "ip link set up dev lan")
	l.plug("client", 100)
	l.in("client", "ip route add "+address+"/32 dev uplink")
	for i := range l.edges {
		e := l.anEdge(i+1, "0.0.0.0:80")
		l.edges[i] = e
		l.plug(e.name, i+1)
		e.startLancred()
		e.startKeepalived()
	}
	l.await("one edge", func() bool { return len(l.holders()) == 1 })
	return l
}

// plug connects a namespace to the bridge, as host n of the network 10.9.0.0/24.
func (l *lab) plug(name string, n int) {
	l.t.Helper()
	l.sh(fmt.Sprintf("ip -n %s link add to-%s type veth peer name uplink netns %s", l.ns("bridge"), name, l.ns(name)))
	l.in("bridge", "ip link set up master lan dev to-"+name)
	l.in(name, fmt.Sprintf("ip address add 10.9.0.%d/24 dev uplink", n))
	l.in(name, "ip link set up dev uplink")
	l.in(name, "ip link set up dev lo")
}

// startKeepalived starts it, as root: what it is to run lies where nobody else may look.
func (e *edge) startKeepalived() {
	e.t.Helper()
	text, err := os.ReadFile(conf(e.t, "keepalived.conf"))
	check(e.t, err)
	file := e.path(e.name + "-keepalived.conf")
	check(e.t, os.WriteFile(file, bytes.ReplaceAll(text, []byte("script_user nobody"), []byte("script_user root")), 0o644))
	e.start(e.name, "keepalived", "--dont-fork", "--log-console", "--log-detail", "--vrrp", "--use-file", file,
		"--pid", e.path(e.name+"-keepalived.pid"), "--vrrp_pid", e.path(e.name+"-vrrp.pid"))
}

// holders are the edges that have the address, as "12".
func (l *lab) holders() (edges string) {
	l.t.Helper()
	for n := range l.edges {
		name := fmt.Sprintf("edge%d", n+1)
		if strings.Contains(l.sh("ip -n "+l.ns(name)+" address show dev uplink"), address+"/32") {
			edges += fmt.Sprint(n + 1)
		}
	}
	return edges
}

// Two edges share an address by VRRP: it goes to the one that is well, and to one that is
// stale if there is no other. It does not come back by itself where the other one is as
// well: each move costs connections.
func TestKeepalived(t *testing.T) {
	l := newLAN(t)
	t.Log("| event | requests | failed | moved | address elsewhere after |")
	l.move("kill -9 of lancred of the edge that has the address", 2*believed, func(e *edge) { e.lancred.kill() }, func(e *edge) {
		e.startLancred()
		l.stays("lancred of the other edge is started again")
	})
	l.move("lancred of the edge that has the address is stopped, draining", 0, func(e *edge) { e.lancred.Signal(syscall.SIGTERM) }, func(e *edge) {
		<-e.lancred.ended
		e.startLancred()
		l.stays("lancred of the other edge is started again")
	})
	l.move("the edge that has the address is stale", 0, func(e *edge) { e.stale(true) }, func(e *edge) {
		l.holder().stale(true)
		l.stays("both are stale")
		for _, e := range l.edges {
			e.stale(false)
		}
		l.stays("both are well")
	})
}

// believed is what keepalived takes at most to believe a check of the configuration: two
// that fail, or three that do not, each a second after the one before, and their own time.
const believed = 4 * time.Second

// holder is the edge that has the address.
func (l *lab) holder() *edge {
	l.t.Helper()
	var holders string
	l.await("one edge to have the address", func() bool { holders = l.holders(); return len(holders) == 1 })
	return l.edges[holders[0]-'1']
}

// move takes the address from its holder, counts what that costs a client, and mends it.
// Requests may fail for so long; one or two may at any move, for VRRP gives the address up
// some tenths of a second before the other edge takes it.
func (l *lab) move(what string, fails time.Duration, do, mend func(e *edge)) {
	l.t.Helper()
	holder := l.holder()
	c := l.newClient()
	c.awaitMore(l.t, 20)
	began := time.Now()
	do(holder)
	took := l.await(what, func() bool { return l.holder() != holder })
	c.awaitMore(l.t, 50)
	now := time.Now()
	c.awaitMore(l.t, 20)
	if c.since(holder.name, now) || !c.since(l.holder().name, now) {
		l.t.Errorf("%s: %s answers still", what, holder.name)
	}
	c.end()
	l.t.Logf("| %s | %d | %d | %d | %v |", what, c.asked, c.failed-c.moved, c.moved, took.Round(10*time.Millisecond))
	if c.failed > maxMoved && (fails == 0 || c.lastFail.Sub(began) > fails) {
		l.t.Errorf("%s: %d requests failed, the last after %v: %v", what, c.failed, c.lastFail.Sub(began), c.why)
	}
	mend(holder)
}

// stays wants the address to be where it is for longer than keepalived takes to believe
// anything.
func (l *lab) stays(what string) {
	l.t.Helper()
	holder := l.holder()
	c := l.newClient()
	c.awaitMore(l.t, int(believed/pause))
	c.end()
	if c.failed > 0 || l.holder() != holder {
		l.t.Errorf("%s: the address was with %s and is with edge %s; %d requests failed: %v", what, holder.name, l.holders(), c.failed, c.why)
	}
}
