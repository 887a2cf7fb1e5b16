package traffic

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestReadIsInverseOfSave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exchanges")
	want := []Exchange{
		{Request: []byte("GET / HTTP/1.1\r\n\r\n"), Bodies: [][]byte{{0x30, 0x00}, {0x30, 0x03}}},
		{Request: []byte("POST / HTTP/1.1\r\n\r\n\x00")},
	}
	if err := Save(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(filepath.Join(dir, "absent")); err == nil {
		t.Error("no error for a file that is not there")
	}
	empty, noise := filepath.Join(dir, "empty"), filepath.Join(dir, "noise")
	if err := Save(empty, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(noise, []byte("GET / HTTP/1.1\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, noise} {
		if list, err := Read(path); err == nil {
			t.Errorf("%s: %d exchanges and no error", path, len(list))
		}
	}
}
