package store

import (
	"errors"
	"fmt"
	"io/fs"
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

// errTaken says that something in the making cannot be claimed: somebody else has, who
// makes it, or gc, which removes it.
var errTaken = errors.New("somebody else has claimed it")

// claim takes the lock of the directory of objects in the making at path, which says that
// it is not left behind. It is there then, until whoever claims it removes it.
func claim(path string) (*os.File, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errTaken
	case err != nil:
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK) || err == nil && !isAt(f, path):
		err = errTaken
	case err != nil:
		err = fmt.Errorf("%s: flock: %w", path, err)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// isAt reports whether path still leads to f.
func isAt(f *os.File, path string) bool {
	own, err := f.Stat()
	there, gone := os.Stat(path)
	return err == nil && gone == nil && os.SameFile(own, there)
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
