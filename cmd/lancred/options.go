package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"lancre/index/store"
	"lancre/server"
)

// options are what the command line sets.
type options struct {
	server server.Config
	listen []string
	admin  string
	trust  []string
}

func newOptions(log *slog.Logger) *options {
	o := &options{server: server.DefaultConfig()}
	o.server.Log = log
	return o
}

// register declares the flags. What they mean is said at length in server.Config.
func (o *options) register(cmd *cobra.Command) {
	f, c := cmd.Flags(), &o.server
	f.SortFlags = false
	f.StringVar(&c.Store, "store", "", "the store `DIR` to serve")
	f.StringArrayVar(&o.listen, "listen", []string{"127.0.0.1:8080"}, "serve on `ADDR`, repeatable; sockets from systemd come instead")
	f.StringVar(&o.admin, "admin", "127.0.0.1:9090", "serve metrics, health and profiles on `ADDR`, which must not be public; empty for nowhere")
	f.StringArrayVar(&o.trust, "trust", nil, "serve only what is signed by a public key in `FILE`, repeatable")
	f.StringArrayVar(&c.Prefixes, "prefix", nil, "answer OCSP below this `PATH` only, repeatable")
	f.StringVar(&c.DefaultHost, "default-host", "", "serve the files of `HOST` to requests for unknown hosts")
	f.IntVar(&c.MalformedStatus, "malformed-status", c.MalformedStatus, "HTTP `STATUS` of malformedRequest: 400 or 200")
	f.IntVar(&c.ExpiredStatus, "expired-status", c.ExpiredStatus, "HTTP `STATUS` of tryLater in place of a response that is not valid now: 503 or 200")
	f.DurationVar(&c.NegativeMaxAge, "negative-max-age", c.NegativeMaxAge, "let caches keep an unauthorized answer this long")
	f.DurationVar(&c.CapMaxAge, "cap-max-age", c.CapMaxAge, "let caches keep a response no longer than this")
	f.DurationVar(&c.FreshWithin, "fresh-within", c.FreshWithin, "age of the generation, or since a source of it was read, beyond which /freshz says stale")
	f.IntVar(&c.MaxConns, "max-conns", c.MaxConns, "close connections beyond `N` when they come; 0 for no bound")
	f.IntVar(&c.MaxConnsPerPeer, "max-conns-per-peer", c.MaxConnsPerPeer, "the same for each IPv4 address and IPv6 /64; not behind a proxy or CDN")
	f.IntVar(&c.MaxRate, "max-rate", c.MaxRate, "answer more than `N` requests a second of one of these with tryLater; 0 for no bound")
	f.DurationVar(&c.DrainWait, "drain-wait", c.DrainWait, "when stopping, time to be not ready before draining")
	f.DurationVar(&c.Drain, "drain", c.Drain, "when stopping, time to answer with Connection: close")
	if err := cmd.MarkFlagRequired("store"); err != nil {
		panic(err) // the name is mistyped
	}
}

// readTrust reads the public keys that are named.
func (o *options) readTrust() (err error) {
	if len(o.trust) > 0 {
		o.server.Trust, err = store.ReadTrust(o.trust...)
	}
	return err
}
