// Lancred is the edge daemon: it answers OCSP requests, CRL and certificate
// downloads from a store that lancre build made. It holds no key.
//
//	lancred --store STORE [flags]           serves
//	lancred pull --from URL --store STORE   keeps a store like a published one
//	lancred announce                        gives BIRD this edge's route, or takes it
//	lancred health                          says by its exit status how lancred is
//
// Each is a process of its own, confined to its job: what serves cannot write, and what
// fetches does not serve. The rest of this is about the first; packages fleet/pull and
// fleet/announce say what the others do.
//
// On each --listen address, or the sockets that systemd passed:
//
//	GET /BASE64, POST /   OCSP, at any host; with --prefix PATH below that only
//	GET /PATH             the CRL, certificate or page published at that host and path
//
// On the --admin address, which must not be public:
//
//	GET  /metrics         Prometheus: docs/METRICS.md
//	GET  /livez           200 while the process answers: restart it if not
//	GET  /readyz          200, or 503: something is wrong with this edge, withdraw the route
//	GET  /freshz          200, or 503: prefer another edge, but keep the route
//	GET  /debug/pprof/    profiles
//	POST /reload          look for a new generation now; 409 if it is refused
//
// SIGHUP looks for a new generation, too. SIGTERM and SIGINT stop without failing a
// request, a second one stops at once.
//
// Logs are JSON lines on standard error, and none for a request: docs/OPERATIONS.md
// says what each asks for. Wrong usage is plain text, for it meets a person. The exit
// status is 0 after a signal to stop, 1 if the store or an address cannot be used, and
// 2 for wrong usage. "lancred --help" lists the flags, and the fields of server.Config
// say at length what they mean.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"lancre/internal/legible"
	"lancre/internal/service"
	"lancre/internal/usage"
	"lancre/server"
)

// Exit statuses. Zero is for a daemon that was told to stop.
const (
	exitFailed = 1 // the store, an address or a listener cannot be used
	exitUsage  = 2
)

func main() {
	log := slog.New(slog.NewJSONHandler(legible.JSON(os.Stderr), nil))
	o := newOptions(log)
	ran, status := false, exitStatus(0)
	began := func() { ran = true }
	root := newCommand(o, func() error { began(); return run(o) })
	root.AddCommand(newPull(log, began), newAnnounce(log, began), newHealth(), usage.Man("8"))
	usage.Prepare(root)
	cmd, err := root.ExecuteC()
	switch {
	case err == nil:
	case errors.As(err, &status):
		os.Exit(int(status))
	case ran:
		log.Error("stopped", "err", err)
		os.Exit(exitFailed)
	default:
		usage.Report(os.Stderr, cmd, err)
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
		Example: example,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return o.server.Check() },
		RunE:    func(*cobra.Command, []string) error { return run() },
	}
	o.register(cmd)
	return cmd
}

// run serves until a signal says to stop.
func run(o *options) error {
	log := o.server.Log
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // which would end the process
	if err := o.readTrust(); err != nil {
		return err
	}
	// Before the store is read: that an address is in use should not show after minutes.
	public, admin, err := o.open()
	if err != nil {
		return err
	}
	s, err := server.New(o.server)
	if err != nil {
		return err
	}
	term := make(chan os.Signal, 2)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGINT) // up to here they end it, for New may take minutes
	if err := confine(o.server.Store, log); err != nil {
		return err
	}
	logAddresses(log, public, admin)
	served := make(chan error, 1)
	go func() { served <- s.Serve(public, admin) }()
	service.Notify(log, daemon.SdNotifyReady)
	alive := service.Watchdog(log)
	for {
		select {
		case err := <-served:
			return err
		case <-alive:
			service.Notify(log, daemon.SdNotifyWatchdog)
		case <-hup:
			go service.Reload(log, func() { _, _ = s.Reload() }) // which logs what it comes to
		case sig := <-term:
			log.Info("stopping", "signal", sig.String())
			service.Notify(log, daemon.SdNotifyStopping)
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
