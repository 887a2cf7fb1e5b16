package bench

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"testing"
	"time"

	"lancre/bench/proc"
	"lancre/server"
)

// BenchmarkConnection is all that lancred does for a request on an open connection, but
// for system calls: reading HTTP, answering, deadlines, writing.
func BenchmarkConnection(b *testing.B) {
	ids := unsigned().sample(sampled)
	get, post := make([][]byte, len(ids)), make([][]byte, len(ids))
	for i := range ids {
		der := ids[i].Request(nil)
		get[i] = fmt.Appendf(nil, "GET /%s HTTP/1.1\r\nHost: o.demo.test\r\n\r\n", url.PathEscape(base64.StdEncoding.EncodeToString(der)))
		post[i] = fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: o.demo.test\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n%s", len(der), der)
	}
	b.Run("get", func(b *testing.B) { converse(b, get) })
	b.Run("post", func(b *testing.B) { converse(b, post) })
}

// converse sends b.N requests, one after another.
func converse(b *testing.B, requests [][]byte) {
	cfg := server.DefaultConfig()
	cfg.Store = unsigned().store
	cfg.DrainWait, cfg.Drain = 0, 0
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := server.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	c := &conversation{requests: requests, left: b.N, over: make(chan struct{})}
	ln := &oneConn{conns: make(chan net.Conn, 1)}
	b.ReportAllocs()
	before := proc.Own()
	b.ResetTimer()
	go s.Serve([]net.Listener{ln}, nil)
	ln.conns <- c
	<-c.over
	b.StopTimer()
	b.ReportMetric(float64(proc.Own()-before)/float64(b.N), "cpu-ns/op") // which others on the machine change less than the time
	if err := s.Shutdown(b.Context()); err != nil {
		b.Fatal(err)
	}
	if c.answers < b.N {
		b.Fatalf("%d answers to %d requests", c.answers, b.N)
	}
}

// A conversation is a connection on which requests are there at once and answers go
// nowhere.
type conversation struct {
	net.TCPConn   // for what is not used
	requests      [][]byte
	left, answers int
	over          chan struct{}
}

func (c *conversation) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	c.left--
	return copy(p, c.requests[c.left%len(c.requests)]), nil
}

func (c *conversation) Write(p []byte) (int, error) {
	c.answers++
	return len(p), nil
}

func (c *conversation) Close() error {
	close(c.over)
	return nil
}

func (c *conversation) SetReadDeadline(time.Time) error  { return nil }
func (c *conversation) SetWriteDeadline(time.Time) error { return nil }
func (c *conversation) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *conversation) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// A oneConn is a listener to which conns come.
type oneConn struct{ conns chan net.Conn }

func (l *oneConn) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (l *oneConn) Close() error {
	close(l.conns)
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
