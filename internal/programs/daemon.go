package programs

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

// A Daemon is a running lancred, or lancre follow or probe.
type Daemon struct {
	Addr    string // host:port of the OCSP listener; empty for lancre
	Admin   string // host:port of the admin listener
	Process *os.Process

	cmd   *exec.Cmd
	lines chan Line // what it logs; closed when it has exited
	log   []Line    // what was taken from lines and not awaited yet
}

// A Line is one line of its log.
type Line map[string]any

// Patience bounds every wait for an event: far beyond what a loaded machine needs,
// and below the ten minutes after which go test kills the package.
const Patience = time.Minute

// Start starts the lancred in PATH over a store, with more flags if need be, on
// ports of the kernel's choice, and waits until it listens. SIGTERM ends it at the
// end of the test; its exit status must be 0.
func Start(t testing.TB, store string, flags ...string) *Daemon {
	t.Helper()
	cmd := exec.Command("lancred", "--store", store, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--drain", "0s")
	cmd.Args = append(cmd.Args, flags...)
	d := start(t, cmd)
	d.Addr = d.Await(t, "listening")["addr"].(string)
	d.Admin = d.Await(t, "admin listening")["addr"].(string)
	return d
}

// Follow starts the lancre follow in PATH with a configuration in which the admin address
// is on a port of the kernel's choice, and waits until it follows. It ends as Start has
// lancred end.
func Follow(t testing.TB, config string) *Daemon {
	t.Helper()
	d := start(t, exec.Command("lancre", "follow", "--config", config))
	d.Admin = d.Await(t, "admin listening")["addr"].(string)
	d.Await(t, "following")
	return d
}

// Probe starts the lancre probe in PATH with these flags, on an admin address with a port
// of the kernel's choice. It ends as Start has lancred end.
func Probe(t testing.TB, flags ...string) *Daemon {
	t.Helper()
	cmd := exec.Command("lancre", "probe", "--admin", "127.0.0.1:0")
	cmd.Args = append(cmd.Args, flags...)
	d := start(t, cmd)
	d.Admin = d.Await(t, "admin listening")["addr"].(string)
	return d
}

// StartBeside starts another command of lancred, pull or announce, as Start does. It has
// no Addr.
func StartBeside(t testing.TB, command string, flags ...string) *Daemon {
	t.Helper()
	cmd := exec.Command("lancred", command, "--admin", "127.0.0.1:0")
	cmd.Args = append(cmd.Args, flags...)
	d := start(t, cmd)
	d.Admin = d.Await(t, "admin listening")["addr"].(string)
	return d
}

// start starts a daemon, which ends with the test.
func start(t testing.TB, cmd *exec.Cmd) *Daemon {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &Daemon{
		Process: cmd.Process,
		cmd:     cmd,
		lines:   make(chan Line, 1000), // more than a test makes it log, so that logging never waits
	}
	go readLog(stderr, d.lines)
	t.Cleanup(func() { d.Stop(t) })
	return d
}

func readLog(stderr io.Reader, log chan<- Line) {
	defer close(log)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		var l Line
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			l = Line{"msg": "not JSON: " + lines.Text()}
		}
		log <- l
	}
}

// Await waits for a line of the log with that message and, if one is given, that
// attribute, and returns the first one that was not returned before.
func (d *Daemon) Await(t testing.TB, msg string, attr ...any) Line {
	t.Helper()
	timeout := time.After(Patience)
	for i := 0; ; i++ {
		if i == len(d.log) && !d.read(timeout) {
			t.Fatalf("%s exited, or %v passed, before it logged %q %v; it logged %v", d.cmd.Args[0], Patience, msg, attr, d.log)
		}
		if l := d.log[i]; l["msg"] == msg && (attr == nil || l[attr[0].(string)] == attr[1]) {
			d.log = slices.Delete(d.log, i, i+1)
			return l
		}
	}
}

// read takes a line of the log, and reports false when none comes any more or in
// time.
func (d *Daemon) read(timeout <-chan time.Time) bool {
	select {
	case l, ok := <-d.lines:
		if ok {
			d.log = append(d.log, l)
		}
		return ok
	case <-timeout:
		return false
	}
}

// Log is what it has logged so far and was not awaited.
func (d *Daemon) Log() []Line {
	for len(d.lines) > 0 {
		d.read(nil)
	}
	return d.log
}

// Stop ends it with SIGTERM, unless it has ended by Stop or Kill.
func (d *Daemon) Stop(t testing.TB) {
	cmd := d.cmd
	if cmd.ProcessState != nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGTERM) // an error means that it is gone
	timer := time.AfterFunc(Patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	for d.read(nil) { // to the end of the log, before Wait closes the pipe
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s ended with %v, after it logged %v", cmd.Args[0], err, d.log)
	}
}

// Kill ends it at once, as a crash would.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill() // an error means that it is gone
	for d.read(nil) {
	}
	_ = d.cmd.Wait() // it was killed
}
