package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// Tests shorten what clients are promised.
func TestUsualTimeouts(t *testing.T) {
	want := timeouts{read: 10 * time.Second, write: 10 * time.Second, idle: 75 * time.Second}
	if e := newEdge(t, files()); e.timeouts != want {
		t.Errorf("clients have %+v, want %+v", e.timeouts, want)
	}
}

// A connection without requests is closed after the idle time, here a short one.
func TestIdleConnectionIsClosed(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	e.timeouts.idle = 500 * time.Millisecond
	e.serve(t)
	c, _ := e.dial(t)
	write(t, c, "GET / HTTP/1.1\r\nHost: o.example\r\n\r\n")
	// One answer, and then the end of the connection: ReadAll returns at that.
	if got, err := io.ReadAll(c); err != nil || len(got) == 0 {
		t.Errorf("read %q, %v; want one answer and the end", got, err)
	}
}

// A connection on which nothing was asked is closed without a word, one with the
// beginning of a request, if only of its body, is told.
func TestUnusedConnectionIsClosed(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	e.timeouts.read = 500 * time.Millisecond
	ln := e.listen(t, "tcp", "127.0.0.1:0")
	conns := make(map[string]net.Conn)
	const body = "POST / HTTP/1.1\r\nHost: o.example\r\nContent-Length: 5\r\n\r\nab"
	for _, sent := range []string{"", "GET", body} { // before the time begins to run
		conns[sent], _ = e.dial(t)
		write(t, conns[sent], sent)
	}
	e.accept(t, ln)
	for sent, want := range map[string]string{"": "", "GET": "HTTP/1.1 408", body: "HTTP/1.1 408"} {
		c := conns[sent]
		if got, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(got), want) || want == "" && len(got) > 0 {
			t.Errorf("after %q: read %q, %v; want %q", sent, got, err, want)
		}
	}
}

// What is answered without the handler has its own time to be written, however long
// ago the answer before was.
func TestLateErrorsAreAnswered(t *testing.T) {
	const begin = "GET / HTTP/1.1\r\nHost: o.example\r\n"
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	e.timeouts.write = time.Second
	e.serve(t)
	type late struct {
		request, want string
		conn          net.Conn
		answers       *bufio.Reader
	}
	list := []late{
		{request: begin + "no colon\r\n\r\n", want: "HTTP/1.1 400"},
		{request: "POST / HTTP/1.1\r\nHost: o.example\r\nContent-Length: 99999\r\n\r\n", want: "HTTP/1.1 413"},
		{request: "POST / HTTP/1.1\r\nHost: o.example\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", want: "HTTP/1.1 100"},
	}
	for i := range list {
		l := &list[i]
		l.conn, l.answers = e.dial(t)
		write(t, l.conn, begin+"\r\n")
		if _, err := http.ReadResponse(l.answers, nil); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(e.timeouts.write) // for the deadlines to pass
	for _, l := range list {
		write(t, l.conn, l.request)
		if got, _ := l.answers.ReadString('\r'); !strings.HasPrefix(got, l.want) {
			t.Errorf("%q is answered %q, want %s", l.request, got, l.want)
		}
	}
}

// Shutdown ends connections that wait for a further request without a look at the
// time of day, by which fasthttp does it, and those under way are left alone.
func TestIdleConnectionsAreEnded(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	e.timeouts.idle = time.Hour
	e.serve(t)
	idle, answers := e.dial(t)
	busy, _ := e.dial(t)
	const request = "GET / HTTP/1.1\r\nHost: o.example\r\n"
	write(t, idle, request+"\r\n")
	if _, err := http.ReadResponse(answers, nil); err != nil {
		t.Fatal(err)
	}
	write(t, busy, request)
	for e.idle() == 0 {
		time.Sleep(time.Millisecond)
	}
	e.conns.closeIdle()
	if _, err := io.Copy(io.Discard, idle); err != nil {
		t.Errorf("the idle connection ends with %v", err)
	}
	write(t, busy, "Connection: close\r\n\r\n")
	if got, err := io.ReadAll(busy); err != nil || len(got) == 0 {
		t.Errorf("the request under way is answered %q, %v", got, err)
	}
	for e.conns.count() > 0 { // go test ends it if they are kept
		time.Sleep(time.Millisecond)
	}
}

// Between requests that came at once others have their turn.
func TestPipeliningIsFair(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ran atomic.Bool
	go ran.Store(true)
	c := new(conn)
	for range 10 { // Go promises nothing of a single one
		noteState(c, fasthttp.StateIdle)
	}
	if !ran.Load() {
		t.Error("nobody else ran between ten requests")
	}
}

// idle is how many connections wait for a further request.
func (e *edge) idle() (n int) {
	e.conns.set.Range(func(c, _ any) bool {
		if c.(*conn).idle.Load() {
			n++
		}
		return true
	})
	return n
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

// What a download may take grows by a second for every 32 KiB.
func TestDownloadsHaveTime(t *testing.T) {
	for size, want := range map[int]time.Duration{
		0:        10 * time.Second,
		32 << 10: 11 * time.Second,
		10 << 20: 330 * time.Second,
	} {
		if got := timeFor(size); got != want {
			t.Errorf("%d octets: %v, want %v", size, got, want)
		}
	}
}
