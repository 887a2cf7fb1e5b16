package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"lancre/internal/admin"
	"lancre/internal/service"
	"lancre/origin"
)

func newFollow() *cobra.Command {
	var file string
	var check bool
	cmd := &cobra.Command{
		Use:   "follow --config FILE [--check]",
		Short: "Publish by itself what a CA changes, as long as it runs",
		Long: `Follow reads sources, files that appear in a directory, rows of a database, the output of
a program, a tree of CRLs and certificates, CRLs of other servers, and publishes what is
new in them as lancre add does, as soon as it comes. It merges layers, removes old
generations, and publishes once a minute that nothing is new. It can sign all that, and
publish it to buckets as lancre publish does.

FILE is in TOML; lancre init writes one with comments, and docs/FOLLOW.md has all of it.
--check says what it would do, and does nothing.

SIGHUP reads FILE anew; where that is wrong, what was read before stays. SIGTERM ends it
after the commit under way. Logs are JSON on standard error.`,
		Example: `  lancre follow --config lancre.toml --check
  lancre follow --config lancre.toml`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		RunE: work(func(cmd *cobra.Command, _ []string) error {
			c, err := origin.Load(file)
			if err != nil {
				return err
			}
			if check {
				return c.Describe(cmd.OutOrStdout())
			}
			d := &following{file: file, log: slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))}
			return d.run(cmd.Context(), c)
		}),
	}
	cmd.Flags().StringVar(&file, "config", "", "read `FILE`, in TOML")
	cmd.Flags().BoolVar(&check, "check", false, "say what would be done, and do nothing")
	must(cmd.MarkFlagRequired("config"))
	must(cmd.MarkFlagFilename("config", "toml"))
	return cmd
}

// A following runs one configuration after another.
type following struct {
	file  string
	log   *slog.Logger
	admin atomic.Pointer[http.Handler] // of the one that runs
}

// run follows c, and what the file says at each SIGHUP, until ctx ends.
func (d *following) run(ctx context.Context, c *origin.Config) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // which would end the process
	defer signal.Stop(hup)
	if c.Admin != "" {
		stop, err := d.listen(c.Admin)
		if err != nil {
			return err
		}
		defer stop()
	}
	alive := service.Watchdog(d.log)
	for admin := c.Admin; ; {
		next, err := d.follow(ctx, c, hup, alive)
		if err != nil || next == nil {
			return err
		}
		if c = next; c.Admin != admin {
			d.log.Warn("another admin address takes a restart", "addr", admin, "configured", c.Admin)
		}
	}
}

// follow follows c until ctx ends, or until SIGHUP: then it returns what is to follow.
func (d *following) follow(ctx context.Context, c *origin.Config, hup <-chan os.Signal, alive <-chan time.Time) (next *origin.Config, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := origin.New(c, d.log)
	handler := f.Admin()
	d.admin.Store(&handler)
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	service.Notify(d.log, daemon.SdNotifyReady)
	stopping := ctx.Done()
	for {
		select {
		case err := <-ended:
			return next, err
		case <-stopping:
			stopping = nil
			if next == nil {
				d.log.Info("stopping")
				service.Notify(d.log, daemon.SdNotifyStopping)
			}
		case <-alive:
			if f.Alive() {
				service.Notify(d.log, daemon.SdNotifyWatchdog)
			}
		case <-hup:
			service.Reload(d.log, func() {
				if read := d.reload(); read != nil {
					next = read
					cancel()
				}
			})
		}
	}
}

// reload reads the file anew; nil if it is wrong.
func (d *following) reload() *origin.Config {
	c, err := origin.Load(d.file)
	if err != nil {
		d.log.Error("the configuration is wrong and was not taken over", "err", err)
		return nil
	}
	d.log.Info("configuration read", "file", d.file)
	return c
}

// listen answers on the admin address until stop is called.
func (d *following) listen(addr string) (stop func(), err error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	d.log.Info("admin listening", "addr", ln.Addr().String())
	current := func(w http.ResponseWriter, r *http.Request) { (*d.admin.Load()).ServeHTTP(w, r) }
	s := admin.NewServer(http.HandlerFunc(current), d.log)
	go s.Serve(ln)
	return func() { s.Close() }, nil
}
