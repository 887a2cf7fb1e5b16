package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A scriptFollow is the lancre follow that a script has started.
type scriptFollow struct {
	cmd   *exec.Cmd
	lines chan string // of its log
}

// followKey is where a script has it, a *scriptFollow.
type followKey struct{}

// scriptPatience is how long a line of the log is waited for: far beyond what it takes.
const scriptPatience = time.Minute

// follow starts lancre follow with the configuration FILE, in which it listens on a port
// of the kernel's choice: $ADMIN is its URL.
func follow(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1)
	text := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, "127.0.0.1:9091", "127.0.0.1:0", 1)), 0o644))
	f := ts.Value(followKey{}).(*scriptFollow)
	f.cmd = exec.Command("lancre", "follow", "--config", args[0])
	f.cmd.Dir, f.cmd.Env = ts.MkAbs("."), append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	stderr, err := f.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(f.cmd.Start())
	ts.Defer(func() { f.cmd.Process.Kill() })
	f.lines = make(chan string, 1000)
	go func() {
		defer close(f.lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			f.lines <- s.Text()
		}
	}()
	var listening struct{ Addr string }
	ts.Check(json.Unmarshal([]byte(f.await(ts, []string{"admin.listening"})), &listening))
	ts.Setenv("ADMIN", "http://"+listening.Addr)
}

// await returns the next line of the log that matches all patterns.
func (f *scriptFollow) await(ts *testscript.TestScript, patterns []string) string {
	var seen strings.Builder
	for timeout := time.After(scriptPatience); ; {
		select {
		case line, ok := <-f.lines:
			if !ok {
				ts.Fatalf("lancre follow ended before it logged %q; it logged\n%s", patterns, &seen)
			}
			seen.WriteString(line + "\n")
			matches := true
			for _, p := range patterns {
				matches = matches && regexp.MustCompile(p).MatchString(line)
			}
			if matches {
				return line
			}
		case <-timeout:
			ts.Fatalf("lancre follow did not log %q; it logged\n%s", patterns, &seen)
		}
	}
}

// follows waits for a line of its log that matches all PATTERNs.
func follows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: follows PATTERN...")
	}
	ts.Value(followKey{}).(*scriptFollow).await(ts, args)
}

// tell sends it a signal.
func tell(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1)
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	ts.Check(ts.Value(followKey{}).(*scriptFollow).cmd.Process.Signal(signals[args[0]]))
}

// ended waits until it has ended, with status 0.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 0)
	f := ts.Value(followKey{}).(*scriptFollow)
	for range f.lines { // to the end of the log, before Wait closes the pipe
	}
	ts.Check(f.cmd.Wait())
}

// moved waits until a file is not there any more.
func moved(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1)
	comes(ts, args[0]+" is gone", func() bool {
		_, err := os.Lstat(ts.MkAbs(args[0]))
		return os.IsNotExist(err)
	})
}

// alike waits until two files, FILE1 and FILE2, have the same content.
func alike(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	comes(ts, args[0]+" is like "+args[1], func() bool {
		one, err := os.ReadFile(ts.MkAbs(args[0]))
		other, otherErr := os.ReadFile(ts.MkAbs(args[1]))
		return err == nil && otherErr == nil && bytes.Equal(one, other)
	})
}

// comes waits for what is not logged.
func comes(ts *testscript.TestScript, what string, true func() bool) {
	for give := time.Now().Add(scriptPatience); !true(); time.Sleep(time.Millisecond) {
		if time.Now().After(give) {
			ts.Fatalf("%v passed before %s", scriptPatience, what)
		}
	}
}

// concat writes one file of others: FILE... TO.
func concat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: concat FILE... TO")
	}
	var all strings.Builder
	to := len(args) - 1
	for _, name := range args[:to] {
		all.WriteString(ts.ReadFile(name))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[to]), []byte(all.String()), 0o644))
}
