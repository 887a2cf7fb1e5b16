// Package programs builds lancre and lancred, and runs lancred, for tests that
// drive them from outside.
package programs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

// Run is m.Run with lancre and lancred, built from this tree, first in PATH. With
// the race detector in the tests it is in the programs too; a race ends them with
// status 66.
func Run(m *testing.M) (status int) {
	bin, err := os.MkdirTemp("", "lancre-programs-")
	if err == nil {
		defer os.RemoveAll(bin)
		err = Build(bin)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return m.Run()
}

// Build builds lancre and lancred into the directory bin, which everyone may then
// enter: there are tests that run lancred as another user.
func Build(bin string) error {
	if err := os.Chmod(bin, 0o755); err != nil {
		return err
	}
	args := []string{"build", "-o", bin}
	if RaceDetected() {
		args = append(args, "-race")
		os.Setenv("GORACE", "atexit_sleep_ms=0") // in place of a second for each of the many runs of lancre
	}
	cmd := exec.Command("go", append(args, "lancre/cmd/lancre", "lancre/cmd/lancred")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// RaceDetected reports whether this test was built with the race detector.
func RaceDetected() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// Need skips the test if a program is absent; under CI it fails it.
func Need(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed: run scripts/setup", name)
		}
		t.Skipf("%s is not installed: run scripts/setup", name)
	}
}
