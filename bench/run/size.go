package main

import "time"

// A size is how much a run measures.
type size struct {
	records  uint64        // responses behind the servers
	many     uint64        // responses of a large store
	hundred  uint64        // responses of the section hundred
	asked    int           // different requests
	rounds   int           // of each measurement
	duration time.Duration // of one load run
	rates    []float64     // offered loads, requests a second
	signed   uint64        // responses of a build that verifies P-256 signatures; of RSA, which is slow to sign, half
	watched  time.Duration // of a load run in which a generation is swapped: less than the 10 s after which lancred closes a connection that was never used
	swapRate float64       // requests a second meanwhile
	grown    time.Duration // of a load run beside which a store grows
	files    int           // put into the spool of lancre follow, alone and beside merges
	idle     time.Duration // for which nothing comes: heartbeats are a minute apart
	sizes    []uint64      // of the stores that are to show what does not grow with them
	bench    []string      // for go test

	freshened []string // the same, for benchmarks of which one iteration takes long
	followed  []string // the same, of which one takes a second
	edges     int      // of a fleet
	signs     []string // and seconds
}

// full takes an hour and a half on two cores.
var full = size{
	records: 1_000_000, many: 10_000_000, hundred: 100_000_000, asked: 100_000, rounds: 5, duration: 3 * time.Second,
	rates:  []float64{5_000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 90_000, 100_000},
	signed: 200_000, watched: 9 * time.Second, swapRate: 10_000, grown: 5 * time.Minute, files: 120, idle: 150 * time.Second, sizes: []uint64{100_000, 1_000_000, 10_000_000},
	bench: []string{"-count=5", "-benchtime=500ms"}, freshened: []string{"-count=3", "-benchtime=200x"},
	followed: []string{"-benchtime=120x"}, edges: 100,
	signs: []string{"-count=5", "-benchtime=2x"},
}

// quickly takes some six minutes.
var quickly = size{
	records: 50_000, many: 500_000, hundred: 200_000, asked: 20_000, rounds: 2, duration: time.Second / 2,
	rates:  []float64{5_000, 20_000, 40_000},
	signed: 4_000, watched: 6 * time.Second, swapRate: 5_000, grown: 20 * time.Second, files: 10, idle: 5 * time.Second, sizes: []uint64{5_000, 50_000},
	bench: []string{"-count=2", "-benchtime=50ms"}, freshened: []string{"-count=1", "-benchtime=20x"},
	followed: []string{"-benchtime=10x"}, edges: 5,
	signs: []string{"-count=1", "-benchtime=1x"},
}
