package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"lancre/build/demo"
)

// A scaled is what things cost in a store of so many responses, for what does not grow with it
// to be seen. Requests and additions are to one in as many shards as that of section hundred: an
// addition opens each.
type scaled struct {
	Records uint64            `json:"records"`
	GET     map[string]spread `json:"get_cpu_us"` // processor time, by server
	Lookup  map[string]spread `json:"lookup_ns"`  // of a hit, by index
	Build   spread            `json:"build"`      // responses a second, without verifying
	Merge   spread            `json:"merge"`      // responses of the new base, a second
	Add     spread            `json:"add_ms"`     // of one response, to the published generation
}

// scaleServers are those whose time is compared, with the most responses that they are given: a map of ten million
// takes longer to load than all else.
var scaleServers = map[string]uint64{"lancred": 1 << 40, baseline: 1 << 40, "net/http and map": 1_000_000}

// scaleTables are the indexes whose look-ups are compared.
var scaleTables = []string{"lancre", "cdb", "lmdb"}

// measureScale replaces what was measured of the sizes that it is given, and keeps others.
func (r *runner) measureScale(ctx context.Context) error {
	t := newTable("records", "GET CPU µs", "look-up ns", "built/s", "merged/s", "add ms")
	for _, n := range r.sizes {
		s, err := r.scale(ctx, n)
		if err != nil {
			return fmt.Errorf("%d responses: %w", n, err)
		}
		others := slices.DeleteFunc(r.results.Scale, func(o scaled) bool { return o.Records == n })
		r.results.Scale = append(others, s)
		t.row(n, s.GET["lancred"], s.Lookup["lancre"], s.Build, s.Merge, s.Add)
	}
	return t.Flush()
}

func (r *runner) scale(ctx context.Context, n uint64) (s scaled, err error) {
	c, err := r.makeCorpus(ctx, "scale", demo.Options{Unsigned: true}, n)
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(c.Dir)
	m, err := r.mergeRounds(ctx, c)
	if err != nil {
		return s, err
	}
	s = scaled{Records: n, Build: m.Build, Merge: m.Rate}
	if _, err := r.pack(ctx, c, c.store(), "--unverified", "--shards", strconv.Itoa(hundredShards)); err != nil {
		return s, err
	}
	if s.GET, err = r.scaleGET(ctx, c); err != nil {
		return s, err
	}
	if s.Add, err = r.scaleAdd(ctx, c); err != nil {
		return s, err
	}
	s.Lookup, err = r.scaleLookup(ctx, n)
	return s, err
}

func (r *runner) scaleGET(ctx context.Context, c *corpus) (map[string]spread, error) {
	scripts, err := c.scripts(r.asked)
	if err != nil {
		return nil, err
	}
	servers := slices.DeleteFunc(r.servers(c, c.store()), func(s server) bool { return c.N > scaleServers[s.name] })
	list, stop, err := r.startAll(ctx, servers)
	defer stop()
	if err != nil {
		return nil, err
	}
	rounds, err := r.closedRounds(ctx, list, get, scripts[get])
	if err != nil {
		return nil, err
	}
	times := make(map[string]spread)
	for name, samples := range rounds {
		c := sumClosed(name, get, samples, rounds[baseline])
		if c.Wrong+c.Failed > 0 {
			return nil, fmt.Errorf("%s: %d answers wrong, %d failed", name, c.Wrong, c.Failed)
		}
		times[name] = c.CPU
	}
	return times, nil
}

// scaleAdd adds to the store of c, each time a newer answer for the same certificate.
func (r *runner) scaleAdd(ctx context.Context, c *corpus) (spread, error) {
	newer := *c.Corpus
	part := &corpus{&newer}
	newer.N, newer.Responses = 1, c.Responses+".newer"
	var ms []float64
	for range r.rounds {
		newer.CA.ProducedAt = newer.CA.ProducedAt.Add(time.Second)
		if err := part.signFrom(0); err != nil {
			return spread{}, err
		}
		p, err := r.pack(ctx, part, c.store(), "--add", "--unverified")
		if err != nil {
			return spread{}, err
		}
		if p.Responses != newer.N {
			return spread{}, fmt.Errorf("%d of %d responses were added", p.Responses, newer.N)
		}
		ms = append(ms, p.Seconds*1000)
	}
	return spreadOf(ms), nil
}

// scaleLookup takes over what the section of look-ups has of n responses, and else measures it.
func (r *runner) scaleLookup(ctx context.Context, n uint64) (map[string]spread, error) {
	l := r.results.Among(n)
	if l.Records == 0 {
		s := suite{module: "bench/peers", pkg: "./table", pattern: "Table/(" + strings.Join(scaleTables, "|") + ")/hit", args: r.bench}
		out, err := r.runSuite(ctx, s, n)
		if err != nil {
			return nil, err
		}
		l.Benchmarks = parseBenchmarks(bytes.NewReader(out))
	}
	times := make(map[string]spread)
	for _, name := range scaleTables {
		if ns := l.Table(name, "hit")["ns/op"]; ns.Count > 0 {
			times[name] = ns
		}
	}
	return times, nil
}

// Scales are the sizes that were measured, ascending, with what of the section hundred can be compared with
// them: its build waits for what it is given, and its merge is of one shard.
func (r *results) Scales() []scaled {
	list := slices.Clone(r.Scale)
	if h := &r.Hundred; h.Responses > 0 {
		list = append(list, scaled{Records: h.Responses, GET: map[string]spread{"lancred": h.Warm.CPU}, Add: h.One.times(1000)})
	}
	slices.SortStableFunc(list, func(a, b scaled) int { return cmp.Compare(a.Records, b.Records) })
	return list
}

// parseSizes reads numbers such as 100k, 1M and 2500000.
func parseSizes(list string) (sizes []uint64, err error) {
	for word := range strings.SplitSeq(list, ",") {
		digits, times := word, uint64(1)
		switch {
		case strings.HasSuffix(word, "k"):
			digits, times = strings.TrimSuffix(word, "k"), 1_000
		case strings.HasSuffix(word, "M"):
			digits, times = strings.TrimSuffix(word, "M"), 1_000_000
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("size %q of %q: want a number from 1 on, with k or M behind it or none, as in 100k,1M,10M", word, list)
		}
		sizes = append(sizes, n*times)
	}
	return sizes, nil
}
