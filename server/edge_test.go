package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/index/store"
	"lancre/internal/ocsptest"
	"lancre/internal/storetest"
)

// start is the thisUpdate of what the tests sign: an hour ago, for CreateResponse
// takes producedAt from the clock.
var start = time.Now().Truncate(time.Hour).UTC()

// life is how long what the tests sign is valid.
const life = 7 * 24 * time.Hour

var testCA = ocsptest.NewCA("Test CA", nil)

// respond signs a response; serial is hexadecimal.
func respond(serial string, hash crypto.Hash, status int, thisUpdate time.Time) []byte {
	r := ocsp.Response{
		Status: status, SerialNumber: number(serial), IssuerHash: hash,
		ThisUpdate: thisUpdate, NextUpdate: thisUpdate.Add(life),
	}
	if status == ocsp.Revoked {
		r.RevokedAt, r.RevocationReason = thisUpdate, ocsp.KeyCompromise
	}
	return testCA.Sign(r)
}

func number(hex string) *big.Int {
	n, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		panic(hex)
	}
	return n
}

// ask is the DER OCSPRequest for a serial of testCA.
func ask(serial string, hash crypto.Hash) []byte { return testCA.Request(number(serial), hash) }

// target is the GET target of der as most clients spell it.
func target(der []byte) string {
	return "/" + strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(base64.StdEncoding.EncodeToString(der))
}

// content is what one generation of a test's store holds.
type content struct {
	segments [][]entry
	files    []storetest.File
}

type entry = storetest.Entry

func good(serials ...string) (segment []entry) {
	for _, serial := range serials {
		segment = append(segment, entry{DER: respond(serial, crypto.SHA1, ocsp.Good, start)})
	}
	return segment
}

// publish makes c the next generation of the store dir.
func publish(t testing.TB, dir string, c content) *store.Manifest {
	t.Helper()
	return storetest.Publish(t, dir, start, c.segments, c.files)
}

// An edge is a Server over a store of its own, with a clock that stands.
type edge struct {
	*Server
	dir  string
	addr string       // of the public listener, once serve was called
	time atomic.Int64 // Unix seconds
	log  *logBuffer
}

// logBuffer is a log that a test can read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newEdge makes an edge over one generation with c, one hour after start.
func newEdge(t testing.TB, c content, amend ...func(*Config)) *edge {
	t.Helper()
	dir := t.TempDir()
	publish(t, dir, c)
	return newEdgeOver(t, dir, amend...)
}

func newEdgeOver(t testing.TB, dir string, amend ...func(*Config)) *edge {
	t.Helper()
	e := &edge{dir: dir, log: new(logBuffer)}
	e.time.Store(start.Add(time.Hour).Unix())
	cfg := DefaultConfig()
	cfg.Store, cfg.Drain = dir, 0
	cfg.Log = slog.New(slog.NewTextHandler(e.log, nil))
	cfg.Now = func() time.Time { return time.Unix(e.time.Load(), 0) }
	for _, f := range amend {
		f(&cfg)
	}
	var err error
	if e.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return e
}

// serve begins to serve on a port of the kernel's choice, until the test ends.
func (e *edge) serve(t testing.TB) *edge {
	t.Helper()
	return e.serveOn(t, "tcp", "127.0.0.1:0")
}

// serveOn is serve on a socket of another kind.
func (e *edge) serveOn(t testing.TB, network, address string) *edge {
	t.Helper()
	return e.accept(t, e.listen(t, network, address))
}

// listen opens the socket that e is to serve on. Connections wait until accept.
func (e *edge) listen(t testing.TB, network, address string) net.Listener {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	e.addr = ln.Addr().String()
	return ln
}

// accept begins to serve on ln, until the test ends.
func (e *edge) accept(t testing.TB, ln net.Listener) *edge {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- e.Serve([]net.Listener{ln}, nil) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // at once
		e.Shutdown(ctx)
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return e
}

// An answer is what came back for one raw request.
type answer struct {
	*http.Response
	body []byte
}

// patience bounds every wait for an event: far beyond what a loaded machine needs,
// and below the ten minutes after which go test kills the package.
const patience = time.Minute

// dial connects to e until the test ends. A connection that hangs fails the test
// rather than the package.
func (e *edge) dial(t testing.TB) (net.Conn, *bufio.Reader) {
	t.Helper()
	network := "tcp"
	if filepath.IsAbs(e.addr) {
		network = "unix"
	}
	c, err := net.Dial(network, e.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c, bufio.NewReader(c)
}

// read reads the answer to a request of that method.
func read(t testing.TB, r *bufio.Reader, method string) answer {
	t.Helper()
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, body}
}

// send sends raw on a connection of its own and reads one answer. It reports
// whether the server then closed the connection.
func (e *edge) send(t testing.TB, raw string) (a answer, closed bool) {
	t.Helper()
	c, r := e.dial(t)
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(raw, " ")
	a = read(t, r, method)
	if a.Close {
		if n, err := io.Copy(io.Discard, r); n != 0 || err != nil {
			t.Fatalf("after Connection: close came %d octets and %v, want the end", n, err)
		}
	}
	return a, a.Close
}

func (e *edge) get(t testing.TB, target string, headers ...string) answer {
	t.Helper()
	a, _ := e.send(t, "GET "+target+" HTTP/1.1\r\nHost: o.example\r\n"+lines(headers)+"\r\n")
	return a
}

func (e *edge) post(t testing.TB, body []byte, headers ...string) answer {
	t.Helper()
	a, _ := e.send(t, postRequest("/", body, headers...))
	return a
}

func postRequest(path string, body []byte, headers ...string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: o.example\r\nContent-Length: " +
		big.NewInt(int64(len(body))).String() + "\r\n" + lines(headers) + "\r\n" + string(body)
}

func lines(headers []string) string {
	if len(headers) == 0 {
		return ""
	}
	return strings.Join(headers, "\r\n") + "\r\n"
}

// isServed wants a to be the stored response.
func (a answer) isServed(t testing.TB, der []byte) {
	t.Helper()
	if a.StatusCode != 200 || !bytes.Equal(a.body, der) {
		t.Errorf("status %d and body %x, want 200 and the stored %x", a.StatusCode, a.body, der)
	}
}

// is wants a to be an answer without stored content.
func (a answer) is(t testing.TB, status int, body []byte) {
	t.Helper()
	if a.StatusCode != status || !bytes.Equal(a.body, body) {
		t.Errorf("status %d and body %x, want %d and %x", a.StatusCode, a.body, status, body)
	}
}
