package server

import (
	"crypto"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestPeers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::ffff:0:0:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
	} {
		a := prefix(&net.TCPAddr{IP: net.ParseIP(c.a), Port: 1})
		b := prefix(&net.TCPAddr{IP: net.ParseIP(c.b), Port: 2, Zone: "eth0"})
		if (a == b) != c.same {
			t.Errorf("%s is peer %v and %s is %v, want the same: %v", c.a, a, c.b, b, c.same)
		}
	}
}

// A peer may make the requests of one second at once, and then one whenever one
// is paid for.
func TestAllow(t *testing.T) {
	l := newLimits(&Config{MaxRate: 10})
	var p peer
	allowed := func(now time.Duration) (n int) {
		for l.allow(&p, int64(now)) {
			n++
		}
		return n
	}
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{0, 10}, {99 * time.Millisecond, 0}, {100 * time.Millisecond, 1}, {350 * time.Millisecond, 2}, {time.Hour, 10}} {
		if got := allowed(c.at); got != c.want {
			t.Errorf("at %v %d requests are allowed, want %d", c.at, got, c.want)
		}
	}
}

// Peers without connections are forgotten when their requests are paid for, not before,
// and not if they came again.
func TestPeersAreForgotten(t *testing.T) {
	const many = 10_000
	l := newLimits(&Config{MaxRate: 1, MaxConnsPerPeer: 1})
	later := func() { l.began = l.began.Add(-time.Second) }
	visit := func(i int) *peer {
		p := l.open(&net.TCPAddr{IP: net.IPv4(10, 0, byte(i>>8), byte(i))})
		l.allow(p, l.now())
		l.close(p)
		return p
	}
	first := visit(0)
	later()
	again := visit(0)
	if again != first || l.allow(again, l.now()) {
		t.Error("a peer is forgotten that has not paid")
	}
	stays := l.open(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 0)})
	for i := range many {
		visit(i + 1)
	}
	if n := len(l.peers); n != many+1 {
		t.Errorf("%d peers are remembered, want %d", n, many+1)
	}
	later()
	for i := range many { // which forget two each, and are not forgotten
		visit(many + i%3)
	}
	if n := len(l.peers); n != 4 || len(l.left) > many || l.conns != 1 || l.peers[stays.key] != stays {
		t.Errorf("%d peers are remembered, with %d departures and %d connections, want 4 and 1 connection", n, len(l.left), l.conns)
	}
}

// A connection of a new peer costs the same, however many are there.
func BenchmarkNewPeers(b *testing.B) {
	for _, known := range []int{1 << 10, 1 << 16, 1 << 20} {
		b.Run(strconv.Itoa(known), func(b *testing.B) {
			l := newLimits(&Config{MaxRate: 1})
			open := func(i int) *peer {
				p := l.open(&net.TCPAddr{IP: net.IPv4(byte(i>>24), byte(i>>16), byte(i>>8), byte(i))})
				l.allow(p, l.now())
				return p
			}
			for i := range known {
				open(i)
			}
			b.ResetTimer()
			for i := range b.N {
				l.close(open(known + i))
			}
		})
	}
}

func TestMaxConns(t *testing.T) {
	inAll, perPeer := func(c *Config) { c.MaxConns = 2 }, func(c *Config) { c.MaxConnsPerPeer = 2 }
	for _, c := range []struct {
		name, network, address string
		amend                  func(*Config)
	}{
		{"in all", "tcp", "127.0.0.1:0", inAll},
		{"per peer", "tcp", "127.0.0.1:0", perPeer},
		{"per peer, over a Unix socket", "unix", filepath.Join(t.TempDir(), "socket"), perPeer},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEdge(t, files(), c.amend).serveOn(t, c.network, c.address)
			wantLanding(t, e)
			awaitConns(t, e, 0)
			first, _ := e.dial(t)
			e.dial(t)
			third, r := e.dial(t)
			if _, err := third.Write([]byte("GET / HTTP/1.1\r\nHost: o\r\n\r\n")); err == nil {
				if _, err := r.ReadByte(); err == nil {
					t.Fatal("a third connection is answered")
				}
			}
			if n := e.metrics.refusedConns.Load(); n != 1 {
				t.Errorf("%d connections were counted as refused, want 1", n)
			}
			first.Close()
			awaitConns(t, e, 1)
			wantLanding(t, e)
		})
	}
}

// awaitConns waits until the edge has noticed which connections are closed.
func awaitConns(t *testing.T, e *edge, want int) {
	t.Helper()
	open := func() int {
		e.limits.mu.Lock()
		defer e.limits.mu.Unlock()
		return e.limits.conns
	}
	for end := time.Now().Add(patience); open() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections are open, want %d", open(), want)
		}
	}
}

func wantLanding(t *testing.T, e *edge) {
	t.Helper()
	if a, _ := e.send(t, "GET / HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n"); a.StatusCode != 200 {
		t.Errorf("status %d, want 200", a.StatusCode)
	}
}

// What is too much is answered tryLater, over all connections of a peer.
func TestMaxRate(t *testing.T) {
	e := newEdge(t, files(), func(c *Config) { c.MaxRate = 1 }).serve(t)
	request := ask("05", crypto.SHA1)
	limited := 0
	for range 10 { // in far less than ten seconds
		if a := e.post(t, request); a.StatusCode == 503 {
			a.is(t, 503, ocspTryLater)
			limited++
		}
	}
	if limited == 0 {
		t.Error("no request of ten was too many at one a second")
	}
}

// Limits cost no request an allocation.
func TestLimitedHandlerDoesNotAllocate(t *testing.T) {
	e := newEdge(t, files(), func(c *Config) { c.MaxConns, c.MaxConnsPerPeer, c.MaxRate = 1<<20, 1<<20, 1<<30 })
	p := e.limits.open(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)})
	c := &conn{limits: e.limits, peer: p}
	if n := testing.AllocsPerRun(100, func() { c.allowed() }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
