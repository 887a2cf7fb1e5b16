// Package e2e drives the real programs from outside: a CA made with openssl,
// lancre to build what it signed into a store, lancred to serve that store, and
// the clients that must believe the answers: openssl, ocsptool, NSS, Java and Go,
// nginx and Apache httpd that staple them, curl, and proxies between.
package e2e

import (
	"os"
	"os/exec"
	"testing"

	"lancre/internal/programs"
)

func TestMain(m *testing.M) {
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin") // where nginx and apache2 are
	os.Exit(programs.Run(m))
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
