package main

import "time"

// A size is how much a run measures.
type size struct {
	records  uint64        // responses behind the servers
	many     uint64        // responses of a large store
	asked    int           // different requests
	rounds   int           // of each measurement
	duration time.Duration // of one load run
	rates    []float64     // offered loads, requests a second
	signed   uint64        // responses of a build that verifies P-256 signatures; of RSA, which is slow to sign, half
	watched  time.Duration // of a load run in which a generation is swapped: less than the 10 s after which lancred closes a connection that was never used
	swapRate float64       // requests a second meanwhile
	grown    time.Duration // of a load run beside which a store grows
	bench    []string      // for go test

	freshened []string // the same, for benchmarks of which one iteration takes long
	signs     []string // and seconds
}

// full takes about three quarters of an hour on two cores.
var full = size{
	records: 1_000_000, many: 10_000_000, asked: 100_000, rounds: 5, duration: 3 * time.Second,
	rates:  []float64{5_000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 90_000, 100_000},
	signed: 200_000, watched: 9 * time.Second, swapRate: 10_000, grown: 5 * time.Minute,
	bench: []string{"-count=5", "-benchtime=500ms"}, freshened: []string{"-count=3", "-benchtime=200x"},
	signs: []string{"-count=5", "-benchtime=2x"},
}

// quickly takes some five minutes.
var quickly = size{
	records: 50_000, many: 500_000, asked: 20_000, rounds: 2, duration: time.Second / 2,
	rates:  []float64{5_000, 20_000, 40_000},
	signed: 4_000, watched: 6 * time.Second, swapRate: 5_000, grown: 20 * time.Second,
	bench: []string{"-count=2", "-benchtime=50ms"}, freshened: []string{"-count=1", "-benchtime=20x"},
	signs: []string{"-count=1", "-benchtime=1x"},
}
