package server

import (
	"net"
	"sync"

	"github.com/valyala/fasthttp"
)

// conns are the open connections of the public listeners.
type conns struct{ set sync.Map } // of *conn

func (l *conns) add(c *conn)    { l.set.Store(c, nil) }
func (l *conns) remove(c *conn) { l.set.Delete(c) }

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

// noteState keeps conn.idle. It is fasthttp's ConnState.
func noteState(c net.Conn, state fasthttp.ConnState) {
	if c, ok := c.(*conn); ok {
		c.idle.Store(state == fasthttp.StateIdle)
	}
}
