package main

import (
	"context"
	"fmt"

	"lancre/bench/traffic"
)

// An offered is what one server did when requests came at a fixed rate.
type offered struct {
	Server  string  `json:"server"`
	Rate    float64 `json:"offered"` // requests a second
	Reached float64 `json:"reached"` // answers a second
	CPU     float64 `json:"cpu_us"`  // of the server, for one request
	traffic.Latency
	Wrong  uint64 `json:"wrong"`
	Failed uint64 `json:"failed"`
	Unsent uint64 `json:"unsent"` // due, and not sent when the run ended
}

// openConnections are more than a closed loop has, for a request that is due to
// find one that is free.
const openConnections = "256"

// openServers are the ones compared under an offered load.
var openServers = map[string]bool{"lancred": true, baseline: true, "nginx files": true, "net/http and map": true}

func (r *runner) measureOffered(ctx context.Context) error {
	store, err := r.makeSmall(ctx)
	if err != nil {
		return err
	}
	scripts, err := r.small.scripts(r.asked)
	if err != nil {
		return err
	}
	var servers []server
	for _, s := range r.servers(r.small, store) {
		if openServers[s.name] {
			servers = append(servers, s)
		}
	}
	list, stop, err := r.startAll(ctx, servers)
	defer stop()
	if err != nil {
		return err
	}
	r.results.Offered = nil
	for _, rate := range r.rates {
		for i := range list {
			o, err := r.offer(ctx, &list[i], scripts[get], rate)
			if err != nil {
				return err
			}
			r.results.Offered = append(r.results.Offered, o)
		}
	}
	return printOffered(r.results.Offered)
}

func (r *runner) offer(ctx context.Context, c *contender, s script, rate float64) (offered, error) {
	exchanges, args := s.arguments(c, get, r.duration)
	run, err := r.load(ctx, c.process, exchanges, append(args, "--connections", openConnections, "--rate", fmt.Sprint(rate))...)
	if err != nil {
		return offered{}, fmt.Errorf("%s at %v/s: %w", c.name, rate, err)
	}
	return offered{c.name, rate, run.PerSecond(), cpuPerRequest(&run), run.Latency, run.Wrong, run.Failed, run.Unsent}, nil
}

func printOffered(list []offered) error {
	t := newTable("server", "offered/s", "answered/s", "CPU µs/request", "p50 µs", "p99 µs", "p99.9 µs", "wrong", "failed", "unsent")
	for _, o := range list {
		t.row(o.Server, o.Rate, o.Reached, o.CPU, o.P50, o.P99, o.P999, o.Wrong, o.Failed, o.Unsent)
	}
	return t.Flush()
}
