// Package e2e drives the real programs from outside: a CA made with openssl,
// lancre to build what it signed into a store, lancred to serve that store, and
// the clients that must believe the answers: openssl, ocsptool, Java and Go,
// nginx and Apache httpd that staple them, curl, and nginx as a proxy between.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun builds lancre and lancred from this tree, puts them first in PATH,
// and last where nginx and apache2 are, and runs the tests.
func buildAndRun(m *testing.M) int {
	bin, err := os.MkdirTemp("", "lancre-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(bin)
	args := []string{"build", "-o", bin}
	if raceDetected() {
		args = append(args, "-race")
		os.Setenv("GORACE", "atexit_sleep_ms=0") // in place of a second for each of the many runs of lancre
	}
	build := exec.Command("go", append(args, "lancre/cmd/lancre", "lancre/cmd/lancred")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n%s", build, err, out)
		return 1
	}
	os.Setenv("PATH", bin+":"+os.Getenv("PATH")+":/usr/sbin")
	return m.Run()
}

// raceDetected reports whether this test was built with the race detector; then
// the programs it drives are too. A race ends them with status 66.
func raceDetected() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// need skips the test if a program is absent; under CI it fails it.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed: run scripts/setup", p)
		}
		t.Skipf("%s is not installed: run scripts/setup", p)
	}
}

// sh runs a shell script in dir and returns what it wrote to stdout and stderr.
// vars are NAME=VALUE pairs that the script uses. The first command that fails
// ends the test.
func sh(t *testing.T, dir, script string, vars ...string) string {
	t.Helper()
	out, err := try(t, dir, script, vars...)
	if err != nil {
		t.Fatalf("in %s, %q: %v\n%s\n%s", dir, vars, err, script, out)
	}
	return out
}

// try is sh for a script that may fail.
func try(t *testing.T, dir, script string, vars ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), vars...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
