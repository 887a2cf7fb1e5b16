package main

import (
	"bytes"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process is a running lancred.
type process struct {
	addr, admin string
	pid         int
	log         *logBuffer
}

// start starts lancred on a store and stops it when the test ends, which must be
// with status 0.
func start(t *testing.T, dir string, flags ...string) *process {
	t.Helper()
	args := append([]string{"--store", dir, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--drain", "0s"}, flags...)
	cmd := exec.Command("lancred", args...)
	stderr, err := cmd.StderrPipe()
	check(t, err)
	check(t, cmd.Start())
	d := &process{pid: cmd.Process.Pid, log: &logBuffer{grown: make(chan struct{}, 1)}}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(d.log, stderr)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // an error means that it is gone
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("lancred ended with %v:\n%s", err, d.log)
		}
	})
	d.addr = d.await(t, "listening")["addr"].(string)
	d.admin = d.await(t, "admin listening")["addr"].(string)
	return d
}

// await waits for the first line of the log with that message and, if one is given,
// that attribute.
func (d *process) await(t *testing.T, msg string, attr ...any) map[string]any {
	t.Helper()
	timeout := time.After(patience)
	for {
		if line := d.log.find(msg, attr...); line != nil {
			return line
		}
		select {
		case <-d.log.grown:
		case <-timeout:
			t.Fatalf("%q is not in the log within %v:\n%s", msg, patience, d.log)
		}
	}
}

// A logBuffer is a log that a test can read while it is written.
type logBuffer struct {
	mu    sync.Mutex
	b     bytes.Buffer
	grown chan struct{} // holds a value when there is something new
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.grown <- struct{}{}:
	default:
	}
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) find(msg string, attr ...any) map[string]any {
	for log := []byte(l.String()); ; {
		line, end := findLine(log, msg)
		if line == nil || len(attr) == 0 || line[attr[0].(string)] == attr[1] {
			return line
		}
		log = log[end:]
	}
}
