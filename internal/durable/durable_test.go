package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name")
	for _, content := range []string{"first", "", "the second, which is longer"} {
		if err := WriteBytes(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		expect(t, path, content)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o644 {
		t.Errorf("mode is %v, want 0644", info.Mode())
	}
}

// What the kernel begins to write to the disk early is whole all the same, in whatever
// pieces it comes.
func TestWriteLongFile(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef\n"), 3*enough/17)
	for _, piece := range []int{4093, enough - 1, enough, len(content)} {
		path := filepath.Join(t.TempDir(), "name")
		err := WriteFile(path, func(w io.Writer) error {
			for part := range slices.Chunk(content, piece) {
				if n, err := w.Write(part); n != len(part) || err != nil {
					return fmt.Errorf("%d octets of %d written, %w", n, len(part), err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
			t.Errorf("in pieces of %d octets: the file has %d octets, want the %d written, %v", piece, len(got), len(content), err)
		}
	}
}

func TestWriteFileThatFailsChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name")
	if err := WriteBytes(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("the source dried up")
	err := WriteFile(path, func(w io.Writer) error {
		if _, err := w.Write([]byte("half of the n")); err != nil {
			return err
		}
		return cause
	})
	if !errors.Is(err, cause) || err.Error() != path+": the source dried up" {
		t.Errorf("error is %v, want %v with the path", err, cause)
	}
	expect(t, path, "old")
	if err := WriteBytes(filepath.Join(path, "below"), nil); err == nil {
		t.Error("no error for a directory that is a file")
	}
	if err := os.Mkdir(path+".d", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteBytes(path+".d", nil); err == nil {
		t.Error("no error where a directory has the name")
	}
	expect(t, path, "old")
}

// expect checks that path holds content and that nothing else lies beside it but
// directories.
func expect(t *testing.T, path, content string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, content)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) && !e.IsDir() {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

func TestMakeDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	for range 2 { // the second time it is there
		if err := MakeDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		t.Errorf("%v, %v", info, err)
	}
	if err := MakeDir(filepath.Join(dir, "b", "c")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a parent: %v, want that it does not exist", err)
	}
}
