// Package service is what daemons say to the service manager that started them, if one
// did: systemd, or what speaks like it (sd_notify(3)).
package service

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// Notify tells of a state.
func Notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("the service manager was not notified", "state", state, "err", err)
	}
}

// Reload runs reload with word of its begin and end to a service manager that waits for
// them (systemd.service(5), Type=notify-reload).
func Reload(log *slog.Logger, reload func()) {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // every Linux has it
	Notify(log, fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
	reload()
	Notify(log, daemon.SdNotifyReady)
}

// Watchdog ticks twice in the time after which the service manager takes silence for a
// hang (sd_watchdog_enabled(3)); nil, which never ticks, if it does not.
func Watchdog(log *slog.Logger) <-chan time.Time {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog is not kept", "err", err)
	}
	if limit <= 0 {
		return nil
	}
	return time.Tick(limit / 2)
}
