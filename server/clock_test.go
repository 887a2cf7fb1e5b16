package server

import (
	"crypto"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Row F73: a clock that is put back or forward while the server runs changes what
// is valid, and nothing else: no age is negative, nothing panics.
func TestClockSteps(t *testing.T) {
	c := files()
	e := newEdge(t, c).serve(t)
	request := ask("05", crypto.SHA1)
	for _, step := range []struct {
		to     time.Duration // after start, which is thisUpdate
		status int
	}{
		{time.Hour, 200}, {0, 200}, {2 * time.Hour, 200}, {-time.Hour, 503}, {time.Hour, 200},
		{life - time.Hour, 200}, {life, 503}, {life - time.Hour, 200}, {-1000 * time.Hour, 503}, {time.Hour, 200},
	} {
		e.time.Store(start.Add(step.to).Unix())
		for _, a := range []answer{e.get(t, target(request)), e.post(t, request)} {
			if a.StatusCode != step.status {
				t.Errorf("at %v the status is %d, want %d", step.to, a.StatusCode, step.status)
			}
			wantMaxAge(t, a, step.to)
		}
		for _, path := range []string{"/1.crl", "/4.crl", "/early.crl"} {
			wantMaxAge(t, e.getAt(t, "c.example", path), step.to)
		}
		if r := e.stale(); step.to < 0 && r != "" {
			t.Errorf("before it was published the generation is stale: %s", r)
		}
		_, text := e.admin("GET", "/metrics")
		for line := range strings.Lines(text) {
			if strings.Contains(line, "age") && strings.Contains(line, " -") && !strings.HasPrefix(line, "#") {
				t.Errorf("at %v an age is negative: %s", step.to, line)
			}
		}
	}
	if n := e.metrics.panics.Load(); n != 0 {
		t.Errorf("%d panics", n)
	}
}

// wantMaxAge wants max-age to be between 0 and the 12 hours of the cap, where there
// is one, and Last-Modified not to lie ahead of the clock.
func wantMaxAge(t *testing.T, a answer, at time.Duration) {
	t.Helper()
	cache := strings.TrimPrefix(a.Header.Get("Cache-Control"), "public, ")
	var n int
	if _, err := fmt.Sscanf(cache, "max-age=%d", &n); a.StatusCode == 200 && (err != nil || n < 0 || n > 12*3600) {
		t.Errorf("at %v Cache-Control is %q", at, cache)
	}
	if m := a.Header.Get("Last-Modified"); m != "" {
		modified, err := time.Parse(time.RFC1123, m)
		if err != nil || modified.After(start.Add(at)) {
			t.Errorf("at %v Last-Modified is %q", at, m)
		}
	}
}
