// Package pages_test looks at the pages for people as people and programs do: in
// Chromium, by an HTML validator and an accessibility checker, and by pasting the
// commands that they print into a shell.
package pages_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"lancre/internal/programs"
)

var screenshots = flag.String("screenshots", "", "save pictures of the pages in this `DIR`")

const domain = "example.org"

func TestMain(m *testing.M) {
	os.Exit(programs.Run(m))
}

// newPages makes the pages of example.org in all languages, and returns the static
// directory that they are in.
func newPages(t *testing.T) string {
	t.Helper()
	static := filepath.Join(t.TempDir(), "static")
	run(t, "lancre", "pages", "--out", static, "--domain", domain, "--ca", "Example CA",
		"--contact", "https://example.org/contact", "--hosts", "o,c,i", "--updated", "2026-11-28")
	return static
}

// run runs a program that must succeed, and returns what it wrote.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// needModules skips the test where scripts/setup has not installed the npm modules;
// under CI it fails it.
func needModules(t *testing.T, names ...string) {
	t.Helper()
	programs.Need(t, "node")
	for _, name := range names {
		if _, err := os.Stat(filepath.Join("node_modules", name)); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("the npm module %s is not installed: run scripts/setup", name)
		}
		t.Skipf("the npm module %s is not installed: run scripts/setup", name)
	}
}
