package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A file takes whole blocks, and a directory some.
func TestDiskUse(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/1", "a/2", "b/3"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, 300), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := diskUse(dir); err != nil || got < 512 || got > 64<<10 {
		t.Errorf("%v octets a file, %v", got, err)
	}
	if _, err := diskUse(filepath.Join(dir, "absent")); err == nil {
		t.Error("no error for what is not there")
	}
}
