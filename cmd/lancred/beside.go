package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"

	"lancre/internal/admin"
)

// beside runs what is not the server until SIGTERM or SIGINT ends it. It shows handler
// on the admin address, if private is not nil, and tells the service manager that it has
// begun, that it ends and, while alive says so, that it goes on.
func beside(log *slog.Logger, private net.Listener, handler http.Handler, alive func() bool, run func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	logAddresses(log, nil, private)
	if private != nil {
		side := admin.NewServer(handler, log)
		defer side.Close()
		go func() { _ = side.Serve(private) }() // logs what goes wrong
	}
	notify(log, daemon.SdNotifyReady)
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	tick := watchdog(log)
	for {
		select {
		case <-tick:
			if alive() {
				notify(log, daemon.SdNotifyWatchdog)
			}
		case err := <-ended:
			log.Info("stopping")
			notify(log, daemon.SdNotifyStopping)
			return err
		}
	}
}
