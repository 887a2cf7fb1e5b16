package main

import "testing"

// The page says of every section when it was measured, and once if at the same time.
func TestWhenSectionsWereMeasured(t *testing.T) {
	first, second := stamp{"2026-11-22", "aaa", "Good", 0.2, 0}, stamp{"2026-11-23", "bbb", "Better", 15, 60}
	for want, measured := range map[string]map[string]stamp{
		"2026-11-22, commit aaa, Good":                                                                           {"cold": first, "swap": first},
		"2026-11-23, commit bbb, Better (cold beside a load of 15)":                                              {"cold": second},
		"2026-11-22, commit aaa, Good (closed, swap); 2026-11-23, commit bbb, Better (cold beside a load of 15)": {"cold": second, "swap": first, "closed": first},
	} {
		if got := (&results{Measured: measured}).When(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTook(t *testing.T) {
	for want, measured := range map[string]map[string]stamp{
		"more than an hour":                {"cold": {Date: "2026-11-22"}},
		"3 minutes when this was measured": {"cold": {Took: 100}, "swap": {Took: 50}, "add": {}},
	} {
		if got := (&results{Measured: measured}).Took(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
