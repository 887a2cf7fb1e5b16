package faults

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lancre/build/demo"
)

// An attack is what a hostile client does on one connection, until it is stopped,
// cut off, or done; then it does it again.
type attack struct {
	name string
	do   func(a *attacker, c net.Conn)
}

// An attacker is one of the hostile clients of an attack.
type attacker struct {
	job
	stop chan struct{}
	rand *rand.Rand
}

var attacks = []attack{
	{"slowloris in the header", func(a *attacker, c net.Conn) {
		a.drip(c, "GET / HTTP/1.1\r\nHost: o.demo.test\r\nX-Slow: "+strings.Repeat("x", 10_000))
	}},
	{"slowloris in the body", func(a *attacker, c net.Conn) {
		if a.send(c, "POST / HTTP/1.1\r\nHost: o.demo.test\r\nContent-Length: 10000\r\n\r\n") {
			a.drip(c, strings.Repeat("0", 10_000))
		}
	}},
	{"slow readers of a 10 MB CRL", func(a *attacker, c net.Conn) {
		if a.send(c, "GET /1.crl HTTP/1.1\r\nHost: c.demo.test\r\n\r\n") {
			a.sip(c)
		}
	}},
	{"connection flood", func(*attacker, net.Conn) {}},
	{"pipelining without reading", func(a *attacker, c net.Conn) {
		requests := string(bytes.Repeat(a.Gets[0], 100))
		for a.send(c, requests) {
		}
	}},
	{"pipelining without end", func(a *attacker, c net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }() // to the end of c
		requests := string(bytes.Repeat(a.Gets[0], 100))
		for a.send(c, requests) {
		}
	}},
	{"giant headers", func(a *attacker, c net.Conn) {
		if a.send(c, "GET / HTTP/1.1\r\nHost: o.demo.test\r\n") {
			for a.send(c, "X: "+strings.Repeat("x", 60_000)+"\r\n") {
			}
		}
	}},
	{"giant bodies", func(a *attacker, c net.Conn) {
		if a.send(c, "POST / HTTP/1.1\r\nHost: o.demo.test\r\nTransfer-Encoding: chunked\r\n\r\n") {
			for a.send(c, "ea60\r\n"+strings.Repeat("0", 60_000)+"\r\n") {
			}
		}
	}},
	{"request smuggling", func(a *attacker, c net.Conn) {
		a.send(c, smuggled[a.rand.IntN(len(smuggled))])
		a.read(c)
	}},
	{"mutated requests", func(a *attacker, c net.Conn) {
		request := bytes.Clone(a.Posts[a.rand.IntN(len(a.Posts))])
		for range 1 + a.rand.IntN(4) {
			request[a.rand.IntN(len(request))] ^= byte(1 << a.rand.IntN(8))
		}
		a.send(c, string(request))
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.CloseWrite() // an error means that the server was faster
		}
		a.read(c)
	}},
	// The last, for these connections outlive the attack.
	{"half-open connections", func(a *attacker, c net.Conn) {
		a.send(c, "GET / HTTP/1.1\r\n")
		vanish(c)
	}},
}

// smuggled are requests of which a proxy and a server could disagree where they
// end. The second one, if anybody sees it, asks for a path that is not there.
var smuggled = func() (list []string) {
	const second = "GET /smuggled HTTP/1.1\r\nHost: c.demo.test\r\n\r\n"
	for _, head := range []string{
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
		"Content-Length: 0\r\nContent-Length: 47\r\n\r\n",
		"Content-Length : 0\r\n\r\n",
		"Content-Length: +0\r\n\r\n",
		"Content-Length: 0x0\r\n\r\n",
		"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
		" Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"X: x\n\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n0;x=\n\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n\r\n",
	} {
		list = append(list, "POST / HTTP/1.1\r\nHost: o.demo.test\r\n"+head+second)
	}
	return list
}()

// stopped reports whether the attack is over.
func (a *attacker) stopped() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}

