// Package durable replaces files so that a crash at any moment leaves the old
// content or the new, whole, and what was reported done stays done. The system
// calls of WriteFile("DIR/name") are
//
//	open("DIR/.tmp-1", O_CREAT|O_EXCL) = 3
//	write(3)..., sync_file_range(3, SYNC_FILE_RANGE_WRITE) for every 2 MiB
//	fchmod(3, 0644)
//	fsync(3)
//	rename("DIR/.tmp-1", "DIR/name")
//	fsync("DIR")
//
// A symbolic link stays, and the file that it leads to is replaced. What exists and is
// no regular file is not replaced, for nobody wants /dev/null to become one: it is
// written into.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// TempPrefix begins the name of every file in the making. A crash may leave one
// behind.
const TempPrefix = ".tmp-"

// WriteFile makes the file at path, of mode 0644, hold what write writes. If write fails, or
// anything else, the file is as it was; only if the very last step failed, the
// sync of the directory, the new content is already visible. A device, a FIFO, or a file
// that a process has open under /proc gets what write writes as it comes.
func WriteFile(path string, write func(io.Writer) error) error {
	path, into, err := destination(path)
	switch {
	case err != nil:
		return err
	case into:
		return writeInto(path, write)
	}
	return replace(path, write)
}

// replace makes or replaces the regular file at path.
func replace(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), TempPrefix)
	if err != nil {
		return err
	}
	defer f.Close()
	err = write(&behind{file: f})
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	if err == nil {
		err = Finish(f, 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// A behind is a file being written, which the kernel begins to write to the disk when there
// is enough of it, so that little is left to wait for at the end.
type behind struct {
	file  *os.File
	size  int64
	begun int64 // octets that it has begun to write
}

// enough, in octets, is that of a block of a segment: begun so, 45 MB of a CRL are on the disk
// 25 ms earlier.
const enough = 2 << 20

func (b *behind) Write(p []byte) (int, error) {
	n, err := b.file.Write(p)
	if b.size += int64(n); b.size-b.begun >= enough {
		_ = unix.SyncFileRange(int(b.file.Fd()), b.begun, b.size-b.begun, unix.SYNC_FILE_RANGE_WRITE) // advice
		b.begun = b.size
	}
	return n, err
}

// maxLinks is how many symbolic links are followed, as in path_resolution(7).
const maxLinks = 40

// destination follows the symbolic links at path, and says whether what they lead to is
// to be written into.
func destination(path string) (target string, into bool, err error) {
	for range maxLinks {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, false, nil
		}
		if err != nil {
			return path, false, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return path, !info.Mode().IsRegular(), nil
		}
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return path, false, err
		}
		if strings.HasPrefix(dir, "/proc/") { // /dev/stdout: more than the link says, for it is open
			return path, true, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return path, false, err
		}
		if path = link; !filepath.IsAbs(link) {
			path = filepath.Join(dir, link) // dir has no links, so that .. is what it seems
		}
	}
	return path, false, &fs.PathError{Op: "open", Path: path, Err: unix.ELOOP}
}

// writeInto writes to what is no regular file, or to the end of one that is open. A FIFO
// that nobody reads is not waited for.
func writeInto(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("%w: a FIFO that nobody reads, or a socket", err)
	}
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Close()
}

// WriteBytes is WriteFile of content.
func WriteBytes(path string, content []byte) error {
	return WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Finish gives f its mode and waits until content and mode are on disk.
func Finish(f *os.File, mode fs.FileMode) error {
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return f.Sync()
}

// MakeDir makes the directory path unless something of that name exists. Its
// parent must exist.
func MakeDir(path string) error {
	err := os.Mkdir(path, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir waits until the names in dir are on disk.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
