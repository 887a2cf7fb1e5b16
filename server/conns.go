package server

import (
	"sync"
	"sync/atomic"
)

// conns are the open connections of the public listeners.
type conns struct {
	set  sync.Map // of *conn
	open atomic.Int64
}

func (l *conns) add(c *conn) {
	l.set.Store(c, nil)
	l.open.Add(1)
}

func (l *conns) remove(c *conn) {
	l.set.Delete(c)
	l.open.Add(-1)
}

// count is how many there are. What fasthttp says is one too few when its listeners
// are closed.
func (l *conns) count() int { return int(l.open.Load()) }

// closeIdle closes those that wait for a further request. fasthttp's Shutdown does
// that, too, but tells them by the time of day: when the clock has been put back it
// takes an idle connection for a busy one.
func (l *conns) closeIdle() {
	l.set.Range(func(key, _ any) bool {
		if c := key.(*conn); c.idle.Load() {
			_ = c.CloseRead() // an error means that it is closed
		}
		return true
	})
}
