package server

import (
	"fmt"
	"os"
	runtimemetrics "runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"

	"lancre/internal/status"
	"lancre/internal/version"
)

// A reloadLog has the last reloads that came to something else than the one before,
// newest first.
type reloadLog struct {
	mu   sync.Mutex
	list []reloadEntry
}

// A reloadEntry is one of them.
type reloadEntry struct {
	at         time.Time
	generation uint64 // that is served since, or still
	result     ReloadResult
	why        string // it looked
	err        error  // of one that was refused
}

// same reports whether e came to the same as the one before it, or to nothing.
func (before reloadEntry) same(e reloadEntry) bool {
	switch e.result {
	case Unchanged:
		return before.result != Refused
	case Refused:
		return before.result == Refused && before.err.Error() == e.err.Error()
	}
	return false
}

// reloadsKept is how many a reloadLog has: a screenful beside all else.
const reloadsKept = 10

func (l *reloadLog) add(e reloadEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) > 0 && l.list[0].same(e) {
		return
	}
	l.list = append([]reloadEntry{e}, l.list[:min(len(l.list), reloadsKept-1)]...)
}

func (l *reloadLog) entries() []reloadEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]reloadEntry(nil), l.list...)
}

// remember notes what was counted, every minute until the server stops.
func (s *Server) remember() {
	s.history.Tick(s.metrics.totals())
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			s.history.Tick(s.metrics.totals())
		}
	}
}

// status is the page for operators.
func (s *Server) status() *status.Page {
	snap, now := s.current.Load(), s.now()
	host, _ := os.Hostname() // "" is as good as any
	p := &status.Page{
		Program: "lancred", Version: version.String(), Host: host, At: time.Unix(now, 0).UTC(),
		Problems: s.problems(snap, now), Facts: s.facts(snap, now), Charts: s.charts(),
	}
	if snap != nil {
		p.Stack, p.Tables = status.Stack(snap.store.Manifest(), p.At), expiryTable(snap)
	}
	p.Tables = append(p.Tables, s.reloadTable())
	return p
}

func (s *Server) facts(snap *snapshot, now int64) []status.Fact {
	list := []status.Fact{
		{Name: "ready", Value: orYes(s.notReady())},
		{Name: "fresh", Value: orYes(s.stale())},
		{Name: "store", Value: s.cfg.Store},
	}
	add := func(name, format string, args ...any) {
		list = append(list, status.Fact{Name: name, Value: fmt.Sprintf(format, args...)})
	}
	if snap != nil {
		m := snap.store.Manifest()
		add("generation", "%d of %s, %s old", snap.generation, m.Origin, seconds(snap.age(now)))
		if !m.Checked.IsZero() {
			add("sources", "last read %s ago", seconds(max(0, now-m.Checked.Unix())))
		}
		add("files", "%d", len(m.Files))
		if f := &snap.forecast; f.counted {
			add("expiry", "%d expired, %d within 8 hours, %d within 24", f.expired(now), f.expiring(now, 8*time.Hour), f.expiring(now, 24*time.Hour))
		}
		if crl := snap.forecast.crl; crl != 0 {
			add("first CRL expires", "%s", formatTime(crl))
		}
	}
	add("connections", "%d", s.http.GetOpenConnectionsCount())
	add("memory", "%.0f MB of the process, beside the mapped segments", float64(memoryInUse())/1e6)
	if p50, p99, n := s.latency(); n > 0 {
		add("time in the handler", "p50 ≤ %s, p99 ≤ %s in the last hour, of %d requests that were timed", p50, p99, n)
	}
	return list
}

func orYes(reason string) string {
	if reason == "" {
		return "yes"
	}
	return "no: " + reason
}

// memoryInUse is what the Go runtime has of the system, in octets.
func memoryInUse() uint64 {
	samples := []runtimemetrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	runtimemetrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// charts are of what happened in the last hour, but not of what did not.
func (s *Server) charts() (list []status.Chart) {
	now := s.metrics.totals()
	for o, row := range s.outcomes {
		for method, label := range methodLabels {
			i := totalOf(method, outcome(o))
			c := status.Chart{Name: label + " " + strings.ReplaceAll(row.name, "_", " "), Minutes: s.history.Of(i, now[i])}
			if sumOf(c.Minutes) > 0 {
				list = append(list, c)
			}
		}
	}
	return list
}

// latency is what half and 99 of 100 requests took at most in the handler, and how many
// were timed.
func (s *Server) latency() (p50, p99 time.Duration, n uint64) {
	now := s.metrics.totals()
	counts := make([]uint64, len(timeBounds)+1)
	for b := range counts {
		i := totalOf(len(methodLabels), 0) + b
		counts[b] = sumOf(s.history.Of(i, now[i]))
		n += counts[b]
	}
	return quantile(counts, n, 50), quantile(counts, n, 99), n
}

// quantile is the upper bound of the bucket in which percent of n values end.
func quantile(counts []uint64, n uint64, percent uint64) time.Duration {
	var seen uint64
	for b, count := range counts {
		if seen += count; seen*100 >= n*percent && b < len(timeBounds) {
			return time.Duration(timeBounds[b])
		}
	}
	return time.Duration(timeBounds[len(timeBounds)-1])
}

func sumOf(list []uint64) (n uint64) {
	for _, x := range list {
		n += x
	}
	return n
}

// expiryHours is how many hours the page lists: what is due for refresh in a day.
const expiryHours = 24

func expiryTable(snap *snapshot) []status.Table {
	t := status.Table{Title: "Responses by the hour in which they expire", Head: []string{"hour", "CertIDs"}}
	for _, d := range snap.forecast.due {
		if len(t.Rows) < expiryHours {
			t.Rows = append(t.Rows, []string{formatTime(d.Hour.Unix()), strconv.FormatUint(d.Count, 10)})
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return []status.Table{t}
}

func (s *Server) reloadTable() status.Table {
	t := status.Table{Title: "Last reloads", Head: []string{"time", "result", "serving", "for", "reason"}}
	for _, e := range s.reloads.entries() {
		reason := ""
		if e.err != nil {
			reason = e.err.Error()
		}
		t.Rows = append(t.Rows, []string{formatTime(e.at.Unix()), string(e.result), strconv.FormatUint(e.generation, 10), e.why, reason})
	}
	return t
}
