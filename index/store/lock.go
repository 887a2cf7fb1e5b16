package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// lock takes the lock that publications and gc of the store dir have in common:
// flock(2) on the directory itself. It does not wait. Closing the file, or the end
// of the process, however it ends, gives the lock back.
func lock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("%s: another publication or gc is under way%s: wait for it to end", dir, holder(f))
	} else if err != nil {
		err = fmt.Errorf("%s: flock: %w", dir, err)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
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
