package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"lancre/server"
)

// notify tells the service manager, if there is one.
func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("the service manager was not notified", "state", state, "err", err)
	}
}

// reload looks for a new generation, with word of its begin and end to a
// service manager that waits for them (systemd.service(5), Type=notify-reload).
func reload(s *server.Server, log *slog.Logger) {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // every Linux has it
	notify(log, fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
	_, _ = s.Reload() // logs what it comes to
	notify(log, daemon.SdNotifyReady)
}

// watchdog ticks twice in the time after which the service manager takes silence
// for a hang (sd_watchdog_enabled(3)); nil, which never ticks, if it does not.
func watchdog(log *slog.Logger) <-chan time.Time {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog is not kept", "err", err)
	}
	if limit <= 0 {
		return nil
	}
	return time.Tick(limit / 2)
}
