package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A daemon is a running lancred. Its public socket is opened by the test and
// passed on, as systemd does it, so that it outlives the daemon.
type daemon struct {
	t      *testing.T
	store  string
	socket *os.File
	addr   string // of socket
	shell  string // run before lancred, which inherits what it sets
	by     string // the command that becomes lancred: its name, if need be after that of what starts it
	flags  []string
	env    []string
	user   *syscall.Credential // nil: as the test

	cmd   *exec.Cmd
	admin string // host:port
	ended chan struct{}

	mu    sync.Mutex
	log   []logLine
	grown chan struct{} // holds a value when there is something new
}

// A logLine is one line of lancred's log.
type logLine map[string]any

// newDaemon makes a daemon that is not started yet.
func newDaemon(t *testing.T, store string, flags ...string) *daemon {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	check(t, err)
	defer ln.Close()
	socket, err := ln.(*net.TCPListener).File()
	check(t, err)
	check(t, unix.SetsockoptInt(int(socket.Fd()), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1)) // as in the socket unit
	t.Cleanup(func() { socket.Close() })
	return &daemon{t: t, store: store, socket: socket, addr: ln.Addr().String(), by: "lancred", flags: flags, grown: make(chan struct{}, 1)}
}

// serve starts lancred over a store.
func serve(t *testing.T, store string, flags ...string) *daemon {
	t.Helper()
	d := newDaemon(t, store, flags...)
	d.start()
	return d
}

// start starts lancred and waits until all is set up. It is killed at the end of
// the test if it still runs.
func (d *daemon) start() {
	d.t.Helper()
	d.startUnheard(d.shell)
	d.hear()
}

// hear waits until all is set up.
func (d *daemon) hear() {
	d.t.Helper()
	d.admin = d.await("admin listening")["addr"].(string)
	d.adminGet("/livez") // is answered when all is set up
}

// startUnheard starts lancred, after some shell, and waits for nothing.
func (d *daemon) startUnheard(shell string) {
	d.t.Helper()
	d.mu.Lock()
	d.log = nil
	d.mu.Unlock()
	// The shell becomes lancred, so that the process id is known beforehand: sd_listen_fds(3).
	script := shell + ` LISTEN_PID=$$ LISTEN_FDS=1 exec ` + d.by + ` "$@"`
	args := append([]string{"-c", script, "sh", "--store", d.store, "--admin", "127.0.0.1:0"}, d.flags...)
	d.cmd = exec.Command("sh", args...)
	d.cmd.ExtraFiles = []*os.File{d.socket}
	d.cmd.Env = append(os.Environ(), d.env...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: d.user}
	stderr, err := d.cmd.StderrPipe()
	check(d.t, err)
	check(d.t, d.cmd.Start())
	d.ended = make(chan struct{})
	go d.readLog(stderr)
	cmd := d.cmd
	d.t.Cleanup(func() { cmd.Process.Kill() })
}

func (d *daemon) readLog(stderr io.Reader) {
	defer close(d.ended)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		var l logLine
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			l = logLine{"msg": "not JSON: " + lines.Text()}
		}
		d.mu.Lock()
		d.log = append(d.log, l)
		d.mu.Unlock()
		select {
		case d.grown <- struct{}{}:
		default:
		}
	}
}

// lines are the lines of the log so far with that message.
func (d *daemon) lines(msg string) (list []logLine) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.log {
		if l["msg"] == msg {
			list = append(list, l)
		}
	}
	return list
}

func (d *daemon) dump() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b strings.Builder
	for _, l := range d.log {
		fmt.Fprintln(&b, l)
	}
	return b.String()
}

// await waits for a line with that message and returns the last.
func (d *daemon) await(msg string) (line logLine) {
	d.t.Helper()
	d.awaitLine(msg, func(l logLine) bool { line = l; return true })
	return line
}

// awaitLine waits for a line with that message of which ok holds.
func (d *daemon) awaitLine(msg string, ok func(logLine) bool) {
	d.t.Helper()
	timeout := time.After(patience)
	for {
		for _, l := range d.lines(msg) {
			if ok(l) {
				return
			}
		}
		select {
		case <-d.grown:
		case <-d.ended:
			d.t.Fatalf("lancred ended before it logged %q:\n%s", msg, d.dump())
		case <-timeout:
			d.t.Fatalf("%q is not in the log within %v:\n%s", msg, patience, d.dump())
		}
	}
}

func (d *daemon) awaitGeneration(t *testing.T, generation uint64) {
	t.Helper()
	d.awaitLine("generation served", func(l logLine) bool { return l["generation"] == float64(generation) })
}

func (d *daemon) signal(sig syscall.Signal) {
	d.t.Helper()
	check(d.t, d.cmd.Process.Signal(sig))
}

// wait waits for the end of the process.
func (d *daemon) wait() error {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.t.Fatalf("lancred did not end in %v:\n%s", patience, d.dump())
	}
	return d.cmd.Wait()
}

// stop ends it by SIGTERM and wants exit status 0.
func (d *daemon) stop() {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	if err := d.wait(); err != nil {
		d.t.Errorf("lancred on SIGTERM: %v\n%s", err, d.dump())
	}
}

// kill ends it by SIGKILL.
func (d *daemon) kill() {
	d.t.Helper()
	d.signal(syscall.SIGKILL)
	if err := d.wait(); err == nil {
		d.t.Error("lancred ended with status 0 on SIGKILL")
	}
}

// adminGet asks the admin listener.
func (d *daemon) adminGet(path string) (status int, body string) {
	d.t.Helper()
	resp, err := http.Get("http://" + d.admin + path)
	check(d.t, err)
	defer resp.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	check(d.t, err)
	return resp.StatusCode, b.String()
}

func (d *daemon) ready() bool {
	d.t.Helper()
	status, _ := d.adminGet("/readyz")
	return status == http.StatusOK
}

// metric is the sum of the metric's series whose labels contain that text.
func (d *daemon) metric(name, labels string) (sum float64) {
	d.t.Helper()
	_, text := d.adminGet("/metrics")
	for line := range strings.Lines(text) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if got, _, _ := strings.Cut(series, "{"); got != name || !strings.Contains(series, labels) {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		check(d.t, err)
		sum += v
	}
	return sum
}

// mappedObjects counts the objects that the process has mapped.
func (d *daemon) mappedObjects() int {
	d.t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", d.cmd.Process.Pid))
	check(d.t, err)
	objects := make(map[string]bool)
	for line := range strings.Lines(string(maps)) {
		if _, object, ok := strings.Cut(line, "/objects/"); ok {
			objects[object] = true
		}
	}
	return len(objects)
}

// memory is how many octets of the process are its own: not page cache.
func (d *daemon) memory() int64 {
	d.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	check(d.t, err)
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	check(d.t, err)
	return n << 10 // from KiB
}
