package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lancre/internal/legible"
)

// A log line is JSON that a terminal can show, whatever is named in it.
func TestLogIsLegible(t *testing.T) {
	const evil = "x\x7f\u009b2J\u202e\x1b\n"
	dir := filepath.Join(t.TempDir(), evil)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("lancred", "--store", filepath.Join(dir, "absent"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	out, err := cmd.CombinedOutput()
	text := strings.TrimSuffix(string(out), "\n")
	if err == nil || !strings.Contains(text, `x\u007f\u009b2J\u202e\u001b\n/absent`) || legible.Text(text) != text {
		t.Errorf("%v, it logged %q", err, text)
	}
}
