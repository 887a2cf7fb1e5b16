package server

import (
	"bufio"
	"context"
	"crypto"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// While the server drains, clients that heed Connection: close lose no request.
func TestDrainUnderLoad(t *testing.T) {
	const clients = 8
	e := newEdge(t, content{segments: [][]entry{good("05")}}, func(c *Config) { c.Drain = time.Hour }).serve(t)
	var wg sync.WaitGroup
	var answered atomic.Int64
	for range clients {
		wg.Go(func() { answered.Add(askUntilClosed(t, e)) })
	}
	for answered.Load() == 0 && e.metrics.requests[2][served].sum() < clients {
		time.Sleep(time.Millisecond) // until all are under way
	}
	ctx, cancel := context.WithCancel(t.Context())
	down := make(chan error)
	go func() { down <- e.Shutdown(ctx) }()
	wg.Wait()
	for e.conns.count() > 0 {
		time.Sleep(time.Millisecond)
	}
	cancel() // the hour is over
	<-down
	if answered.Load() < clients {
		t.Errorf("%d answers, want one for each of %d clients at least", answered.Load(), clients)
	}
	if _, err := net.Dial("tcp", e.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Shutdown dialling ends with %v, want a refusal", err)
	}
}

// askUntilClosed asks on one connection until it is told that it was the last
// answer, and returns how many there were.
func askUntilClosed(t *testing.T, e *edge) (answers int64) {
	c, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close()
	r := bufio.NewReader(c)
	request := postRequest("/", ask("05", crypto.SHA1))
	for {
		if _, err := io.WriteString(c, request); err != nil {
			t.Errorf("after %d answers: %v", answers, err)
			return answers
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Errorf("after %d answers: %v", answers, err)
			return answers
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
			t.Errorf("after %d answers: status %d, %v", answers, resp.StatusCode, err)
			return answers
		}
		if answers++; resp.Close {
			return answers
		}
	}
}

// The phases of Shutdown: not ready but as usual, then closing.
func TestShutdownPhases(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}, func(c *Config) { c.DrainWait, c.Drain = time.Hour, time.Hour }).serve(t)
	request := postRequest("/", ask("05", crypto.SHA1))
	if why := e.notReady(); why != "" {
		t.Fatalf("not ready: %s", why)
	}
	ctx, cancel := context.WithCancel(t.Context())
	down := make(chan error)
	go func() { down <- e.Shutdown(ctx) }()
	for !e.stopping.Load() {
		time.Sleep(time.Millisecond)
	}
	if why := e.notReady(); why != "stopping" {
		t.Errorf("while stopping ready says %q", why)
	}
	if _, closed := e.send(t, request); closed {
		t.Error("before the drain an answer closes the connection")
	}
	cancel() // the second signal
	<-down
	if !e.closing.Load() {
		t.Error("stopped without draining")
	}
}

// A listener must outlive a shortage of file descriptors.
func TestAcceptGoesOn(t *testing.T) {
	e := newEdge(t, content{})
	inner := &scarceListener{errs: []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, net.ErrClosed}}
	l := &listener{Listener: inner, log: e.Server.log, metrics: new(metrics), conns: &e.Server.conns, most: 1}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) || len(inner.errs) != 0 {
		t.Errorf("Accept ended with %v, and %d errors left", err, len(inner.errs))
	}
}

// The last descriptors are not for connections.
func TestFilesAreReserved(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if got := mostConns(); limit.Cur < math.MaxInt32 && (got >= int(limit.Cur) || got < int(limit.Cur)/2) {
		t.Errorf("%d connections of %d open files", got, limit.Cur)
	}
	e := newEdge(t, content{})
	inner := &scarceListener{errs: []error{net.ErrClosed}}
	open, m := new(conn), new(metrics)
	e.conns.add(open)
	l := &listener{Listener: inner, log: e.Server.log, metrics: m, conns: &e.Server.conns, most: 1}
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	await(t, e, func() bool {
		return strings.Contains(e.log.String(), "the last 64 open files are for the store and the admin address")
	})
	if m.acceptErrors.Load() == 0 {
		t.Error("no error was counted")
	}
	e.conns.remove(open)
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept ended with %v", err)
	}
}

type scarceListener struct{ errs []error }

func (l *scarceListener) Accept() (net.Conn, error) {
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, &net.OpError{Op: "accept", Err: err}
}
func (l *scarceListener) Close() error   { return nil }
func (l *scarceListener) Addr() net.Addr { return &net.TCPAddr{} }
