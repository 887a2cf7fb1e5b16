package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"lancre/bench/traffic"
)

// results is everything that was measured, as it is in results.json.
type results struct {
	Measured map[string]stamp `json:"measured"` // by section
	Kernel   string           `json:"kernel"`
	Records  uint64           `json:"records"`
	Many     uint64           `json:"many"`

	Closed  []closed  `json:"closed"`
	Offered []offered `json:"offered"`
	Lookups []lookups `json:"lookups"` // among Records, and among Many
	Builds  []built   `json:"builds"`
	Large   []packed  `json:"large"`
	Start   start     `json:"start"`
	Swap    []swapped `json:"swap"`
	Cold    cold      `json:"cold"`
	Added   added     `json:"added"`
	Merged  merged    `json:"merged"`
	Fresh   fresh     `json:"fresh"`
	Grown   grown     `json:"grown"`
	Signed  signed    `json:"signed"`
}

// A stamp says when something was measured, and of what.
type stamp struct {
	Date   string `json:"date"`
	Commit string `json:"commit"`
}

func (s stamp) String() string { return s.Date + ", commit " + s.Commit }

// A spread is several measurements of one thing.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Count  int     `json:"count"` // of measurements; 0: not measured
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{(sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1], n}
}

func (s spread) String() string {
	return fmt.Sprintf("%s (%s to %s)", figure(s.Median), figure(s.Min), figure(s.Max))
}

// figure prints v to four digits, but never with an exponent.
func figure(v float64) string {
	if math.Abs(v) >= 1e4 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// millions says how many responses there are.
func millions(n uint64) string { return figure(float64(n)/1e6) + " M" }

// describe says what is measured, and on what.
func (r *results) describe(s size) {
	r.Kernel = output("uname", "-sr")
	r.Records, r.Many = s.records, s.many
}

// mark notes that a section was measured now.
func (r *results) mark(section string) {
	if r.Measured == nil {
		r.Measured = make(map[string]stamp)
	}
	r.Measured[section] = stamp{time.Now().UTC().Format("2006-01-02"), output("git", "rev-parse", "--short", "HEAD")}
}

// When says when the sections were measured: once, if all were at the same time.
func (r *results) When() string {
	var stamps []stamp
	names := make(map[stamp][]string)
	for _, section := range slices.Sorted(maps.Keys(r.Measured)) {
		s := r.Measured[section]
		if names[s] == nil {
			stamps = append(stamps, s)
		}
		names[s] = append(names[s], section)
	}
	if len(stamps) == 1 {
		return stamps[0].String()
	}
	var parts []string
	for _, s := range stamps {
		parts = append(parts, fmt.Sprintf("%s (%s)", s, strings.Join(names[s], ", ")))
	}
	return strings.Join(parts, "; ")
}

func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func (r *results) read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, r); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// write replaces path, so that what is there is always whole.
func (r *results) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".results-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(append(text, '\n')); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// medians takes one figure of every round.
func medians(rounds []sample, figure func(*sample) float64) spread {
	values := make([]float64, len(rounds))
	for i := range rounds {
		values[i] = figure(&rounds[i])
	}
	return spreadOf(values)
}

// A sample is one load run against one server.
type sample struct {
	traffic.Result
	cpu time.Duration // of the server
}
