// Lancred is the edge daemon: it answers OCSP requests, CRL and certificate
// downloads from a store that lancre build made. It holds no key.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"lancre/server"
)

// Exit statuses. Zero is for a daemon that was told to stop.
const (
	exitFailed = 1 // the store, an address or a listener cannot be used
	exitUsage  = 2
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	o := newOptions(log)
	ran := false
	cmd := newCommand(o, func() error { ran = true; return run(o) })
	err := cmd.Execute()
	switch {
	case err == nil:
	case ran:
		log.Error("stopped", "err", err)
		os.Exit(exitFailed)
	default:
		fmt.Fprintf(os.Stderr, "lancred: %v\nTry 'lancred --help'.\n", err)
		os.Exit(exitUsage)
	}
}

const example = `  # serve a store on port 80 of all addresses
  lancred --store /var/lib/lancre --listen :80

  # answer OCSP below /ocsp only; a responder behind a CDN that is never purged
  lancred --store /var/lib/lancre --prefix /ocsp --cap-max-age 1h

  # look for a new generation now
  kill -HUP $(pidof lancred)    or    curl -X POST http://127.0.0.1:9090/reload`

func newCommand(o *options, run func() error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lancred --store STORE [flags]",
		Short: "Serve pre-signed OCSP responses, CRLs and certificates",
		Long: `Lancred serves a store that lancre build made: OCSP responses by GET and POST, CRLs
and certificates at their paths. It follows the store: a new generation is
checked, warmed and served from then on; one that cannot be used is refused.

SIGHUP looks for a new generation now. SIGTERM stops without failing a request;
a second one stops at once. Logs are JSON on standard error.`,
		Example:       example,
		Version:       version(),
		Args:          cobra.NoArgs,
		PreRunE:       func(*cobra.Command, []string) error { return o.server.Check() },
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(*cobra.Command, []string) error { return run() },
	}
	o.register(cmd)
	return cmd
}

// version is the module version, or the commit the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// run serves until a signal says to stop.
func run(o *options) error {
	log := o.server.Log
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // which would end the process
	s, err := server.New(o.server)
	if err != nil {
		return err
	}
	term := make(chan os.Signal, 2)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGINT) // up to here they end it, for New may take minutes
	public, admin, err := o.open()
	if err != nil {
		return err
	}
	if err := confine(o.server.Store, log); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(public, admin) }()
	notify(log, daemon.SdNotifyReady)
	alive := watchdog(log)
	for {
		select {
		case err := <-served:
			return err
		case <-alive:
			notify(log, daemon.SdNotifyWatchdog)
		case <-hup:
			go reload(s, log)
		case sig := <-term:
			log.Info("stopping", "signal", sig.String())
			notify(log, daemon.SdNotifyStopping)
			return shutdown(s, log, term)
		}
	}
}

// shutdown stops s, at once if another signal comes: then requests that are cut
// off are no error, and there may be none.
func shutdown(s *server.Server, log *slog.Logger, term <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-term
		cancel()
	}()
	err := s.Shutdown(ctx)
	if ctx.Err() == nil {
		return err
	}
	log.Warn("stopped at once", "err", err)
	return nil
}
