package server

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// A connection that is closed with octets of the client unread is reset, and
	// the reset can overtake the answer. These bound how much is read, and for how
	// long, to let the client see it: 25 times the longest body.
	lingerBytes = 256 << 10
	lingerTime  = time.Second
)

// A stream can end in one direction: a TCP connection, or one over the Unix socket
// that a service manager may pass.
type stream interface {
	net.Conn
	CloseRead() error
	CloseWrite() error
}

// A conn keeps to its timeouts and to the limits, and can wait for the client to
// read its last answer.
type conn struct {
	stream
	limits   *limits // nil for none
	peer     *peer   // whose the connection is, if there are limits
	conns    *conns
	timeouts timeouts
	closed   atomic.Bool
	linger   atomic.Bool
	idle     atomic.Bool // between two requests

	tail    [256]byte // the end of what was read last, a copy: fasthttp unfolds lines in place
	kept    int       // octets of tail
	asked   bool      // an octet was read
	line    int       // octets read since the last line feed
	answers int       // since the last read

	patience         time.Duration // from the next Read on, if readBy is zero
	readBy, writeBy  time.Time     // zero where nobody said
	reading, writing deadline
}

// allowed counts a request and reports whether it keeps to the limits.
func (c *conn) allowed() bool { return c.limits == nil || c.limits.allow(c.peer, c.limits.now()) }

// Read reads. When fasthttp finds no end of a request's header in a full buffer,
// line tells whether it is the request line that does not end.
//
// Until a first octet comes, every error is an end: a connection that was opened in
// reserve would take an answer that says why it is closed for one to the request
// that it is about to send.
func (c *conn) Read(p []byte) (int, error) {
	if c.readBy.IsZero() {
		c.readBy = after(c.patience)
	}
	if err := c.reading.apply(c.readBy, c.stream.SetReadDeadline); err != nil {
		return 0, err
	}
	n, err := c.stream.Read(p)
	if c.asked = c.asked || n > 0; !c.asked && err != nil {
		return 0, io.EOF
	}
	c.answers, c.kept = 0, copy(c.tail[:], p[max(0, n-len(c.tail)):n])
	if i := bytes.LastIndexByte(p[:n], '\n'); i >= 0 {
		c.line = n - i - 1
	} else {
		c.line += n
	}
	return n, err
}

// Write writes.
func (c *conn) Write(p []byte) (int, error) {
	by := c.writeBy
	if by.IsZero() {
		by = after(c.timeouts.write)
	}
	if err := c.writing.apply(by, c.stream.SetWriteDeadline); err != nil {
		return 0, err
	}
	return c.stream.Write(p)
}

// Close closes the connection, after what the client still sends if it lingers.
func (c *conn) Close() error {
	if !c.closed.Swap(true) {
		defer c.release()
	}
	if c.linger.Load() && c.CloseWrite() == nil && c.stream.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.stream, lingerBytes)
	}
	return c.stream.Close()
}

// release gives back what the connection held.
func (c *conn) release() {
	c.conns.remove(c)
	if c.limits != nil {
		c.limits.close(c.peer)
	}
}

// noteState says how long the next Read may take, and is fair: it is fasthttp's
// ConnState. A goroutine has the processor until it waits for its client, or for 10 ms.
// One with a buffer full of requests waits for nobody, and a crowd of such would let
// others wait for seconds.
func noteState(c net.Conn, state fasthttp.ConnState) {
	own, ok := c.(*conn)
	if !ok {
		return
	}
	own.idle.Store(state == fasthttp.StateIdle)
	switch state {
	case fasthttp.StateActive:
		own.readBy, own.patience = time.Time{}, own.timeouts.read
	case fasthttp.StateIdle:
		own.readBy, own.patience = time.Time{}, own.timeouts.idle
		if own.answers++; own.answers > 1 {
			runtime.Gosched()
		}
	}
}
