package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrClaimed says that another process is at work in a directory.
var ErrClaimed = errors.New("another process is at work here: wait for it to end")

// Claim takes a directory, by flock(2), for the work of this process, and removes what one
// that was killed had in the making there. Closing the file, or the end of the process,
// however it ends, gives the directory back. It is ErrClaimed that another has it.
func Claim(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrClaimed
	}
	if err == nil {
		err = sweep(dir)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return f, nil
}

func sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), TempPrefix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
