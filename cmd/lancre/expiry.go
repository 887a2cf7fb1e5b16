package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lancre/index"
)

const hour = 3600 // seconds

// An expiry is when responses stop to hold.
type expiry struct {
	Earliest   time.Time   `json:"earliest,omitzero"`    // nextUpdate
	RefreshDue time.Time   `json:"refresh_due,omitzero"` // the earliest half of a validity, or 96 hours
	Expired    uint64      `json:"expired"`              // responses past their nextUpdate
	ByHour     []hourCount `json:"by_hour"`

	at     int64
	counts map[int64]uint64 // by hour since 1970
}

// An hourCount counts the responses whose nextUpdate is in the hour from Hour on.
type hourCount struct {
	Hour      time.Time `json:"hour"`
	Responses uint64    `json:"responses"`
}

func newExpiry(at time.Time) expiry {
	return expiry{ByHour: []hourCount{}, at: at.Unix(), counts: make(map[int64]uint64)}
}

func (e *expiry) add(r index.Record) {
	next := r.NextUpdate()
	earliest(&e.Earliest, next)
	earliest(&e.RefreshDue, r.RefreshDue())
	if next <= e.at {
		e.Expired++
	}
	e.counts[next/hour]++
}

// earliest makes t the time unix, in seconds, if that is before it.
func earliest(t *time.Time, unix int64) {
	if t.IsZero() || unix < t.Unix() {
		*t = time.Unix(unix, 0).UTC()
	}
}

// finish fills in ByHour.
func (e *expiry) finish() {
	for _, h := range slices.Sorted(maps.Keys(e.counts)) {
		e.ByHour = append(e.ByHour, hourCount{time.Unix(h*hour, 0).UTC(), e.counts[h]})
	}
}

// levels draw how many responses expire in an hour, from none to as many as in the
// fullest hour.
var levels = []rune("·▁▂▃▄▅▆▇█")

// maxDays is how many days are drawn: a month of them fits a screen. The validity
// that root programs allow is 10 days.
const maxDays = 31

// write draws a line of 24 hours for each day on which responses expire.
func (e *expiry) write(w table, at time.Time) {
	if len(e.ByHour) == 0 {
		return
	}
	w.row("expiry", "earliest %s; %d expired", when(e.Earliest.Unix(), at), e.Expired)
	w.row("  refresh", "due %s", when(e.RefreshDue.Unix(), at))
	fullest := slices.MaxFunc(e.ByHour, func(a, b hourCount) int { return int(a.Responses) - int(b.Responses) }).Responses
	days, rest := 0, e.ByHour
	for ; len(rest) > 0 && days < maxDays; days++ {
		rest = writeDay(w, rest, fullest)
	}
	var later uint64
	for _, h := range rest {
		later += h.Responses
	}
	if later > 0 {
		w.row("  later", "%d", later)
	}
}

// writeDay draws the day of the first of hours, which are in order, and returns
// those of later days.
func writeDay(w table, hours []hourCount, fullest uint64) (later []hourCount) {
	day := hours[0].Hour.Truncate(24 * time.Hour)
	line := []rune(strings.Repeat(string(levels[0]), 24))
	var sum uint64
	for len(hours) > 0 && hours[0].Hour.Truncate(24*time.Hour).Equal(day) {
		n := hours[0].Responses
		// At least the lowest bar where there is any: 1 to 8 for 1 to fullest.
		line[hours[0].Hour.Hour()] = levels[1+(n-1)*uint64(len(levels)-1)/fullest]
		sum += n
		hours = hours[1:]
	}
	w.row("  "+day.Format(time.DateOnly), "00h %s 24h  %s", string(line), fmt.Sprint(sum))
	return hours
}
