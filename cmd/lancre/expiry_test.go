package main

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Each hour has a bar as high as its share of the fullest, and any response is
// seen; hours, days and responses in all add up.
func TestExpiryIsDrawnByHour(t *testing.T) {
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	day := at.Unix() / hour
	e := newExpiry(at)
	e.Earliest, e.RefreshDue = at, at
	e.counts = map[int64]uint64{day: 1, day + 1: 50, day + 2: 100, day + 2*24 + 23: 13}
	e.finish()
	var b strings.Builder
	w := newTable(&b)
	e.write(w, at)
	w.Flush()
	for _, want := range []string{
		"2026-03-02  00h ▁▄█····················· 24h  151\n",
		"2026-03-04  00h ·······················▁ 24h  13\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("drawn\n%s\nwant %q in it", b.String(), want)
		}
	}

	for i := range int64(maxDays) + 2 {
		e.counts[day+24*i] = 3
	}
	e.ByHour = nil
	e.finish()
	b.Reset()
	e.write(w, at)
	w.Flush()
	if want := "  later       6\n"; !strings.HasSuffix(b.String(), want) || strings.Count(b.String(), "00h") != maxDays {
		t.Errorf("drawn\n%s\nwant %d days and then %q", b.String(), maxDays, want)
	}
}

// A refresh is due after half of a validity, but 96 hours after thisUpdate at the
// latest, and of all responses the first counts.
func TestRefreshDue(t *testing.T) {
	for _, tt := range []struct {
		days []int
		want time.Duration
	}{
		{[]int{4}, 48 * time.Hour},
		{[]int{4, 2}, 24 * time.Hour},
		{[]int{8}, 96 * time.Hour},
		{[]int{30, 20}, 96 * time.Hour},
	} {
		s := newHandmadeStore(t)
		var segment entries
		for i, days := range tt.days {
			segment = append(segment, s.response(int64(i+1), ocsp.Good, days))
		}
		s.publish(t, segment)
		_, stdout, stderr := execute(t, "inspect", s.dir, "--json")
		if want := `"refresh_due": "` + formatTime(thisUpdate.Add(tt.want)) + `"`; !strings.Contains(stdout, want) {
			t.Errorf("valid for %v days: printed\n%s%s\nwant %s in it", tt.days, stdout, stderr, want)
		}
	}
}
