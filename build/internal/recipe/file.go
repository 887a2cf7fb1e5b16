package recipe

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

// File makes a file in a directory of the test and returns its name.
func File(t testing.TB, name string, data ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, bytes.Join(data, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Dir makes a directory of files, by their names in it.
func Dir(t testing.TB, contents map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range contents {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// PEM is a block of that type.
func PEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// Join is the parts one after another.
func Join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
