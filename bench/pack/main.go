// Pack runs one build and prints, as JSON, how long it took and how much memory:
// a process for itself, for the peak to be that of one build.
//
//	pack --out store --issuer issuer.der --responses responses.der --at 1795442400
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
)

// sampling is how often the memory is looked at; that it is held for less does
// not matter to an operator.
const sampling = 20 * time.Millisecond

func main() {
	cfg := build.DefaultConfig()
	flag.StringVar(&cfg.Out, "out", "", "the store `DIR`")
	issuer := flag.String("issuer", "", "issuer certificate `FILE`")
	responses := flag.String("responses", "", "`FILE` of responses")
	at := flag.Int64("at", 0, "the moment of time checks, Unix `SECONDS`")
	flag.BoolVar(&cfg.SkipSignatures, "unverified", false, "do not verify signatures")
	flag.Parse()
	cfg.Issuers, cfg.Responses, cfg.At = []string{*issuer}, []string{*responses}, time.Unix(*at, 0)
	if err := pack(cfg); err != nil {
		fmt.Fprintf(os.Stderr, "pack: %v\n", err)
		os.Exit(1)
	}
}

func pack(cfg build.Config) error {
	stop := make(chan struct{})
	peak := make(chan int64)
	go func() { peak <- proc.PeakAnon(os.Getpid(), sampling, stop) }()
	report, err := build.Run(context.Background(), cfg)
	if err != nil {
		return err
	}
	close(stop)
	anon := <-peak
	status, err := proc.Memory(os.Getpid())
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"responses": report.Responses.Published, "seconds": report.TotalSeconds, "verify_seconds": report.VerifySeconds,
		"size": report.Segments[0].Size, "peak_rss": status.Peak, "peak_anon": anon,
	})
}
