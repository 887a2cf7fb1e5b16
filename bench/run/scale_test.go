package main

import (
	"slices"
	"testing"
)

func TestParseSizes(t *testing.T) {
	for list, want := range map[string][]uint64{"100k,1M,10M": {100_000, 1_000_000, 10_000_000}, "2500": {2500}, "1M": {1_000_000}} {
		if got, err := parseSizes(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", list, got, err, want)
		}
	}
	for _, list := range []string{"", "0", "1G", "100k,", "-1", "k", "1.5M", "99999999999"} {
		if got, err := parseSizes(list); err == nil {
			t.Errorf("%q: %v and no error", list, got)
		}
	}
}
