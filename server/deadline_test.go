package server

import (
	"testing"
	"time"
)

// A deadline is set where it is wanted earlier, much later, or no more.
func TestDeadlineIsSetWhenNeeded(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name       string
		set, noted time.Time
		want       bool
	}{
		{"the first", time.Time{}, now, true},
		{"none", time.Time{}, time.Time{}, false},
		{"the same", now, now, false},
		{"a little later", now, now.Add(deadlineSlack), false},
		{"later", now, now.Add(deadlineSlack + 1), true},
		{"earlier", now, now.Add(-1), true},
		{"none any more", now, time.Time{}, true},
	} {
		d := deadline{noted: c.noted, set: c.set}
		var got []time.Time
		for range 2 { // the second time it is set already
			if err := d.apply(func(at time.Time) error { got = append(got, at); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if applied := len(got) > 0; applied != c.want || len(got) > 1 || applied && !got[0].Equal(c.noted) {
			t.Errorf("%s: set to %v, want %v: %t", c.name, got, c.noted, c.want)
		}
	}
}
