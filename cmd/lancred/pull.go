package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"lancre/fleet/pull"
	"lancre/index/store"
	"lancre/internal/usage"
)

const pullExample = `  # keep a store like the bucket behind the cache of this site
  lancred pull --from http://cache.site.example.org/store --from https://bucket.example.org/store \
    --trust /etc/lancre/origin.pub --store /var/lib/lancre --health http://127.0.0.1:9090

  # poll now
  kill -HUP $(pidof -s lancred)    or    systemctl reload lancred-pull`

// newPull is the command lancred pull, which begins to run by began.
func newPull(log *slog.Logger, began func()) *cobra.Command {
	cfg := pull.DefaultConfig()
	cfg.Log = log
	var trust []string
	var addr string
	cmd := &cobra.Command{
		Use:   "pull --from URL --store STORE [flags]",
		Short: "Keep a store like one that is published elsewhere",
		Long: `Pull fetches what an origin published, from a bucket, a cache or any web server, into
a store that another lancred serves. It verifies who signed it, fetches what is
missing, repairs what is damaged, and installs a generation when all of it is here.

SIGHUP polls now. SIGTERM stops; what has come of an object is gone on with after the
next start. Logs are JSON on standard error.`,
		Example: pullExample,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return cfg.Check() },
		RunE: func(*cobra.Command, []string) (err error) {
			began()
			if len(trust) > 0 {
				cfg.Trust, err = store.ReadTrust(trust...)
			}
			if err != nil {
				return fmt.Errorf("--trust: %w", err)
			}
			return runPull(cfg, addr)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVar(&cfg.From, "from", nil, "fetch from below this `URL`, repeatable: the nearest source first")
	f.StringArrayVar(&trust, "trust", nil, "take only what is signed by a public key in `FILE`, repeatable")
	f.StringVar(&cfg.Store, "store", "", "the store `DIR` to keep")
	f.StringVar(&addr, "admin", "127.0.0.1:9091", "serve metrics, health and profiles on `ADDR`, which must not be public; empty for nowhere")
	f.DurationVar(&cfg.Every, "every", cfg.Every, "ask for the manifest this often, give or take a fifth")
	f.Var(usage.Octets(&cfg.MaxSize), "max-size", "refuse a generation of more than `SIZE`")
	f.Var(usage.Octets(&cfg.MaxBandwidth), "max-bandwidth", "fetch what is not needed yet at `SIZE` a second")
	f.DurationVar(&cfg.Lag, "lag", cfg.Lag, "install a generation this long after its objects have come")
	f.StringVar(&cfg.Health, "health", "", "the admin `URL` of the lancred that serves the store: put a generation back that it does not serve")
	f.DurationVar(&cfg.HealthWithin, "health-within", cfg.HealthWithin, "time that it has for it")
	f.BoolVar(&cfg.AcceptExpired, "accept-expired", false, "have an empty store take a manifest that has expired")
	for _, name := range []string{"from", "store"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the name is mistyped
		}
	}
	return cmd
}

// runPull pulls until a signal says to stop.
func runPull(cfg pull.Config, addr string) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	p, err := pull.New(cfg)
	if err != nil {
		return err
	}
	private, err := listenAdmin(addr)
	if err == nil {
		err = confinePull(cfg.Store, cfg.Log)
	}
	if err == nil {
		err = beside(cfg.Log, private, p.Admin(), p.Alive, func(ctx context.Context) error {
			p.Run(ctx, hup)
			return nil
		})
	}
	return errors.Join(err, p.Close())
}
