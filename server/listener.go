package server

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// acceptPause is how long a listener rests when the process or the machine is
	// out of file descriptors; connections wait in the kernel.
	acceptPause = 100 * time.Millisecond

	// A connection that is closed with octets of the client unread is reset, and
	// the reset can overtake the answer. These bound how much is read, and for how
	// long, to let the client see it: 25 times the longest body.
	lingerBytes = 256 << 10
	lingerTime  = time.Second
)

// A listener goes on where fasthttp would give up, and keeps to the limits.
type listener struct {
	net.Listener
	log     *slog.Logger
	metrics *metrics
	limits  *limits // nil for none
	conns   *conns
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			if !passes(err) {
				return nil, err
			}
			l.rest(err)
		} else if c := l.admit(c); c != nil {
			return c, nil
		}
	}
}

// passes reports whether err is of one connection, or of a shortage that ends.
func passes(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (l *listener) rest(err error) {
	if n := l.metrics.acceptErrors.Add(1); sampled(n) {
		l.log.Error("a connection could not be accepted: raise the limit of open files, or set --max-conns below it",
			"addr", l.Addr().String(), "count", n, "err", err)
	}
	time.Sleep(acceptPause)
}

// admit returns c as the server has it, or nil if it is one too many.
func (l *listener) admit(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	var p *peer
	if l.limits != nil {
		if p = l.limits.open(tcp.RemoteAddr()); p == nil {
			l.metrics.refusedConns.Add(1)
			tcp.Close()
			return nil
		}
	}
	own := &conn{TCPConn: tcp, limits: l.limits, peer: p, conns: l.conns}
	l.conns.add(own)
	return own
}

// A conn can wait for the client to read its last answer.
type conn struct {
	*net.TCPConn
	limits *limits // nil for none
	peer   *peer   // whose the connection is, if there are limits
	conns  *conns
	closed atomic.Bool
	linger atomic.Bool
	idle   atomic.Bool // between two requests

	asked   bool // an octet was read
	line    int  // octets read since the last line feed
	answers int  // since the last read

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
	if err := c.reading.apply(c.TCPConn.SetReadDeadline); err != nil {
		return 0, err
	}
	n, err := c.TCPConn.Read(p)
	if c.asked = c.asked || n > 0; !c.asked && err != nil {
		return 0, io.EOF
	}
	c.answers = 0
	if i := bytes.LastIndexByte(p[:n], '\n'); i >= 0 {
		c.line = n - i - 1
	} else {
		c.line += n
	}
	return n, err
}

// Write writes.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.writing.apply(c.TCPConn.SetWriteDeadline); err != nil {
		return 0, err
	}
	return c.TCPConn.Write(p)
}

// Close closes the connection, after what the client still sends if it lingers.
func (c *conn) Close() error {
	if !c.closed.Swap(true) {
		defer c.release()
	}
	if c.linger.Load() && c.CloseWrite() == nil && c.TCPConn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.TCPConn, lingerBytes)
	}
	return c.TCPConn.Close()
}

// release gives back what the connection held.
func (c *conn) release() {
	c.conns.remove(c)
	if c.limits != nil {
		c.limits.close(c.peer)
	}
}
