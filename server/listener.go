package server

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// acceptPause is how long a listener rests when the process or the machine is out of
// file descriptors; connections wait in the kernel.
const acceptPause = 100 * time.Millisecond

// A listener goes on where fasthttp would give up, and keeps to the limits.
type listener struct {
	net.Listener
	log      *slog.Logger
	metrics  *metrics
	limits   *limits // nil for none
	conns    *conns
	most     int // connections at once, of all listeners; more wait in the kernel
	timeouts timeouts
}

// reservedFiles is how many descriptors connections leave to all else: what is open
// from the start, some 15, the objects of a generation, one at a time, and those who
// ask the admin address what is the matter.
const reservedFiles = 64

// errReserved stands for the error that the kernel will soon give.
var errReserved = fmt.Errorf("the last %d open files are for the store and the admin address: %w", reservedFiles, syscall.EMFILE)

// mostConns is how many connections the limit of open files allows.
func mostConns() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return max(int(limit.Cur)-reservedFiles, int(limit.Cur)/2)
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	for {
		if l.conns.count() >= l.most {
			l.rest(errReserved)
			continue
		}
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
	both, ok := c.(stream) // as those of all listeners of package net are
	var p *peer
	if ok && l.limits != nil {
		p = l.limits.open(both.RemoteAddr())
		ok = p != nil
	}
	if !ok {
		l.metrics.refusedConns.Add(1)
		c.Close()
		return nil
	}
	own := &conn{stream: both, limits: l.limits, peer: p, conns: l.conns, timeouts: l.timeouts, patience: l.timeouts.read}
	l.conns.add(own)
	return own
}
