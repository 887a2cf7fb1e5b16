package faults

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lancre/internal/programs"
)

// activator becomes lancred when the first connection comes. It leaves it little of
// the environment.
const activator = "systemd-socket-activate -E NOTIFY_SOCKET"

// TestRestartActivated stops lancred under load, and each time the next connection
// starts it again: systemd-socket-activate waits for that on the socket that the
// test holds. It starts a program and does not start it again, so who holds the
// socket must be somebody else; otherwise that is systemd, which cannot run here.
func TestRestartActivated(t *testing.T) {
	programs.Need(t, "systemd-socket-activate")
	o := newOrigin(t, 50)
	o.served.Store(o.publish(t))
	d, manager := managed(t, o.store)
	d.by, d.flags = activator+" lancred", unhurried()
	d.startUnheard("")
	d.await("not JSON: Received 1 descriptors via the environment.")
	l := newLoad(o, d.addr).start()
	times := size(3, 20)
	for range times {
		d.hear()
		wantNotification(t, manager, "READY=1")
		l.awaitRequests(t, 100)
		d.stop()
		wantNotification(t, manager, "STOPPING=1")
		d.startUnheard("")
	}
	d.hear()
	l.awaitRequests(t, 100)
	r := l.finish(t, "SIGTERM under load, started again by systemd-socket-activate", times)
	r.note = "by the next connection, on the same socket; READY and STOPPING are reported"
	record(t, r)
	d.stop()
}

// TestActivated serves on a socket that systemd-socket-activate opened, too, and so
// goes with lancred. What is under way at SIGTERM is answered.
func TestActivated(t *testing.T) {
	programs.Need(t, "systemd-socket-activate")
	o := newOrigin(t, 2)
	o.served.Store(o.publish(t))
	d, manager := managed(t, o.store)
	d.addr = reserve(t)
	d.by = fmt.Sprintf("env -u LISTEN_FDS %s -l %s lancred", activator, d.addr)
	d.startUnheard("")
	d.await("not JSON: Listening on " + d.addr + " as 3.")
	l := newLoad(o, d.addr).start()
	d.hear()
	wantNotification(t, manager, "READY=1")
	l.awaitRequests(t, 100)
	r := l.finish(t, "systemd-socket-activate opens the socket", 1)
	r.note = "SIGTERM: what is under way is answered"

	c, err := net.Dial("tcp4", d.addr)
	check(t, err)
	defer c.Close()
	_, err = c.Write(o.questions[0].get)
	check(t, err)
	await(t, "the connection to be open", func() bool { return d.metric("lancred_connections", "") > 0 })
	d.signal(syscall.SIGTERM)
	wantNotification(t, manager, "STOPPING=1")
	_, err = io.WriteString(c, "\r\n")
	check(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	check(t, err)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("a request that was under way at SIGTERM is answered %s", resp.Status)
	}
	if err := d.wait(); err != nil {
		t.Errorf("%v\n%s", err, d.dump())
	}
	record(t, r)
}

// managed makes a daemon that tells the test what it tells a service manager.
func managed(t *testing.T, store string) (d *daemon, manager *net.UnixConn) {
	t.Helper()
	address := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	check(t, err)
	t.Cleanup(func() { manager.Close() })
	d = newDaemon(t, store)
	d.env = []string{"NOTIFY_SOCKET=" + address}
	return d, manager
}

// reserve returns an address that nobody else gets, and that a program can bind
// that wants to reuse addresses: the test has bound it, and does not listen.
func reserve(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	check(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	check(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	check(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := unix.Getsockname(fd)
	check(t, err)
	return fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
}
