package probe

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lancre/internal/metricstest"
)

// newMonitor makes a Monitor that compares an edge which is behind with the store dir.
func newMonitor(t *testing.T, dir, at string) *Monitor {
	t.Helper()
	c := DefaultConfig()
	c.Store, c.At = dir, []string{at}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return NewMonitor(p)
}

func TestMonitor(t *testing.T) {
	dir, old := newStore(t)
	at := serve(t, old)
	m := newMonitor(t, dir, at)
	log := slog.New(slog.DiscardHandler)
	m.round(t.Context(), log)
	wantMetrics(t, m, `lancre_probe_rounds_total{result="faults"} 1`, `lancre_probe_faults{kind="behind",place="`+at+`"} 8`,
		`lancre_probe_faults{kind="wrong",place="`+at+`"} 0`, `lancre_probe_answers{place="`+at+`"} 16`)

	// What cannot be compared says nothing about the place: what was found stays.
	if err := os.Rename(filepath.Join(dir, "manifest"), filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	m.round(t.Context(), log)
	wantMetrics(t, m, `lancre_probe_rounds_total{result="unknown"} 1`, `lancre_probe_faults{kind="behind",place="`+at+`"} 8`)

	if err := os.Rename(filepath.Join(dir, "gone"), filepath.Join(dir, "manifest")); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	m.round(ended, log)
	wantMetrics(t, m, `lancre_probe_rounds_total{result="unknown"} 1`)
	if _, err := m.prober.Round(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a round that was interrupted: %v, want context.Canceled", err)
	}
}

func wantMetrics(t *testing.T, m *Monitor, lines ...string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Admin().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("/metrics lacks %s:\n%s", line, text)
		}
	}
}

func TestMetricsAreDocumented(t *testing.T) {
	dir, _ := newStore(t)
	m := newMonitor(t, dir, "http://"+unused(t))
	metricstest.Compare(t, "../docs/METRICS.md", "## lancre probe", m.registry)
}

// docs/PROBE.md says of every kind of fault what it means.
func TestFaultsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/PROBE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range Kinds() {
		if !strings.Contains(string(text), "\n| `"+string(kind)+"` | ") {
			t.Errorf("docs/PROBE.md has no row for %s", kind)
		}
	}
}
