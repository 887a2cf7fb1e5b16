package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteFileReplacesAllAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := writeBytes(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left")
	err := writeFile(path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want %v at %s", err, full, path)
	}
	checkFile(t, path, "old")
	if err := writeBytes(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, "new")
}

// checkFile demands that path is alone in its directory, readable by all, and
// has the content want.
func checkFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (error %v), want %q", path, got, err, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o644 {
		t.Errorf("%s has mode %v (error %v), want 0644", path, info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("temporary files are left: %v", entries)
	}
}
