package pull

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"lancre/index/store"
)

// A lancred says what it serves.
type lancred struct {
	mu         sync.Mutex
	generation uint64
	reason     string // why it is not ready
	dead       bool
}

func startLancred(t *testing.T) (*lancred, string) {
	l := new(lancred)
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return l, server.URL
}

// ServeHTTP implements http.Handler.
func (l *lancred) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.dead:
		panic(http.ErrAbortHandler)
	case l.reason != "":
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(map[string]any{"ok": l.reason == "", "reason": l.reason, "generation": l.generation})
}

func (l *lancred) set(generation uint64, reason string, dead bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.generation, l.reason, l.dead = generation, reason, dead
}

// newTried is an edge whose lancred serves the first generation of o.
func newTried(t *testing.T, o *origin) (*edge, *lancred, uint64) {
	l, url := startLancred(t)
	e := newEdge(t, o)
	e.cfg.Health = url
	e = e.restart()
	m := o.publish("first")
	e.poll()
	e.wants(m.Generation)
	l.set(m.Generation, "", false)
	e.poll()
	return e, l, m.Generation
}

// late makes what is on trial be so since long ago.
func (e *edge) late() {
	for i := range e.trial.open {
		e.trial.open[i].since = time.Now().Add(-2 * e.cfg.HealthWithin)
	}
}

// A generation that lancred does not serve is put back, and neither it nor what was new
// in it comes again, over a restart too. Another one does.
func TestPutBack(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(l *lancred, bad, good uint64)
		says string
	}{
		{"crashed", func(l *lancred, _, _ uint64) { l.set(0, "", true) }, "EOF"},
		{"refused", func(l *lancred, _, good uint64) { l.set(good, "", false) }, ""},
		{"not ready", func(l *lancred, bad, _ uint64) { l.set(bad, "the canary is answered corrupt", false) }, "503 Service Unavailable: the canary is answered corrupt"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOrigin(t)
			e, l, good := newTried(t, o)
			bad := o.publish("bad")
			e.poll()
			e.wants(bad.Generation)
			test.set(l, bad.Generation, good)
			e.poll()
			e.wants(bad.Generation) // there is time
			e.late()
			e.poll()
			e.wants(good)
			if !strings.Contains(e.log.String(), test.says) || e.metric("lancred_pull_pinned", "") != 1 || e.metric("lancred_pull_put_back_total", "") != 1 {
				t.Errorf("log: %s", &e.log)
			}
			e = e.restart()
			l.set(good, "", false)
			e.poll()
			e.wants(good)
			o.rewrite(func(m *store.Manifest) { m.Generation++ }) // a heartbeat
			e.poll()
			e.wants(good)
			if got := e.metric("lancred_pull_refused_total", "pinned"); got != 2 {
				t.Errorf("refused %v times, want twice\nlog: %s", got, &e.log)
			}
			o.meddleWith(nil)
			mended := o.publish("mended")
			e.poll()
			e.wants(mended.Generation)
			if e.metric("lancred_pull_pinned", "") != 0 {
				t.Error("it is pinned still")
			}
			if _, err := os.Stat(pinPath(e.cfg.Store)); err == nil {
				t.Error("the file pinned stays")
			}
		})
	}
}

// Somebody may have what was put back tried again.
func TestUnpin(t *testing.T) {
	o := newOrigin(t)
	e, l, good := newTried(t, o)
	bad := o.publish("bad")
	e.poll()
	e.late()
	e.poll()
	e.wants(good)
	l.set(good, "", false)
	check(t, os.Remove(pinPath(e.cfg.Store)))
	e.poll()
	e.wants(bad.Generation)
	if e.metric("lancred_pull_pinned", "") != 0 {
		t.Error("it is pinned still")
	}
}

// What is served in time stays, though generations come faster than they are loaded.
func TestTrialOfMany(t *testing.T) {
	o := newOrigin(t)
	e, l, served := newTried(t, o)
	for _, page := range []string{"two", "three", "four", "five"} {
		m := o.publish(page)
		e.poll()
		l.set(served, "", false) // one behind
		served = m.Generation
		e.wants(m.Generation)
		if len(e.trial.open) > 2 || e.trial.good == nil {
			t.Errorf("%d on trial", len(e.trial.open))
		}
	}
	e.late()
	l.set(served, "", false)
	e.poll()
	e.wants(served)
}

// A lancred that was stopped before says nothing of what comes.
func TestTrialWithoutLancred(t *testing.T) {
	o := newOrigin(t)
	e, l, _ := newTried(t, o)
	l.set(0, "", true)
	e.poll()
	m := o.publish("second")
	e.poll()
	e.late()
	e.poll()
	e.wants(m.Generation)
	l.set(m.Generation, "", false)
	e.poll()
	if e.trial.good.generation() != m.Generation || len(e.trial.open) != 0 {
		t.Errorf("good is %d", e.trial.good.generation())
	}
}

// What is put back does not need to be fetched.
func TestPruneSparesWhatMayBePutBack(t *testing.T) {
	o := newOrigin(t)
	e, _, good := newTried(t, o)
	for _, page := range []string{"two", "three", "four"} {
		o.publish(page)
		e.poll()
	}
	check(t, e.prune(0, nil))
	e.late()
	e.poll()
	e.wants(good)
}
