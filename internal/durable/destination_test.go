package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A link stays a link, whatever it leads to, and its target gets the content.
func TestWriteFileFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "far", "below"), 0o755))
	must(t, os.Symlink("far/below", filepath.Join(dir, "near")))
	for _, links := range [][2]string{ // each leads to the one before
		{"to-file", filepath.Join(dir, "file")}, {"relative", "to-file"}, {"near/up", "../../relative"}, {"dangling", "near/absent"},
	} {
		must(t, os.Symlink(links[1], filepath.Join(dir, links[0])))
	}
	for name, target := range map[string]string{"to-file": "file", "relative": "file", "near/up": "file", "dangling": "far/below/absent"} {
		must(t, WriteBytes(filepath.Join(dir, name), []byte(name)))
		if got, err := os.ReadFile(filepath.Join(dir, target)); string(got) != name {
			t.Errorf("by %s, %s holds %q, %v", name, target, got, err)
		}
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v, %v", name, info.Mode(), err)
		}
	}
	must(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	if err := WriteBytes(filepath.Join(dir, "loop"), nil); !errors.Is(err, unix.ELOOP) {
		t.Errorf("links in a ring: %v, want %v", err, unix.ELOOP)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", TempPrefix+"*")); left != nil {
		t.Errorf("%s was left behind", left)
	}
}

// What is no file gets the content, through a link or not, and stays what it is.
func TestWriteFileIntoOthers(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	must(t, unix.Mkfifo(fifo, 0o600))
	if err := WriteBytes(fifo, nil); !errors.Is(err, unix.ENXIO) {
		t.Errorf("a FIFO that nobody reads: %v, want %v", err, unix.ENXIO)
	}
	r, err := os.OpenFile(fifo, os.O_RDWR|unix.O_NONBLOCK, 0) // for writing too, so that it does not end
	must(t, err)
	defer r.Close()
	link := filepath.Join(dir, "link")
	must(t, os.Symlink("fifo", link))
	long := bytes.Repeat([]byte("x"), 1<<20) // more than a pipe holds
	for _, name := range []string{fifo, link} {
		done := make(chan error)
		go func() { done <- WriteBytes(name, long) }()
		got := make([]byte, len(long))
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, long) {
			t.Errorf("%s: the reader gets something else: %v", name, err)
		}
		must(t, <-done)
	}
	if info, err := os.Lstat(fifo); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("the FIFO is %v now, %v", info.Mode(), err)
	}
	if err := WriteBytes(filepath.Join(dir, "."), nil); !errors.Is(err, unix.EISDIR) {
		t.Errorf("a directory: %v, want %v", err, unix.EISDIR)
	}
}

// A device is written into, here one of the test's own, for the machine needs its.
func TestWriteFileIntoDevice(t *testing.T) {
	full := filepath.Join(t.TempDir(), "full")
	const majorMemory, minorFull = 1, 7
	if err := unix.Mknod(full, unix.S_IFCHR|0o666, int(unix.Mkdev(majorMemory, minorFull))); err != nil {
		t.Skipf("devices cannot be made here: %v", err)
	}
	if err := WriteBytes(full, []byte("content")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v, want %v", err, unix.ENOSPC)
	}
	if info, err := os.Lstat(full); err != nil || info.Mode()&fs.ModeCharDevice == 0 {
		t.Errorf("the device is %v now, %v", info.Mode(), err)
	}
}

// What a process has open, as /dev/stdout is, is written to at its end.
func TestWriteFileIntoOpenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	must(t, os.WriteFile(path, []byte("a line\n"), 0o600))
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	link := filepath.Join(filepath.Dir(path), "link")
	must(t, os.Symlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), link))
	must(t, WriteBytes(link, []byte("another\n")))
	if got, err := io.ReadAll(f); err != nil || string(got) != "a line\nanother\n" {
		t.Errorf("the open file holds %q, %v", got, err)
	}
}
