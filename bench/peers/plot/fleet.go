package main

import "gonum.org/v1/plot"

// fleet draws how long it takes from a file at the origin to the edges.
func (r *results) fleet() (*plot.Plot, error) {
	var labels []string
	half, most := group{name: "half of all", colour: palette[0]}, group{name: "99 of 100", colour: palette[1]}
	for _, c := range []struct{ key, label string }{
		{"Fleet/5s/quiet", "polls of 5 s"}, {"Fleet/5s/replacing", "5 s, new shards"},
		{"Fleet/1s/quiet", "polls of 1 s"}, {"Fleet/1s/replacing", "1 s, new shards"},
	} {
		b := r.Fleet.Benchmarks[c.key]
		labels = append(labels, c.label)
		half.values, most.values = append(half.values, b["p50-ms"].Median/1e3), append(most.values, b["p99-ms"].Median/1e3)
	}
	return bars("From a file at the origin to an edge", "s", labels, []group{half, most})
}
