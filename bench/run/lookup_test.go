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
