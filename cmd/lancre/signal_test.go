package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lancre/internal/programs"
)

// A child is a lancre that is running.
type child struct {
	*exec.Cmd
	stderr bytes.Buffer
}

func start(t *testing.T, stdin, stdout *os.File, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command("lancre", args...)}
	if stdin != nil {
		c.Stdin = stdin
	}
	if stdout != nil {
		c.Stdout = stdout
	}
	c.Stderr = &c.stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(programs.Patience, func() { c.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	return c
}

// ends sends a signal and waits for the end, which must be with status 1.
func (c *child) ends(t *testing.T, s os.Signal) {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	if c.ProcessState.ExitCode() != exitProblem {
		t.Errorf("%v: %v, want exit status %d; it said %q", s, c.ProcessState, exitProblem, c.stderr.String())
	}
}

// until waits for what another process does, which nobody tells us of.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(programs.Patience); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%v passed before %s", programs.Patience, what)
		}
	}
}

// demoStore makes what lancre demo makes below a directory of the test's own, and makes
// that the working directory.
func demoStore(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if status, _, stderr := execute(t, "demo", "--out", "demo", "--responses", "8"); status != exitDone {
		t.Fatal(stderr)
	}
}

// fifo makes a FIFO.
func fifo(t *testing.T, name string) string {
	t.Helper()
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// opened opens a FIFO for writing when another process has opened it for reading.
func opened(t *testing.T, name string) (w *os.File) {
	t.Helper()
	until(t, "somebody read "+name, func() bool {
		var err error
		w, err = os.OpenFile(name, os.O_WRONLY|unix.O_NONBLOCK, 0)
		return err == nil
	})
	return w
}

// listing is the names of all files below the working directory.
func listing(t *testing.T) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}

// Whatever a command waits for, the first signal ends it, with status 1, and it leaves
// nothing behind.
func TestFirstSignal(t *testing.T) {
	for _, line := range []string{
		"build --out demo/store --issuer demo/issuer.pem --static demo/static --responses FIFO",
		"build --out new --issuer demo/issuer.pem --responses demo/responses.der --responses FIFO",
		"build --out demo/store --issuer FIFO --responses demo/responses.der",
		"add demo/store --issuer demo/issuer.pem --responses FIFO",
		"add demo/store --issuer demo/issuer.pem --withdraw FIFO",
		"add demo/store --issuer FIFO --withdraw demo/good.pem",
		"verify demo/store --inventory demo/issuer.pem --issuer FIFO",
		"inspect demo/store --issuer FIFO --serial 01",
		"inspect demo/store --issuer demo/issuer.pem --cert FIFO --out der",
	} {
		t.Run(line, func(t *testing.T) {
			demoStore(t)
			if status, _, stderr := execute(t, "add", "demo/store", "--issuer", "demo/issuer.pem", "--responses", "demo/responses.der"); status != exitDone {
				t.Fatal(stderr) // it adds nothing, but keeps what the CRL lists for the next time
			}
			pipe := fifo(t, "fifo")
			os.Mkdir("new", 0o755)
			os.Mkdir("new/objects", 0o755)
			before := listing(t)
			for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
				c := start(t, nil, nil, strings.Fields(strings.ReplaceAll(line, "FIFO", pipe))...)
				w := opened(t, pipe)
				c.ends(t, s)
				w.Close()
				if got := c.stderr.String(); !strings.HasSuffix(got, ": interrupted before the end\n") {
					t.Errorf("it said %q", got)
				}
			}
			if after := listing(t); after != before {
				t.Errorf("there is\n%s\nwhere there was\n%s", after, before)
			}
			if status, _, stderr := execute(t, "gc", "demo/store"); status != exitDone {
				t.Errorf("the store is still locked: %s", stderr)
			}
		})
	}
}

// Standard input that is silent is a pipe like others.
func TestSilentInput(t *testing.T) {
	demoStore(t)
	before := listing(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	c := start(t, r, nil, "build", "--out", "demo/store", "--issuer", "demo/issuer.pem", "--static", "demo/static", "--responses", "-")
	w.Write([]byte{0x30})
	until(t, "it read what there is", func() bool {
		n, err := unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ)
		return err == nil && n == 0
	})
	c.ends(t, syscall.SIGTERM)
	if after := listing(t); after != before {
		t.Errorf("there is\n%s\nwhere there was\n%s", after, before)
	}
}

// The second signal ends what the first one cannot: here the writing of a summary that
// nobody reads.
func TestSecondSignal(t *testing.T) {
	demoStore(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fill(t, w)
	pipe := fifo(t, "fifo")
	c := start(t, nil, w, "build", "--out", "demo/store", "--issuer", "demo/issuer.pem", "--static", "demo/static", "--responses", pipe)
	defer opened(t, pipe).Close()
	c.Process.Signal(syscall.SIGTERM)
	c.ends(t, os.Interrupt) // not the same again: two of one kind that wait are one
}

// fill writes as much to a pipe as it takes, and leaves it so that more would have to
// wait.
func fill(t *testing.T, w *os.File) {
	t.Helper()
	fd := int(w.Fd()) // which makes it blocking
	unix.SetNonblock(fd, true)
	for size := 64 << 10; size > 0; size /= 2 {
		for {
			if _, err := unix.Write(fd, make([]byte, size)); err != nil {
				break
			}
		}
	}
	unix.SetNonblock(fd, false)
}

// What must be a file is not waited for where it is a FIFO: nothing but its name is
// wrong.
func TestFIFOInPlaceOfFile(t *testing.T) {
	demoStore(t)
	pipe := fifo(t, "fifo")
	for line, want := range map[string]string{
		"build --out store --issuer demo/issuer.pem --responses demo/responses.der --inventory FIFO": "inventory fifo: it is read twice, so want a file",
		"build --out FIFO --issuer demo/issuer.pem --responses demo/responses.der":                   "fifo",
		"build --out store --issuer demo/issuer.pem --responses demo/responses.der --static FIFO":    "static files: ",
		"verify FIFO":     "fifo",
		"inspect FIFO":    "fifo",
		"gc FIFO":         "fifo",
		"demo --out FIFO": "fifo",
		"pages --out FIFO --domain example.org --ca X": "fifo",
	} {
		status, _, stderr := execute(t, strings.Fields(strings.ReplaceAll(line, "FIFO", pipe))...)
		if status != exitProblem || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s, want %d and %q", line, status, stderr, exitProblem, want)
		}
	}
	if err := os.Rename("demo/store/manifest", "manifest"); err != nil {
		t.Fatal(err)
	}
	fifo(t, "demo/store/manifest")
	for _, command := range []string{"verify", "inspect", "gc"} {
		status, stdout, stderr := execute(t, command, "demo/store")
		if status != exitProblem || !strings.Contains(stdout+stderr, "manifest is not a regular file") {
			t.Errorf("%s, manifest is a FIFO: status %d, %s%s", command, status, stdout, stderr)
		}
	}
	if err := os.MkdirAll("www/example.org", 0o755); err != nil {
		t.Fatal(err)
	}
	fifo(t, "www/example.org/index.de.html")
	status, _, stderr := execute(t, "pages", "--out", "www", "--domain", "example.org", "--ca", "X")
	if status != exitProblem || !strings.Contains(stderr, "index.de.html was not made by lancre pages") {
		t.Errorf("pages, a page is a FIFO: status %d, %s", status, stderr)
	}
}
