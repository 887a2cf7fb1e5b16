package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"lancre/internal/programs"
)

// start runs a program in dir until the end of the test, when SIGTERM ends it.
// Script ends in exec, and the program stays in the foreground. What it printed
// is shown if the test fails.
func start(t *testing.T, dir, script string, vars ...string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), vars...), &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = programs.Patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Wait() // the status only says that it was stopped
		if t.Failed() {
			t.Logf("%s\nprinted\n%s", script, &out)
		}
	})
}

// retry is the pause between two tries of await: of other programs there is
// often no event to wait for.
const retry = 50 * time.Millisecond

// await runs a script again and again until it succeeds and what it prints
// contains every one of want.
func await(t *testing.T, dir, script string, vars []string, want ...string) {
	t.Helper()
	for end := time.Now().Add(programs.Patience); ; time.Sleep(retry) {
		out, err := try(t, dir, script, vars...)
		if err == nil && containsAll(out, want) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("in %v not all of %q came of\n%s\nbut, with %v,\n%s", programs.Patience, want, script, err, out)
		}
	}
}

func containsAll(s string, substrings []string) bool {
	for _, sub := range substrings {
		if !strings.Contains(s, sub) {
			return false
		}
	}
	return true
}
