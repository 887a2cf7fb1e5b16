package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A daemon is a running lancred.
type daemon struct {
	cmd   *exec.Cmd
	addr  string      // host:port of the OCSP listener
	admin string      // host:port of the admin listener
	log   chan record // what it logs; closed when it has exited
}

// A record is one line of lancred's log.
type record map[string]any

// patience bounds every wait for an event: far beyond what a loaded machine needs,
// and below the ten minutes after which go test kills the package.
const patience = time.Minute

// serve starts lancred over a store, with more flags if need be, on ports of the
// kernel's choice and waits until it listens. It is killed at the end of the test
// if it still runs.
func serve(t *testing.T, store string, flags ...string) *daemon {
	t.Helper()
	args := append([]string{"--store", store, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, flags...)
	d := &daemon{
		cmd: exec.Command("lancred", args...),
		log: make(chan record, 1000), // more than a test makes it log, so that logging never waits
	}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.cmd.Process.Kill() })
	go readLog(stderr, d.log)
	d.addr = d.await(t, "listening")["addr"].(string)
	d.admin = d.await(t, "admin listening")["addr"].(string)
	return d
}

func readLog(stderr io.Reader, log chan<- record) {
	defer close(log)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			r = record{"msg": "not JSON: " + lines.Text()}
		}
		log <- r
	}
}

// await returns the next record with that message, passing over all others.
func (d *daemon) await(t *testing.T, msg string) record {
	t.Helper()
	timeout := time.After(patience)
	var passed []record
	for {
		select {
		case r, ok := <-d.log:
			if !ok {
				t.Fatalf("lancred exited before it logged %q, but after %v", msg, passed)
			}
			if r["msg"] == msg {
				return r
			}
			passed = append(passed, r)
		case <-timeout:
			t.Fatalf("lancred did not log %q in %v, but %v", msg, patience, passed)
		}
	}
}

// signal sends a signal to the daemon.
func (d *daemon) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := d.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// stop ends the daemon with SIGTERM and wants exit status 0.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	d.signal(t, syscall.SIGTERM)
	timeout := time.After(patience)
	var last []record
	for open := true; open; { // to the end of the log, before Wait closes the pipe
		var r record
		select {
		case r, open = <-d.log:
			last = append(last, r)
		case <-timeout:
			t.Fatalf("lancred did not exit in %v after SIGTERM, but logged %v", patience, last)
		}
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("lancred on SIGTERM: %v, after it logged %v", err, last)
	}
}
