package main

import (
	"context"
	"fmt"
)

// An offered is what one server did when requests came at a fixed rate.
type offered struct {
	Server  string  `json:"server"`
	Rate    float64 `json:"offered"` // requests a second
	Reached spread  `json:"reached"` // answers a second
	CPU     spread  `json:"cpu_us"`  // of the server, for one request
	P50     spread  `json:"p50_us"`
	P99     spread  `json:"p99_us"`
	P999    spread  `json:"p999_us"`
	Wrong   uint64  `json:"wrong"`
	Failed  uint64  `json:"failed"`
	Unsent  uint64  `json:"unsent"` // due, and not sent when the run ended
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
		rounds := make([][]sample, len(list))
		for range min(r.rounds, 3) {
			for i := range list {
				run, err := r.offer(ctx, &list[i], scripts[get], rate)
				if err != nil {
					return err
				}
				rounds[i] = append(rounds[i], run)
			}
		}
		for i := range list {
			r.results.Offered = append(r.results.Offered, sumOffered(list[i].name, rate, rounds[i]))
		}
	}
	return printOffered(r.results.Offered)
}

func (r *runner) offer(ctx context.Context, c *contender, s script, rate float64) (sample, error) {
	exchanges, args := s.arguments(c, get, r.duration)
	run, err := r.load(ctx, c.process, exchanges, append(args, "--connections", openConnections, "--rate", fmt.Sprint(rate))...)
	if err != nil {
		return run, fmt.Errorf("%s at %v/s: %w", c.name, rate, err)
	}
	return run, nil
}

func sumOffered(server string, rate float64, rounds []sample) offered {
	o := offered{
		Server: server, Rate: rate, CPU: medians(rounds, cpuPerRequest),
		Reached: medians(rounds, func(s *sample) float64 { return s.PerSecond() }),
		P50:     medians(rounds, func(s *sample) float64 { return s.P50 }),
		P99:     medians(rounds, func(s *sample) float64 { return s.P99 }),
		P999:    medians(rounds, func(s *sample) float64 { return s.P999 }),
	}
	for i := range rounds {
		o.Wrong += rounds[i].Wrong
		o.Failed += rounds[i].Failed
		o.Unsent += rounds[i].Unsent
	}
	return o
}

func printOffered(list []offered) error {
	t := newTable("server", "offered/s", "answered/s", "CPU µs/request", "p50 µs", "p99 µs", "p99.9 µs", "wrong", "failed", "unsent")
	for _, o := range list {
		t.row(o.Server, o.Rate, o.Reached, o.CPU, o.P50, o.P99, o.P999, o.Wrong, o.Failed, o.Unsent)
	}
	return t.Flush()
}
