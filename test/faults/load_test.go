package faults

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// tryLater is the OCSPResponse of that status (RFC 6960 section 4.2.1).
var tryLater = []byte{0x30, 0x03, 0x0a, 0x01, 0x03}

// A load is honest clients that ask all the time, some on one connection as long
// as the server keeps it, some on a new one for each request. They try nothing
// twice.
type load struct {
	o    *origin
	addr string

	// mayBe says of a status other than 200 whether it is an answer here.
	mayBe func(status int, body []byte) bool

	// also, if set, says what else is wrong with an answer to what was asked then;
	// empty if nothing is.
	also func(asked time.Time, resp *http.Response) string

	// keepOnly makes all clients keep their connections.
	keepOnly bool

	// cuts counts the beginnings and ends of kills. A request may fail on a
	// connection older than the last of them, or opened during a kill.
	cuts atomic.Uint64

	asked, failed, wrong, cut atomic.Uint64

	stop    chan struct{}
	clients sync.WaitGroup
	mu      sync.Mutex
	times   []time.Duration
	first   string // what was wrong first
}

// A client is one of a load's.
type client struct {
	*load
	keep bool
	from net.Addr // one for each client, for the ports of one address run out
	conn net.Conn
	in   *bufio.Reader
	cuts uint64 // load.cuts when conn was opened
	rand *rand.Rand
	took []time.Duration
}

// newLoad is a load that is not started yet.
func newLoad(o *origin, addr string) *load {
	return &load{o: o, addr: addr, stop: make(chan struct{}), mayBe: func(int, []byte) bool { return false }}
}

// start starts the clients, as many of one kind as of the other.
func (l *load) start() *load {
	n := size(3, 8)
	for i := range 2 * n {
		c := &client{load: l, keep: l.keepOnly || i < n, from: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i+1))}, rand: rand.New(rand.NewPCG(uint64(i), 0))}
		l.clients.Go(c.run)
	}
	return l
}

// finish ends the load and makes a row of it.
func (l *load) finish(t *testing.T, fault string, times int) row {
	t.Helper()
	close(l.stop)
	l.clients.Wait()
	if l.first != "" {
		t.Logf("the first bad answer: %s", l.first)
	}
	if l.asked.Load() == 0 {
		t.Error("nothing was asked")
	}
	slices.Sort(l.times)
	r := row{fault: fault, times: times, asked: l.asked.Load(), failed: l.failed.Load(), wrong: l.wrong.Load()}
	if n := len(l.times); n > 0 {
		r.p99 = l.times[n*99/100].Round(100 * time.Microsecond)
	}
	return r
}

// awaitRequests waits until n more have been answered, one way or another.
func (l *load) awaitRequests(t *testing.T, n uint64) {
	t.Helper()
	until := l.asked.Load() + n
	for began := time.Now(); l.asked.Load() < until; time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("not within %v: %d more answers", patience, n)
		}
	}
}

func (c *client) run() {
	for {
		select {
		case <-c.stop:
			c.close()
			c.mu.Lock()
			c.times = append(c.times, c.took...)
			c.mu.Unlock()
			return
		default:
			c.ask(c.rand.IntN(len(c.o.questions)))
		}
	}
}

// ask asks one question and judges the answer.
func (c *client) ask(q int) {
	from, began := c.o.served.Load(), time.Now()
	resp, body, err := c.exchange(c.o.questions[q])
	c.asked.Add(1)
	switch {
	case err != nil && (c.load.cuts.Load() != c.cuts || c.cuts%2 == 1):
		c.cut.Add(1)
	case err != nil:
		c.fault(&c.failed, err.Error())
	default:
		c.judge(q, from, began, resp, body)
	}
	if err != nil || !c.keep {
		c.close()
	}
	c.took = append(c.took, time.Since(began))
}

// judge counts an answer that is wrong, or none that the contract has.
func (c *client) judge(q int, from uint64, asked time.Time, resp *http.Response, body []byte) {
	counter, complaint := &c.failed, ""
	if resp.StatusCode == http.StatusOK {
		counter, complaint = &c.wrong, c.o.judge(q, body, from)
	} else if !c.mayBe(resp.StatusCode, body) {
		complaint = fmt.Sprintf("status %d", resp.StatusCode)
	}
	if complaint == "" && c.also != nil {
		complaint = c.also(asked, resp)
	}
	if complaint != "" {
		c.fault(counter, fmt.Sprintf("%s: %x", complaint, body))
	}
}

func (c *client) fault(counter *atomic.Uint64, what string) {
	counter.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == "" {
		c.first = what
	}
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// exchange sends q, by GET or POST, and reads the answer.
func (c *client) exchange(q question) (resp *http.Response, body []byte, err error) {
	if c.conn == nil {
		c.cuts = c.load.cuts.Load()
		dialer := net.Dialer{LocalAddr: c.from, Timeout: patience}
		if c.conn, err = dialer.Dial("tcp4", c.addr); err != nil {
			return nil, nil, err
		}
		c.in = bufio.NewReader(c.conn)
	}
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, nil, err
	}
	return roundTrip(c.conn, c.in, c.message(q), func() { c.close() })
}

func (c *client) message(q question) []byte {
	head, body := q.get, []byte(nil)
	if c.rand.IntN(2) == 0 {
		head, body = q.post, q.body
	}
	end := "\r\n"
	if !c.keep {
		end = "Connection: close\r\n\r\n"
	}
	return slices.Concat(head, []byte(end), body)
}

// roundTrip sends a request and reads the answer. closed is called if that says
// that the server closes the connection.
func roundTrip(out io.Writer, in *bufio.Reader, request []byte, closed func()) (resp *http.Response, body []byte, err error) {
	if _, err := out.Write(request); err != nil {
		return nil, nil, err
	}
	resp, err = http.ReadResponse(in, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the answer: %w", err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	if resp.Close {
		closed()
	}
	return resp, body, err
}

// askOnce asks a question on a connection of its own and wants an answer of any
// kind.
func askOnce(t *testing.T, addr string, q question) (status int, body []byte) {
	t.Helper()
	conn, err := net.Dial("tcp4", addr)
	check(t, err)
	defer conn.Close()
	check(t, conn.SetDeadline(time.Now().Add(patience)))
	request := slices.Concat(q.get, []byte("Connection: close\r\n\r\n"))
	resp, body, err := roundTrip(conn, bufio.NewReader(conn), request, func() {})
	check(t, err)
	return resp.StatusCode, body
}

// isTryLater is a load's mayBe while responses cannot be read or are out of date.
func isTryLater(status int, body []byte) bool {
	return status == http.StatusServiceUnavailable && bytes.Equal(body, tryLater)
}

// contains reports whether an attribute of a log line contains text.
func (l logLine) contains(key, text string) bool {
	return strings.Contains(fmt.Sprint(l[key]), text)
}
