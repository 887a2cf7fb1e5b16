// Plot draws what bench/run measured.
//
//	plot DIR    reads DIR/results.json, writes DIR/*.svg
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// results are the parts of results.json that are drawn: see bench/run.
type results struct {
	Closed []struct {
		Server, Method string
		CPU            spread `json:"cpu_us"`
	}
	Offered []offered
	Builds  []struct {
		Kind         string
		Rate, Verify spread
		Octets       float64
	}
	Lookups []struct {
		Records    float64
		Benchmarks map[string]map[string]spread
	}
	Grown struct {
		Course []moment
	}
	Fleet struct {
		Benchmarks map[string]map[string]spread
	}
}

type moment struct {
	Lines float64
	Anon  float64 // octets
	P99   float64 `json:"p99_us"`
}

type spread struct{ Median float64 }

type offered struct {
	Server  string
	Rate    float64 `json:"offered"`
	Reached float64
	P50     float64 `json:"p50_us"`
	P99     float64 `json:"p99_us"`
	P999    float64 `json:"p999_us"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: plot DIR")
		os.Exit(2)
	}
	if err := drawAll(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "plot: %v\n", err)
		os.Exit(1)
	}
}

func drawAll(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil {
		return err
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("results.json: %w", err)
	}
	for _, p := range []struct {
		name string
		draw func(*results) (*plot.Plot, error)
	}{
		{"throughput", (*results).throughput},
		{"latency", (*results).latency},
		{"cpu", (*results).cpu},
		{"size", (*results).size},
		{"build", (*results).build},
		{"lookup", (*results).lookup},
		{"growth", (*results).growth},
		{"fleet", (*results).fleet},
	} {
		drawing, err := p.draw(&r)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := drawing.Save(18*vg.Centimeter, 10*vg.Centimeter, filepath.Join(dir, p.name+".svg")); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}
