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
	// FileOctets is what a response takes on the disk that has a file for itself.
	FileOctets float64 `json:"file_octets"`

	CRLs    []fetched `json:"crls"`
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

	Followed followed `json:"followed"`
	Fleet    fleet    `json:"fleet"`
	Signed   signed   `json:"signed"`
	Scale    []scaled `json:"scale"`
	Hundred  hundred  `json:"hundred"`
}

// A stamp says when something was measured, of what, by which processor, and how busy the
// machine was before.
type stamp struct {
	Date      string  `json:"date"`
	Commit    string  `json:"commit"`
	Processor string  `json:"processor"`
	Load      float64 `json:"load,omitempty"` // average of a minute; 0: not noted
	Took      float64 `json:"took,omitempty"` // seconds; 0: not noted
}

func (s stamp) String() string { return s.Date + ", commit " + s.Commit + ", " + s.Processor }

// processor is the model of the machine's first.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, model, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return "unknown processor"
}

// busy is a load of which figures must tell: two are from the section before.
const busy = 4

// loadAverage is that of the last minute.
func loadAverage() (load float64) {
	text, _ := os.ReadFile("/proc/loadavg")
	fmt.Sscan(string(text), &load) // 0 where there is none
	return load
}

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

// String is a dash for what was not measured.
func (s spread) String() string {
	switch {
	case s.Count == 0:
		return "–"
	case s.Min == s.Max:
		return figure(s.Median)
	}
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

// mark notes that a section was measured now, beside that load, and for how long.
func (r *results) mark(section string, load float64, took time.Duration) {
	took = took.Round(time.Second)
	fmt.Printf("\n%s took %v\n", section, took)
	if r.Measured == nil {
		r.Measured = make(map[string]stamp)
	}
	r.Measured[section] = stamp{time.Now().UTC().Format("2006-01-02"), output("git", "rev-parse", "--short", "HEAD"), processor(), load, took.Seconds()}
}

// When says when the sections were measured: once, if all were at the same time on a machine
// that had nothing else to do.
func (r *results) When() string {
	var stamps []stamp
	names := make(map[stamp][]string)
	quiet := true
	for _, section := range slices.Sorted(maps.Keys(r.Measured)) {
		s := r.Measured[section]
		if s.Load > busy {
			quiet = false
			section += fmt.Sprintf(" beside a load of %.0f", s.Load)
		}
		s.Load, s.Took = 0, 0 // not what makes stamps differ
		if names[s] == nil {
			stamps = append(stamps, s)
		}
		names[s] = append(names[s], section)
	}
	if len(stamps) == 1 && quiet {
		return stamps[0].String()
	}
	var parts []string
	for _, s := range stamps {
		parts = append(parts, fmt.Sprintf("%s (%s)", s, strings.Join(names[s], ", ")))
	}
	return strings.Join(parts, "; ")
}

// Took is how long all sections took together, in words.
func (r *results) Took() string {
	var seconds float64
	for _, s := range r.Measured {
		seconds += s.Took
	}
	if seconds == 0 {
		return "more than an hour"
	}
	return fmt.Sprintf("%.0f minutes when this was measured", math.Ceil(seconds/60))
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
