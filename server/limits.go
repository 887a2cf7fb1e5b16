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
}

// A peer is the clients behind one address: an IPv4 address or an IPv6 /64, which
// is what one subscriber gets (RFC 6177 section 2).
type peer struct {
	conns int // guarded by limits.mu

	// paid is the time, in nanoseconds since limits.began, up to which the
	// requests so far are paid for. It runs ahead of the clock by at most burst.
	paid atomic.Int64
}

// burst is how far, in nanoseconds, a peer's requests may run ahead of its rate:
// those of one second may come at once.
const burst = int64(time.Second)

// sparePeers is how many peers are remembered without a connection before those
// whose requests are paid for are forgotten: some 100 KB.
const sparePeers = 1024

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
		l.forget()
		p = new(peer)
		l.peers[key] = p
	}
	if l.maxConnsPerPeer > 0 && p.conns >= l.maxConnsPerPeer {
		return nil
	}
	l.conns++
	p.conns++
	return p
}

// forget makes room when most peers have left.
func (l *limits) forget() {
	if len(l.peers) < 2*l.conns+sparePeers {
		return
	}
	now := l.now()
	for key, p := range l.peers {
		if p.conns == 0 && p.paid.Load() <= now {
			delete(l.peers, key)
		}
	}
}

func (l *limits) close(p *peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns--
	p.conns--
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
