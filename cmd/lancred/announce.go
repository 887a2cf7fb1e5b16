package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"lancre/fleet/announce"
)

const announceExample = `  # on an edge with BIRD, configured as deploy/anycast/bird-edge.conf shows
  lancred announce

  # take the route, whatever is running: what the unit does when the agent has died
  lancred announce --withdraw`

// newAnnounce is the command lancred announce, which begins to run by began.
func newAnnounce(log *slog.Logger, began func()) *cobra.Command {
	cfg := announce.DefaultConfig()
	cfg.Log = log
	var addr string
	var withdraw bool
	cmd := &cobra.Command{
		Use:   "announce [flags]",
		Short: "Have BIRD announce this edge while its lancred is well",
		Long: `Announce asks lancred every second how it is, and has BIRD announce the route of this
edge as it is while lancred is ready, with a longer path while what it serves is
stale, and not at all while it does not answer. It withdraws the route when it ends.`,
		Example: announceExample,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return cfg.Check() },
		RunE: func(*cobra.Command, []string) error {
			began()
			a, err := announce.New(cfg)
			if err != nil {
				return err
			}
			if withdraw {
				return a.Withdraw()
			}
			return runAnnounce(a, cfg, addr)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	registerHealth(cmd, &cfg.Health)
	f.DurationVar(&cfg.Every, "every", cfg.Every, "ask it this often")
	f.IntVar(&cfg.Damping.Rise, "rise", cfg.Damping.Rise, "believe what is better when it was seen `N` times in a row")
	f.IntVar(&cfg.Damping.Fall, "fall", cfg.Damping.Fall, "believe what is worse when it was seen `N` times in a row")
	f.DurationVar(&cfg.Damping.Hold, "hold", cfg.Damping.Hold, "change from ready to stale or back no sooner than this after the last time")
	f.StringVar(&cfg.Socket, "bird", cfg.Socket, "the control `SOCKET` of BIRD")
	f.StringVar(&cfg.Ready, "ready", cfg.Ready, "the `PROTOCOL` that is up while lancred is ready")
	f.StringVar(&cfg.Stale, "stale", cfg.Stale, "the `PROTOCOL` that is up while it is stale")
	f.StringVar(&addr, "admin", "127.0.0.1:9092", "serve metrics and profiles on `ADDR`, which must not be public; empty for nowhere")
	f.BoolVar(&withdraw, "withdraw", false, "take the route and end")
	return cmd
}

// runAnnounce keeps the route until a signal says to stop.
func runAnnounce(a *announce.Agent, cfg announce.Config, addr string) error {
	private, err := listenAdmin(addr)
	if err != nil {
		return err
	}
	if err := confineAnnounce(cfg.Log); err != nil {
		return err
	}
	var ticked atomic.Bool // since it was last asked whether it is alive
	return beside(cfg.Log, private, a.Admin(), func() bool { return ticked.Swap(false) }, func(ctx context.Context) error {
		return a.Run(ctx, func() { ticked.Store(true) })
	})
}

// registerHealth declares how a lancred is asked.
func registerHealth(cmd *cobra.Command, h *announce.Health) {
	cmd.Flags().StringVar(&h.URL, "health", h.URL, "the admin `URL` of the lancred")
	cmd.Flags().DurationVar(&h.Within, "within", h.Within, "take it for dead if it does not answer within this")
}

// exitStatus is an error that the exit status says, and no text.
type exitStatus int

// Error implements error.
func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// newHealth is the command lancred health.
func newHealth() *cobra.Command {
	h := announce.Health{URL: "http://127.0.0.1:9090", Within: time.Second}
	cmd := &cobra.Command{
		Use:   "health [flags]",
		Short: "Say by the exit status how a lancred is",
		Long: `Health asks a lancred once how it is. The exit status is

  0  ready: it should get its share of traffic
  1  stale: it answers, but what it serves is old; prefer other edges
  2  dead: it should get no traffic; also for wrong usage

Whoever acts on it should want to see it some times in a row: three times for
better, twice for worse.`,
		Example: `  lancred health --health http://127.0.0.1:9090 || echo "prefer another edge"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, why := h.Ask(cmd.Context())
			fmt.Fprintln(cmd.OutOrStdout(), state, why)
			if state == announce.Ready {
				return nil
			}
			return exitStatus(announce.Ready - state)
		},
	}
	registerHealth(cmd, &h)
	return cmd
}