// send writes s and reports whether it could and the attack goes on.
func (a *attacker) send(c net.Conn, s string) bool {
	_, err := io.WriteString(c, s)
	return err == nil && !a.stopped()
}

// A slow client does something this often.
const slowly = 50 * time.Millisecond

// drip sends s octet by octet.
func (a *attacker) drip(c net.Conn, s string) {
	for i := range s {
		if !a.send(c, s[i:i+1]) || a.pause() {
			return
		}
	}
}

// sip reads some octets at a time.
func (a *attacker) sip(c net.Conn) {
	for b := make([]byte, 100); ; {
		if _, err := c.Read(b); err != nil || a.pause() {
			return
		}
	}
}

// pause waits a little and reports whether the attack is over.
func (a *attacker) pause() bool {
	select {
	case <-a.stop:
		return true
	case <-time.After(slowly):
		return false
	}
}

// read reads what the server has to say.
func (a *attacker) read(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(slowly)) // an error means that it is closed
	_, _ = io.Copy(io.Discard, c)
}

// vanish makes the kernel forget a connection without telling the server: its host
// lost power. Where the kernel cannot do that, the connection is closed.
func vanish(c net.Conn) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_TCP, unix.TCP_REPAIR, 1)
	})
}

// TestHostileClients lets hostile clients loose on one lancred, one kind after
// another, while honest ones ask.
func TestHostileClients(t *testing.T) {
	o := newOrigin(t, 50)
	o.publishFile(t, demo.CRLHost, "1.crl", bigCRL(t))
	o.served.Store(o.publish(t))
	d := serve(t, o.store)
	idle, memory := d.goroutines(), d.memory()
	bound := memorySlack + int64(d.metric("process_max_fds", ""))*idleConnection
	for _, kind := range attacks {
		t.Run(kind.name, func(t *testing.T) {
			await(t, "all connections to be closed", func() bool { return d.metric("lancred_connections", "") == 0 })
			l := newLoad(o, d.addr).start()
			connections := assault(t, kind.name, o, d, l)
			r := l.finish(t, kind.name, connections)
			if grown := d.memory() - memory; grown > bound {
				t.Errorf("the process grew by %d octets, want at most %d", grown, bound)
			}
			r.note = fmt.Sprintf("%d MiB of memory", d.memory()>>20)
			record(t, r)
		})
	}
	if n := d.metric("lancred_panics_total", ""); n != 0 {
		t.Errorf("%v panics:\n%s", n, d.dump())
	}
	if n := d.metric("lancred_requests_total", `"no_such_file"`); n != 0 {
		t.Errorf("%v smuggled requests were answered", n)
	}
	if *full { // it takes 10 s until the read of a vanished client ends, and 20 until an idle worker does
		await(t, "the goroutines of the attacks to end", func() bool { return d.goroutines() <= idle+5 })
		d.stop()
	}
}

// idleConnection is more than the octets that a connection takes between requests.
const idleConnection = 24 << 10

// goroutines is how many goroutines the daemon has.
func (d *daemon) goroutines() int {
	d.t.Helper()
	return int(d.metric("go_goroutines", ""))
}

// TestSlowClientsAreCutOff waits for lancred itself to end the connections of slow
// clients, which takes it 10 seconds.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel() // it waits most of the time
	o := newOrigin(t, 2)
	o.publish(t)
	d := serve(t, o.store)
	for name, begin := range map[string]string{
		"header": "GET / HTTP/1.1\r\nX-Slow: ",
		"body":   "POST / HTTP/1.1\r\nHost: o.demo.test\r\nContent-Length: 10000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp4", d.addr)
			check(t, err)
			defer c.Close()
			check(t, c.SetDeadline(time.Now().Add(patience)))
			_, err = io.WriteString(c, begin)
			check(t, err)
			go func() {
				for _, err := io.WriteString(c, "x"); err == nil; _, err = io.WriteString(c, "x") {
					time.Sleep(slowly)
				}
			}()
			if _, err := io.Copy(io.Discard, bufio.NewReader(c)); isTimeout(err) {
				t.Error("the connection of a slow client is kept")
			}
		})
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}
