package server

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// limits bounds what clients take: connections in all, connections of one peer,
// requests of one peer. Its lock is taken when a connection opens and closes;
// a request costs an atomic operation on its peer.
type limits struct {
	maxConns, maxConnsPerPeer int   // 0: no bound
	interval                  int64 // nanoseconds a request costs its peer; 0: nothing
	began                     time.Time

	mu    sync.Mutex
	conns int
	peers map[netip.Prefix]*peer
	left  []departure // of peers without a connection, in the order of time
}

// A peer is the clients behind one address: an IPv4 address or an IPv6 /64, which
// is what one subscriber gets (RFC 6177 section 2).
type peer struct {
	key   netip.Prefix
	conns int // guarded by limits.mu

	// paid is the time, in nanoseconds since limits.began, up to which the
	// requests so far are paid for. It runs ahead of the clock by at most burst.
	paid atomic.Int64
}

// burst is how far, in nanoseconds, a peer's requests may run ahead of its rate:
// those of one second may come at once.
const burst = int64(time.Second)

// A departure is a peer whose last connection closed. After burst all its requests are
// paid for, and it can be forgotten, unless it came again.
type departure struct {
	peer *peer
	at   int64 // nanoseconds since limits.began
}

// newLimits returns nil if the operator set none.
func newLimits(c *Config) *limits {
	if c.MaxConns == 0 && c.MaxConnsPerPeer == 0 && c.MaxRate == 0 {
		return nil
	}
	l := &limits{maxConns: c.MaxConns, maxConnsPerPeer: c.MaxConnsPerPeer, began: time.Now(), peers: make(map[netip.Prefix]*peer)}
	if c.MaxRate > 0 {
		l.interval = int64(time.Second) / int64(c.MaxRate)
	}
	return l
}

// open counts a connection from addr and returns its peer, or nil if there are too
// many. The clock of limits is monotonic: steps of the other do not touch it.
func (l *limits) open(addr net.Addr) *peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.maxConns > 0 && l.conns >= l.maxConns {
		return nil
	}
	key := prefix(addr)
	p := l.peers[key]
	if p == nil {
		p = &peer{key: key}
		l.peers[key] = p
	}
	if l.maxConnsPerPeer > 0 && p.conns >= l.maxConnsPerPeer {
		return nil
	}
	l.conns++
	p.conns++
	return p
}

func (l *limits) close(p *peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns--
	p.conns--
	now := l.now()
	if p.conns == 0 {
		l.left = append(l.left, departure{p, now})
	}
	l.forget(now)
}

// forget forgets peers that left long enough ago: two at most, which is faster than
// one can come, so that it costs the same whatever their number.
func (l *limits) forget(now int64) {
	for range 2 {
		if len(l.left) == 0 || now-l.left[0].at < burst {
			return
		}
		p := l.left[0].peer
		l.left = l.left[1:]
		if p.conns == 0 && p.paid.Load() <= now && l.peers[p.key] == p { // else it came again
			delete(l.peers, p.key)
		}
	}
}

func (l *limits) now() int64 { return int64(time.Since(l.began)) }

// allow counts a request of p at now and reports whether it keeps to the rate.
func (l *limits) allow(p *peer, now int64) bool {
	for l.interval > 0 {
		paid := p.paid.Load()
		next := max(paid, now) + l.interval
		if next > now+burst {
			return false
		}
		if p.paid.CompareAndSwap(paid, next) {
			return true
		}
	}
	return true
}

// prefix is the peer that addr belongs to.
func prefix(addr net.Addr) netip.Prefix {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{} // a Unix socket's clients are one peer
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.Prefix(bits) // an error, for no address, leaves the zero Prefix
	return p
}
