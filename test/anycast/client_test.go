package anycast

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A client asks for a page again and again, each time on a new connection, from its own
// namespace.
type client struct {
	stop chan struct{}
	done chan error

	mu       sync.Mutex
	asked    int
	failed   int
	moved    int // of them, those whose connection was reset: see maxMoved
	lastFail time.Time
	why      error
	answered map[string]time.Time // when each edge last did, by its name
}

// pause is between two requests.
const pause = 20 * time.Millisecond

// maxMoved is how many connections may be reset at an event: those that are open in the
// very millisecond in which the router spreads connections anew, once when an edge goes
// and once when it comes back. Half of them are with another edge then, which does not
// know them. No edge can help that; routers with resilient hashing can.
const maxMoved = 2

// newClient starts a client. Its thread is in the namespace until it ends.
func (l *lab) newClient() *client {
	l.t.Helper()
	c := &client{stop: make(chan struct{}), done: make(chan error, 1), answered: make(map[string]time.Time)}
	ns, err := os.Open(filepath.Join("/run/netns", l.ns("client")))
	check(l.t, err)
	ready := make(chan error)
	go func() {
		defer ns.Close()
		runtime.LockOSThread() // and it ends with the goroutine
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			ready <- err
			return
		}
		close(ready)
		c.run()
	}()
	check(l.t, <-ready)
	return c
}

func (c *client) run() {
	defer close(c.done)
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-ticker.C:
			edge, err := ask()
			c.note(edge, err)
		}
	}
}

// ask makes one request. It must not leave its thread: one address is dialled by the
// goroutine that asks for it.
func ask() (edge string, err error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp4", address+":80")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, "GET /edge HTTP/1.1\r\nHost: anycast.test\r\n\r\n"); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", resp.Status)
	}
	return string(body), err
}

func (c *client) note(edge string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if err != nil {
		c.failed, c.lastFail, c.why = c.failed+1, time.Now(), err
		if errors.Is(err, unix.ECONNRESET) {
			c.moved++
		}
		return
	}
	c.answered[edge] = time.Now()
}

// since reports whether an edge answered after that.
func (c *client) since(edge string, t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answered[edge].After(t)
}

// awaitMore waits for n more requests.
func (c *client) awaitMore(t *testing.T, n int) {
	t.Helper()
	count := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.asked
	}
	until := count() + n
	for began := time.Now(); count() < until; time.Sleep(pause) {
		if time.Since(began) > patience {
			t.Fatalf("not within %v: %d more requests", patience, n)
		}
	}
}

// end stops the client.
func (c *client) end() {
	close(c.stop)
	<-c.done
}
