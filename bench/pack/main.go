// Pack runs one build, addition or merge and prints, as JSON, how long it took and how
// much memory: a process for itself, for the peak to be that of one.
//
//	pack --out store --issuer issuer.der --responses responses.der --at 1795442400
//	pack --add --out store --issuer issuer.der --responses newer.der --at 1795442401
//	pack --merge --out store --at 1795442402
//
// Responses from "-" come from standard input.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"lancre/bench/proc"
	"lancre/build"
	"lancre/index/store"
)

// sampling is how often the memory is looked at; that it is held for less does
// not matter to an operator.
const sampling = 20 * time.Millisecond

func main() {
	cfg := packing{Config: build.DefaultConfig()}
	flag.StringVar(&cfg.Out, "out", "", "the store `DIR`")
	issuer := flag.String("issuer", "", "issuer certificate `FILE`")
	responses := flag.String("responses", "", "`FILE` of responses")
	at := flag.Int64("at", 0, "the moment of time checks, Unix `SECONDS`")
	flag.BoolVar(&cfg.SkipSignatures, "unverified", false, "do not verify signatures")
	flag.IntVar(&cfg.Shards, "shards", 0, "`NUMBER` of shards that the base is cut into")
	adds := flag.Bool("add", false, "add to the store")
	merges := flag.Bool("merge", false, "have the bases of the store absorb everything")
	flag.Int64Var(&cfg.maxWrite, "max-write", 0, "begin no step of a merge when so many `OCTETS` are written; 0: all steps")
	flag.Parse()
	cfg.Issuers, cfg.Responses, cfg.At = []string{*issuer}, []string{*responses}, time.Unix(*at, 0)
	cfg.Stdin = os.Stdin
	do := cfg.build
	switch {
	case *adds:
		do = cfg.add
	case *merges:
		do = cfg.merge
	}
	if err := measure(do); err != nil {
		fmt.Fprintf(os.Stderr, "pack: %v\n", err)
		os.Exit(1)
	}
}

// A packing is what is to be packed.
type packing struct {
	build.Config
	maxWrite int64 // of a merge
}

// A packed is what came of it.
type packed struct {
	Responses     uint64  `json:"responses"`
	Seconds       float64 `json:"seconds"`
	VerifySeconds float64 `json:"verify_seconds"`
	CPUSeconds    float64 `json:"cpu_seconds"` // user and system
	Size          int64   `json:"size"`        // of what was made, octets
	Written       int64   `json:"written"`     // of these, by a merge
	PeakRSS       int64   `json:"peak_rss"`
	PeakAnon      int64   `json:"peak_anon"`
}

func (p packing) build() (*packed, error) {
	return p.of(build.Run(context.Background(), p.Config))
}

func (p packing) add() (*packed, error) {
	return p.of(build.Add(context.Background(), build.Addition{Config: p.Config}))
}

func (p packing) of(r *build.Report, err error) (*packed, error) {
	if err != nil {
		return nil, err
	}
	made := &packed{Responses: r.Responses.Published, Seconds: r.TotalSeconds, VerifySeconds: r.VerifySeconds}
	for _, s := range r.Segments {
		made.Size += s.Size
	}
	return made, nil
}

func (p packing) merge() (*packed, error) {
	began := time.Now()
	policy := store.MergePolicy{IntoBase: true, MaxWrite: p.maxWrite, ExpiredAfter: store.DefaultMergePolicy.ExpiredAfter}
	result, err := store.Merge(p.Out, policy, p.At)
	if err != nil {
		return nil, err
	}
	made := &packed{Seconds: time.Since(began).Seconds(), Written: result.Written}
	m, err := store.ReadManifest(p.Out)
	if err != nil {
		return nil, err
	}
	for _, s := range m.Segments {
		made.Responses += s.Records
		made.Size += s.Size
	}
	return made, nil
}

// measure does one thing and prints what it took.
func measure(do func() (*packed, error)) error {
	stop := make(chan struct{})
	peak := make(chan int64)
	go func() { peak <- proc.PeakAnon(os.Getpid(), sampling, stop) }()
	made, err := do()
	if err != nil {
		return err
	}
	close(stop)
	made.PeakAnon = <-peak
	status, err := proc.Memory(os.Getpid())
	if err != nil {
		return err
	}
	made.PeakRSS = status.Peak
	cpu, err := proc.CPU(os.Getpid())
	if err != nil {
		return err
	}
	made.CPUSeconds = cpu.Seconds()
	return json.NewEncoder(os.Stdout).Encode(made)
}
