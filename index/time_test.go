package index

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Package time writes and reads the same times.
func TestTimesAgreeWithPackageTime(t *testing.T) {
	check := func(unix uint32) {
		t.Helper()
		want := time.Unix(int64(unix), 0).UTC().Format("20060102150405Z")
		if got := AppendTime(nil, unix); string(got) != want {
			t.Errorf("%d is %s, want %s", unix, got, want)
		}
		if got, ok := ParseTime([]byte(want)); !ok || got != int64(unix) {
			t.Errorf("%s is %d, %v; want %d", want, got, ok, unix)
		}
	}
	for _, s := range []string{"1970-01-01", "1972-02-29", "1999-12-31", "2000-02-29", "2000-03-01", "2024-02-29", "2100-02-28", "2100-03-01", "2106-02-07"} {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, second := range []int64{0, 1, 23399, 86398, 86399} {
			if unix, ok := storable(day.Unix() + second); ok {
				check(unix)
			}
		}
	}
	rng := rand.New(rand.NewPCG(3, 3))
	for range 100000 {
		check(rng.Uint32())
	}
	check(0)
	check(1<<32 - 1)
}

// Every day of the years that GeneralizedTime can spell.
func TestParseTimeKnowsTheCalendar(t *testing.T) {
	for day := time.Date(0, 1, 1, 13, 14, 15, 0, time.UTC); day.Year() < 10000; day = day.AddDate(0, 0, 1) {
		text := day.Format("20060102150405Z")
		if got, ok := ParseTime([]byte(text)); !ok || got != day.Unix() {
			t.Fatalf("%s is %d, %v; want %d", text, got, ok, day.Unix())
		}
	}
	for year := 0; year < 10000; year++ {
		for month, last := range map[int]int{2: 29, 4: 31, 6: 31, 9: 31, 11: 31, 1: 32} {
			if month == 2 && time.Date(year, 2, 29, 0, 0, 0, 0, time.UTC).Month() == time.February {
				last = 30
			}
			if text := fmt.Sprintf("%04d%02d%02d000000Z", year, month, last); accepted(text) {
				t.Fatalf("%s is accepted", text)
			}
		}
	}
}

func accepted(text string) bool {
	_, ok := ParseTime([]byte(text))
	return ok
}

func TestParseTimeRefuses(t *testing.T) {
	for _, s := range []string{"", "20261101060708", "2026110106070Z", "20261101060708z", "2026110106070 Z", "20261301060708Z",
		"20260001060708Z", "20260100060708Z", "20260132060708Z", "20260101240000Z", "20260101006000Z", "20260101000060Z", "20230229000000Z", "+0260101000000Z"} {
		if unix, ok := ParseTime([]byte(s)); ok {
			t.Errorf("%q is %d", s, unix)
		}
	}
}
