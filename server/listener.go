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
	// long, to let the client see it.
	lingerBytes = 1 << 20
	lingerTime  = time.Second
)

// A listener goes on where fasthttp would give up.
type listener struct {
	net.Listener
	log *slog.Logger
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err == nil {
			return wrap(c), nil
		}
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) && !errors.Is(err, syscall.ECONNABORTED) {
			return nil, err
		}
		l.log.Error("a connection could not be accepted: raise the limit of open files", "addr", l.Addr().String(), "err", err)
		time.Sleep(acceptPause)
	}
}

func wrap(c net.Conn) net.Conn {
	if tcp, ok := c.(*net.TCPConn); ok {
		return &conn{TCPConn: tcp}
	}
	return c
}

// A conn can wait for the client to read its last answer.
type conn struct {
	*net.TCPConn
	linger atomic.Bool
	line   int // octets read since the last line feed
}

// Read reads. When fasthttp finds no end of a request's header in a full buffer,
// line tells whether it is the request line that does not end.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if i := bytes.LastIndexByte(p[:n], '\n'); i >= 0 {
		c.line = n - i - 1
	} else {
		c.line += n
	}
	return n, err
}

// Close closes the connection, after what the client still sends if it lingers.
func (c *conn) Close() error {
	if c.linger.Load() && c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.TCPConn, lingerBytes)
	}
	return c.TCPConn.Close()
}
