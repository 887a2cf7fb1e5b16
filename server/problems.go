package server

import (
	"fmt"

	"lancre/internal/status"
)

// Remedies are those of docs/OPERATIONS.md, which has more on each.
const (
	remedyReady   = "This edge should get no traffic until that is mended: the log says more."
	remedyFresh   = "Look at the build and the copy, or at the source. Do not withdraw the edge: all are stale at once."
	remedySign    = "Sign and publish. Do not withdraw the edge: it is so on all of them."
	remedyRefused = "Copy again, the objects first; the log line \"generation refused\" has the reason."
	remedyFault   = "If the log of the kernel shows disk errors, take the edge out and replace the disk. Else someone wrote to an object in place: publish again, and copy by rename."
	remedyCorrupt = "lancre verify, then a new copy."
	remedyPanic   = "A fault of the program: report it with the log line."
	remedyAccept  = "Raise LimitNOFILE, or set --max-conns below it."
	remedyRefuse  = "An attack, or --max-conns and --max-conns-per-peer are too low."
)

// problems are what somebody has to do something about, the gravest first. What is counted
// is told for the last hour.
func (s *Server) problems(snap *snapshot, now int64) []status.Problem {
	list := []status.Problem{}
	add := func(there bool, grave bool, remedy, format string, args ...any) {
		if there {
			list = append(list, status.Problem{What: fmt.Sprintf(format, args...), Remedy: remedy, Grave: grave})
		}
	}
	reason := s.notReady()
	add(reason != "", true, remedyReady, "Not ready: %s", reason)
	if snap != nil {
		f := &snap.forecast
		add(f.hasExpired(now), true, remedySign, "%d responses have expired, the first at %s: clients get tryLater", f.expired(now), formatTime(f.responses))
		add(f.crl != 0 && f.crl <= now, true, remedySign, "A CRL has expired at %s and is served still: clients that check refuse it", formatTime(f.crl))
		soon := f.expiring(now, horizons[1].within)
		add(soon > 0, false, remedySign, "%d responses expire within 8 hours, and no newer ones have come", soon)
		add(f.crl > now && f.crl-now < int64(horizons[1].within.Seconds()), false, remedySign, "A CRL expires at %s, and no newer one has come", formatTime(f.crl))
	}
	for _, c := range s.metrics.alarming() {
		n := s.recently(c)
		add(n > 0, c.grave, c.remedy, "%d %s in the last hour", n, c.what)
	}
	if last := s.reloads.entries(); len(last) > 0 && last[0].result == Refused {
		add(true, false, remedyRefused, "A generation was refused at %s, and %d is served: %v", formatTime(last[0].at.Unix()), last[0].generation, last[0].err)
	}
	stale := s.stale()
	add(stale != "" && snap != nil, false, remedyFresh, "Not fresh: %s", stale)
	return list
}

// An alarm is a counter that should not grow.
type alarm struct {
	what   string
	remedy string
	grave  bool
	count  func() uint64
	total  int // its place among the totals
}

// alarming are the counters that should not grow.
func (m *metrics) alarming() []alarm {
	list := []alarm{
		{what: "requests met a mapped page that could not be read", remedy: remedyFault, grave: true, count: m.faults.Load},
		{what: "look-ups met a corrupt record", remedy: remedyCorrupt, grave: true, count: m.corrupt.Load},
		{what: "requests made the handler panic", remedy: remedyPanic, grave: true, count: m.panics.Load},
		{what: "connections could not be accepted at once", remedy: remedyAccept, grave: true, count: m.acceptErrors.Load},
		{what: "connections were refused", remedy: remedyRefuse, count: m.refusedConns.Load},
	}
	for i := range list {
		list[i].total = totalOf(len(methodLabels), 0) + len(timeBounds) + 1 + i
	}
	return list
}

// recently is how often that happened in the last hour.
func (s *Server) recently(a alarm) uint64 { return sumOf(s.history.Of(a.total, a.count())) }
