package main

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestTargetIsMet(t *testing.T) {
	for _, c := range []struct {
		target
		want string
	}{
		{target{Limit: 1.25, Less: true, Got: one(1.2)}, "yes"},
		{target{Limit: 1.25, Less: true, Got: one(1.25)}, "yes"},
		{target{Limit: 1.25, Less: true, Got: one(1.3)}, "**no**"},
		{target{Limit: 0.85, Got: one(0.9)}, "yes"},
		{target{Limit: 0.85, Got: one(0.85)}, "yes"},
		{target{Limit: 0.85, Got: one(0.8)}, "**no**"},
		{target{Limit: 0.85}, "not measured"},
	} {
		if got := c.Met(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.target, got, c.want)
		}
	}
}

// A run of some sections only has nothing to say of the others, but a page.
func TestReportOfNothing(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(new(runner).report(filepath.Join(dir, "RESULTS.md")), new(results).drawAll(dir)); err != nil {
		t.Error(err)
	}
	for _, target := range new(results).Targets() {
		if got := target.Met(); got != "not measured" {
			t.Errorf("%s: %s", target.What, got)
		}
	}
}
