// Run measures lancred and lancre beside their peers and against what the machine
// allows, and writes what it saw to a terminal and to results.json, and of that a page with
// pictures. make bench-load runs it, after scripts/setup-bench has made what it starts;
// make bench-page writes page and pictures alone.
//
// Servers run on core 0 and load generators on core 1, over loopback. Contenders
// take turns, round by round, so that a machine whose speed drifts does so for
// all of them; figures are medians.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A section is one group of measurements.
type section struct {
	name    string
	measure func(*runner, context.Context) error
	byHand  bool // measured only where it is named
}

// sections in their order: those that keep 10 M responses come last.
var sections = []section{
	{name: "closed", measure: (*runner).measureClosed},
	{name: "offered", measure: (*runner).measureOffered},
	{name: "crl", measure: (*runner).measureCRL},
	{name: "lookup", measure: (*runner).measureLookup},
	{name: "build", measure: (*runner).measureBuild},
	{name: "large", measure: (*runner).measureLargeBuild},
	{name: "start", measure: (*runner).measureStart},
	{name: "swap", measure: (*runner).measureSwap},
	{name: "cold", measure: (*runner).measureCold},
	{name: "add", measure: (*runner).measureAdd},
	{name: "merge", measure: (*runner).measureMerge},
	{name: "fresh", measure: (*runner).measureFresh},
	{name: "grow", measure: (*runner).measureGrow},
	{name: "scale", measure: (*runner).measureScale},
	{name: "follow", measure: (*runner).measureFollow},
	{name: "fleet", measure: (*runner).measureFleet},
	{name: "sign", measure: (*runner).measureSign},
	{name: "hundred", measure: (*runner).measureHundred, byHand: true},
}

// A runner is one run of the whole.
type runner struct {
	size
	bin     string // the programs
	dir     string // everything temporary
	out     string
	results results

	small, large *corpus // made when first needed
}

func main() {
	quick := flag.Bool("quick", false, "small sizes: whether everything works, not how fast it is")
	records := flag.Uint64("records", 0, "`NUMBER` of responses behind the servers")
	many := flag.Uint64("many", 0, "`NUMBER` of responses of a large store")
	hundred := flag.Uint64("hundred", 0, "`NUMBER` of responses of the section hundred")
	bin := flag.String("bin", "bin/peers", "`DIR` of the programs that scripts/setup-bench made")
	out := flag.String("out", "bench", "`DIR` for RESULTS.md and results/")
	sizes := flag.String("sizes", "", "comma-separated `SIZES` of the stores of section scale, such as 100k,1M,10M")
	again := flag.Bool("report", false, "measure nothing: write page and pictures of what results.json has")
	only := flag.String("only", "", "comma-separated `SECTIONS` to measure, the others are kept from the run before")
	flag.Parse()
	r := &runner{size: full, bin: *bin, out: filepath.Join(*out, "results")}
	if *quick {
		r.size = quickly
	}
	r.records, r.many, r.hundred = cmp.Or(*records, r.records), cmp.Or(*many, r.many), cmp.Or(*hundred, r.hundred)
	if *sizes != "" {
		var err error
		if r.sizes, err = parseSizes(*sizes); err != nil {
			fmt.Fprintf(os.Stderr, "run: --sizes: %v\n", err)
			os.Exit(2)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := r.perform(ctx, *only, *again); err != nil {
		fmt.Fprintf(os.Stderr, "run: %v\n", err)
		os.Exit(1)
	}
}

// perform measures, unless the report is to be written again of what was.
func (r *runner) perform(ctx context.Context, only string, again bool) error {
	if again {
		if err := r.results.read(r.figures()); err != nil {
			return err
		}
	} else if err := r.run(ctx, only); err != nil {
		return err
	}
	if err := r.results.drawAll(r.out); err != nil {
		return err
	}
	return r.report(filepath.Join(r.out, "..", "RESULTS.md"))
}

// figures is the file of all that was measured.
func (r *runner) figures() string { return filepath.Join(r.out, "results.json") }

// resume takes over the results of the run before, if there are any, which must be of the
// same size.
func (r *runner) resume(path string) error {
	if err := r.results.read(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if b := &r.results; b.Records != r.records || b.Many != r.many {
		return fmt.Errorf("%s is of %d and %d responses, this run of %d and %d: run all sections", path, b.Records, b.Many, r.records, r.many)
	}
	return nil
}

func (r *runner) run(ctx context.Context, only string) (err error) {
	if r.dir, err = os.MkdirTemp("", "lancre-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	path := r.figures()
	if only != "" {
		if err := r.resume(path); err != nil {
			return err
		}
	}
	r.results.describe(r.size)
	for _, s := range sections {
		named := strings.Contains(","+only+",", ","+s.name+",")
		if only == "" && s.byHand || only != "" && !named {
			continue
		}
		fmt.Printf("\n# %s\n\n", s.name)
		load, began := loadAverage(), time.Now()
		if err := s.measure(r, ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.results.mark(s.name, load, time.Since(began))
		if err := r.results.write(path); err != nil {
			return err
		}
	}
	return nil
}
