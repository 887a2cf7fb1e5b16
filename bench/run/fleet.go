package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"lancre/bench/plot"
)

// A fleet is how long it takes from a file at the origin to the edges of a fleet, and what
// that costs.
type fleet struct {
	Records    uint64               `json:"records"`
	Edges      int                  `json:"edges"`
	Benchmarks map[string]benchmark `json:"benchmarks"`
}

func (r *runner) measureFleet(ctx context.Context) error {
	s := suite{module: ".", pkg: "./bench", pattern: "Fleet", args: r.followed, env: []string{"LANCRE_BENCH_PULLS=" + strconv.Itoa(r.edges)}}
	out, err := r.runSuite(ctx, s, r.records)
	if err != nil {
		return err
	}
	f := fleet{r.records, r.edges, parseBenchmarks(bytes.NewReader(out))}
	if len(f.Benchmarks) == 0 {
		return fmt.Errorf("nothing was measured: %s", out)
	}
	r.results.Fleet = f
	t := newTable("edges that poll each", "p50 ms", "p99 ms", "beyond", "octets an edge and minute", "origin %", "storage %", "cache %", "all edges %")
	for _, c := range f.Cases() {
		t.row(c.Name, c.At("p50-ms"), c.At("p99-ms"), c.At("beyond-p99-ms"), c.At("edge-B/min"), c.At("origin-%"), c.At("storage-%"), c.At("cache-%"), c.At("edges-%"))
	}
	return t.Flush()
}

// A fleetCase is one way in which a fleet was followed.
type fleetCase struct {
	Name string
	benchmark
}

// At is the median of a unit, as of all else where there is one measurement.
func (c fleetCase) At(unit string) float64 { return c.benchmark[unit].Median }

// Cases are those that were measured, as tables have them.
func (f fleet) Cases() (all []fleetCase) {
	for _, c := range []struct{ key, name string }{
		{"Fleet/5s/quiet", "5 s"}, {"Fleet/5s/replacing", "5 s, shards being replaced"},
		{"Fleet/1s/quiet", "1 s"}, {"Fleet/1s/replacing", "1 s, shards being replaced"},
	} {
		if b, ok := f.Benchmarks[c.key]; ok {
			all = append(all, fleetCase{c.name, b})
		}
	}
	return all
}

// beyond is what comes to the time between two polls, at p99, ms.
func (f fleet) beyond(which string) spread { return f.Benchmarks["Fleet/"+which]["beyond-p99-ms"] }

// drawFleet draws how long it takes from a file at the origin to the edges.
func (r *results) drawFleet() *plot.Figure {
	cases := r.Fleet.Cases()
	if len(cases) == 0 {
		return nil
	}
	b := &plot.Bars{Unit: "s", Series: []string{"half of all", "99 of 100"}}
	g := plot.Group{Title: "Edges poll each"}
	for _, c := range cases {
		g.Rows = append(g.Rows, plot.Row{Name: c.Name, Ours: true, Values: []plot.Value{c.benchmark["p50-ms"].drawn(milli), c.benchmark["p99-ms"].drawn(milli)}})
	}
	b.Groups = []plot.Group{g}
	return &plot.Figure{
		Title: "From a file at the origin to an edge", Note: fmt.Sprintf("Less is better. %d edges, %s responses.", r.Fleet.Edges, millions(r.Fleet.Records)),
		Panels: []plot.Panel{b},
	}
}
