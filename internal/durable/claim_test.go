package durable

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A directory is one's at a time, and what the one before left in the making is gone.
func TestClaim(t *testing.T) {
	dir := t.TempDir()
	left, kept := filepath.Join(dir, TempPrefix+"1"), filepath.Join(dir, "file")
	for _, name := range []string{left, kept} {
		if err := WriteBytes(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	first, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", left, err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	if _, err := Claim(dir); !errors.Is(err, ErrClaimed) {
		t.Errorf("a second time: %v", err)
	}
	first.Close()
	second, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
	if _, err := Claim(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
