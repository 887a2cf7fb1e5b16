// Package mapping maps files into memory, to be read: what is in them takes none that cannot
// be taken back.
package mapping

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Open maps a regular file of at least so many octets, as what it is to hold has. The caller
// unmaps it. Reading past the end of a file that has become shorter meanwhile is a fault, for
// which package sigbus is.
func Open(path, what string, atLeast int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a FIFO is not waited for
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() < atLeast {
		return nil, fmt.Errorf("%s: not a %s: %s with %d octets, a %s is a file of at least %d", path, what, info.Mode(), info.Size(), what, atLeast)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping %d octets: %w", path, info.Size(), err)
	}
	return data, nil
}
