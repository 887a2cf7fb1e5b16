package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Every value lies in a bucket whose limit is at most 1 % above it, and the next
// bucket begins where it ends.
func TestBucketsFollowEachOther(t *testing.T) {
	for i := range 50 << subBits {
		last := limit(i)
		if bucket(last) != i || bucket(last+1) != i+1 {
			t.Fatalf("bucket %d ends at %d, which is in bucket %d, and %d in %d", i, last, bucket(last), last+1, bucket(last+1))
		}
	}
}

func TestQuantilesAreThoseOfTheSortedList(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var list []time.Duration
	for range 10_000 {
		d := time.Duration(r.ExpFloat64() * float64(time.Millisecond))
		h.add(d)
		list = append(list, d)
	}
	slices.Sort(list)
	for _, q := range []float64{0, 0.5, 0.99, 0.999, 1} {
		want, got := list[int(q*float64(len(list)-1))], h.quantile(q)
		if got < want || got > want+want/100+1 {
			t.Errorf("quantile %v is %v, want %v to 1 %%", q, got, want)
		}
	}
}

func TestMergeIsAddingAll(t *testing.T) {
	var a, b, both histogram
	for i := range time.Duration(1000) {
		a.add(i * i)
		b.add(i * i * i)
		both.add(i * i)
		both.add(i * i * i)
	}
	a.merge(&b)
	if a != both {
		t.Error("merged histogram is not that of all latencies")
	}
}
