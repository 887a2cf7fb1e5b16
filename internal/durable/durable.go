// Package durable replaces files so that a crash at any moment leaves the old
// content or the new, whole, and what was reported done stays done. The system
// calls of WriteFile("DIR/name") are
//
//	open("DIR/.tmp-1", O_CREAT|O_EXCL) = 3
//	write(3)...
//	fchmod(3, 0644)
//	fsync(3)
//	rename("DIR/.tmp-1", "DIR/name")
//	fsync("DIR")
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// TempPrefix begins the name of every file in the making. A crash may leave one
// behind.
const TempPrefix = ".tmp-"

// WriteFile makes the file at path, of mode 0644, hold what write writes. If write fails, or
// anything else, the file is as it was; only if the very last step failed, the
// sync of the directory, the new content is already visible.
func WriteFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), TempPrefix)
	if err != nil {
		return err
	}
	defer f.Close()
	err = write(f)
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
