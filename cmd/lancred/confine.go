package main

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock"
	abi "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

const readOnly = abi.AccessFSReadFile | abi.AccessFSReadDir

// confine gives up, for good, what serving a store does not need: to gain
// privileges, to write, to read outside the store, to open TCP connections and
// to bind further ports. What is open stays open.
//
// Where the kernel has no Landlock, or an older one, it gives up less, and the
// log says so. A store that is a symbolic link is followed now and not again.
func confine(dir string, log *slog.Logger) error {
	// Version 5 has all that is given up here. From 6 on it would cut off a service
	// manager whose socket has an abstract name.
	return restrict(landlock.V5.BestEffort(), dir, log,
		landlock.PathAccess(readOnly, dir),
		// Which may be a link to another disk, and may not be there yet.
		landlock.PathAccess(readOnly, objects(dir)).IgnoreIfMissing(),
	)
}

// confinePull gives up what keeping a store does not need: to gain privileges, to write
// outside the store, to read but what name resolution and TLS want, and to bind
// further ports. To open connections is its job.
func confinePull(dir string, log *slog.Logger) error {
	return restrict(connecting(), dir, log,
		landlock.RWDirs(dir).WithRefer(),
		landlock.RWDirs(objects(dir)).WithRefer().IgnoreIfMissing(),
		landlock.PathAccess(readOnly, "/etc", "/usr/share", "/run/systemd/resolve", "/usr/local/share").IgnoreIfMissing(),
	)
}

// confineAnnounce gives up what speaking to lancred and BIRD does not need: to gain
// privileges, to write and read anything, and to bind further ports.
func confineAnnounce(log *slog.Logger) error { return restrict(connecting(), "connections", log) }

// connecting is what is given up, where no rule allows it, by who opens connections.
func connecting() landlock.Config {
	rights := landlock.V5
	rights.HandledAccessNet = abi.AccessNetBindTCP
	return rights.BestEffort()
}

func objects(dir string) string { return filepath.Join(dir, "objects") }

// restrict confines the process to what rules allow, and to what every process of ours
// reads: itself, for metrics.
func restrict(rights landlock.Config, to string, log *slog.Logger, rules ...landlock.Rule) error {
	if err := abi.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("giving up new privileges: %w", err)
	}
	version, err := abi.LandlockGetABIVersion()
	if err != nil {
		log.Warn("not confined: the kernel has no Landlock, or it is not among its lsm=", "err", err)
		return nil
	}
	rules = append(rules,
		landlock.PathAccess(readOnly, "/proc/self").IgnoreIfMissing(), // where /proc is mounted
		landlock.PathAccess(abi.AccessFSReadFile, "/proc/stat").IgnoreIfMissing(),
	)
	if err := rights.Restrict(rules...); err != nil {
		return fmt.Errorf("confining the process to %s: %w", to, err)
	}
	log.Info("confined", "to", to, "landlock", version)
	return nil
}
