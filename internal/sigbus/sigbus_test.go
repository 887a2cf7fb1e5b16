package sigbus

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestGuard(t *testing.T) {
	cause := errors.New("its own")
	if err := Guard(func() error { return cause }); err != cause {
		t.Errorf("error is %v, want that of the function", err)
	}
	if err := Guard(func() error { return nil }); err != nil {
		t.Error(err)
	}

	data := mapAndCut(t)
	var sum byte
	err := Guard(func() error { sum += data[0]; return nil })
	var fault Fault
	if !errors.As(err, &fault) || fault.Addr() == 0 {
		t.Errorf("error is %v, want a fault with its address", err)
	}

	defer func() {
		if r := recover(); r != "another panic" {
			t.Errorf("recovered %v, want the panic of the function", r)
		}
	}()
	_ = Guard(func() error { panic("another panic") })
}

// mapAndCut maps a page of a file that has none any more.
func mapAndCut(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, os.Getpagesize()), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(data) })
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	return data
}
