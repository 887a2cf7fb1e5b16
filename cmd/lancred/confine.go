package main

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock"
	abi "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// confine gives up, for good, what serving a store does not need: to gain
// privileges, to write, to read outside the store, to open TCP connections and
// to bind further ports. What is open stays open.
//
// Where the kernel has no Landlock, or an older one, it gives up less, and the
// log says so. A store that is a symbolic link is followed now and not again.
func confine(dir string, log *slog.Logger) error {
	if err := abi.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("giving up new privileges: %w", err)
	}
	version, err := abi.LandlockGetABIVersion()
	if err != nil {
		log.Warn("not confined: the kernel has no Landlock, or it is not among its lsm=", "err", err)
		return nil
	}
	const read = abi.AccessFSReadFile | abi.AccessFSReadDir
	// Version 5 has all that is given up here. From 6 on it would cut off a service
	// manager whose socket has an abstract name.
	err = landlock.V5.BestEffort().Restrict(
		landlock.PathAccess(read, dir),
		// Which may be a link to another disk, and may not be there yet.
		landlock.PathAccess(read, filepath.Join(dir, "objects")).IgnoreIfMissing(),
		// For the process metrics, where /proc is mounted.
		landlock.PathAccess(read, "/proc/self").IgnoreIfMissing(),
		landlock.PathAccess(abi.AccessFSReadFile, "/proc/stat").IgnoreIfMissing(),
	)
	if err != nil {
		return fmt.Errorf("confining the process to %s: %w", dir, err)
	}
	log.Info("confined", "to", dir, "landlock", version)
	return nil
}
