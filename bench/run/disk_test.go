package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Every thread reads, and a place that cannot be read is an error.
func TestReadDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "segment")
	if err := os.WriteFile(path, make([]byte, 3*diskBlock), 0o644); err != nil {
		t.Fatal(err)
	}
	places := []place{{0, diskBlock}, {diskBlock, 3 * diskBlock}}
	got, err := readDisk(path, places, 2, time.Millisecond)
	if err != nil {
		t.Skip(err) // a file system in memory, say
	}
	if got.rate <= 0 || got.cpu <= 0 {
		t.Errorf("%+v, want what two threads read", got)
	}
	if _, err := readDisk(path, []place{{-diskBlock, 0}}, 1, time.Millisecond); err == nil {
		t.Error("a place before the file is read")
	}
}

// A directory that is no control group has no files from the kernel.
func TestLimitIsOfTheKernel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.max")
	if err := setLimit(path, 1); err == nil {
		t.Error("a limit is set that nobody keeps")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file of the limit is made")
	}
}
