package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseBenchmarks(t *testing.T) {
	const text = `goos: linux
BenchmarkTable/cdb/hit-2    339073   300 ns/op   24.0 overhead/entry
BenchmarkCold/mmap-random-2 100      60.5 ns/op
BenchmarkTable/cdb/hit-2    339073   310 ns/op   24.0 overhead/entry
BenchmarkTable/cdb/hit-2    339073   400 ns/op   24.0 overhead/entry
PASS
ok  	lancre/bench	1.583s
`
	want := map[string]benchmark{
		"Table/cdb/hit":    {"ns/op": {310, 300, 400, 3}, "overhead/entry": {24, 24, 24, 3}},
		"Cold/mmap-random": {"ns/op": {60.5, 60.5, 60.5, 1}},
	}
	if got := parseBenchmarks(strings.NewReader(text)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// timed has a median for each name.
func timed(medians map[string]float64) map[string]benchmark {
	all := make(map[string]benchmark)
	for name, ns := range medians {
		all[name] = benchmark{"ns/op": one(ns), "octets/entry": one(300)}
	}
	return all
}

// twoSizes are look-ups of which the larger leave one index out.
func twoSizes() results {
	return results{Records: 1e6, Many: 2e7, Lookups: []lookups{
		{1e6, timed(map[string]float64{"Floor": 200, "Lookup/hit/chained": 300, "Table/lancre/hit": 400, "Table/cdb/hit": 320, "Table/map/hit": 500})},
		{2e7, timed(map[string]float64{"Floor": 250, "Lookup/hit/chained": 500, "Table/lancre/hit": 450, "Table/map/hit": 600})},
	}}
}

func TestLookupsOfTwoSizes(t *testing.T) {
	r := twoSizes()
	for _, c := range []struct {
		n          uint64
		floor, cdb float64
	}{{1e6, 1.5, 1.25}, {2e7, 2, 0}, {3e6, 0, 0}} {
		l := r.Among(c.n)
		if floor, cdb := l.toFloor().Median, l.toCDB().Median; floor != c.floor || cdb != c.cdb {
			t.Errorf("%d records: %v to the floor, %v to cdb, want %v, %v", c.n, floor, cdb, c.floor, c.cdb)
		}
	}
}

func FuzzParseBenchmarks(f *testing.F) {
	f.Add("BenchmarkFloor-2 100 60.5 ns/op\nPASS\n")
	f.Fuzz(func(t *testing.T, text string) { parseBenchmarks(strings.NewReader(text)) })
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   spread
	}{{nil, spread{}}, {[]float64{3}, spread{3, 3, 3, 1}}, {[]float64{4, 1, 2, 3}, spread{2.5, 1, 4, 4}}, {[]float64{3, 1, 2}, spread{2, 1, 3, 3}}} {
		if got := spreadOf(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
}
