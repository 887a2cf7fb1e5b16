package mapping

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	name, fifo := filepath.Join(dir, "name"), filepath.Join(dir, "fifo")
	if err := os.WriteFile(name, []byte("what is in it"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := Open(name, "text", 13)
	if err != nil || string(data) != "what is in it" {
		t.Fatalf("%q, %v", data, err)
	}
	if err := unix.Munmap(data); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{
		name: "not a text: -rw------- with 13 octets, a text is a file of at least 14",
		fifo: "not a text: prw-------",
		dir:  "not a text: d",
	} {
		if _, err := Open(path, "text", 14); err == nil || !strings.HasPrefix(err.Error(), path+": "+want) {
			t.Errorf("error %v, want %s: %s", err, path, want)
		}
	}
	if _, err := Open(name+".none", "text", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that there is none", err)
	}
}
