package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lock takes the lock that publications and gc of the store dir have in common:
// flock(2) on the directory itself. It waits for patience, which may be 0. Closing
// the file, or the end of the process, however it ends, gives the lock back.
func lock(dir string, patience time.Duration) (*os.File, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0) // a FIFO is not waited for
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(patience); ; time.Sleep(lockStep) {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
			break
		}
		if !time.Now().Before(until) {
			err = fmt.Errorf("%s: another publication or gc is under way%s: wait for it to end", dir, holder(f))
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lockStep is how often a lock that is held is tried: flock(2) cannot wait for some
// time only.
const lockStep = 2 * time.Millisecond

// claimDir takes the lock of a directory of objects in the making.
func claimDir(temp string) (*os.File, error) {
	f, err := os.Open(temp)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: flock: %w", temp, err)
	}
	return f, nil
}

// claimed reports whether path is a directory of objects in the making.
func claimed(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// holder says which process holds the flock on f, if /proc/locks tells: as in
//
//	7: FLOCK  ADVISORY  WRITE 4711 08:01:131074 0 EOF
//
// It says nothing on a file system, such as btrfs, whose files have another device
// number there than in stat(2).
func holder(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	st := info.Sys().(*syscall.Stat_t)
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	locks, _ := os.ReadFile("/proc/locks") // without it, the message has no process
	for line := range strings.Lines(string(locks)) {
		words := strings.Fields(line)
		if len(words) > 5 && words[1] == "FLOCK" && words[5] == file {
			return " (process " + words[4] + ")"
		}
	}
	return ""
}
