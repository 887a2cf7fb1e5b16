package server

import (
	"sync"
	"time"

	"lancre/index/store"
)

// An expiryLog tells, once each, that something has expired that is being served.
type expiryLog struct {
	mu        sync.Mutex
	responses int64            // the hour, since 1970, of the first response that has and was told of; 0 for none
	crls      map[string]int64 // by host and path, the nextUpdate of those that were
	timer     *time.Timer      // for what expires next; nil for none yet
}

// tellExpired logs what has expired and was not told of, and comes again when the next
// thing does, if that is before the next poll, which calls it, too: so a clock that is
// put forward is noticed.
func (s *Server) tellExpired() {
	l := &s.expiries
	l.mu.Lock()
	defer l.mu.Unlock()
	snap := s.current.Load()
	if snap == nil {
		return
	}
	now := s.now()
	s.tellResponses(snap, now)
	next := s.tellCRLs(snap, now)
	if at := snap.forecast.responses; at > now {
		next = sooner(next, at)
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	if next != 0 && next-now <= int64(pollEvery.Seconds()) {
		l.timer = time.AfterFunc(seconds(next-now), s.tellExpired)
	}
}

// tellResponses tells of the first response that has expired. Others may join it: the
// metrics count them. l.mu is held.
func (s *Server) tellResponses(snap *snapshot, now int64) {
	l, f := &s.expiries, &snap.forecast
	if !f.hasExpired(now) {
		l.responses = 0
		return
	}
	if hour := f.responses / 3600; hour != l.responses {
		l.responses = hour
		s.log.Error("responses have expired and are not served: sign and publish",
			"store", s.cfg.Store, "generation", snap.generation, "first", formatTime(f.responses), "count", f.expired(now))
	}
}

// tellCRLs tells of the CRLs that have expired since it last did, all of them in one
// line, and returns when the next one will; 0 for never. l.mu is held.
func (s *Server) tellCRLs(snap *snapshot, now int64) (next int64) {
	l := &s.expiries
	told := make(map[string]int64)
	var first *store.File
	count := 0
	for crl := range crlsOf(snap.store) {
		at := crl.Expires.Unix()
		if at > now {
			next = sooner(next, at)
			continue
		}
		place := crl.Host + crl.Path
		told[place] = at
		if l.crls[place] == at {
			continue
		}
		if count++; first == nil || crl.Expires.Before(first.Expires) {
			first = crl
		}
	}
	l.crls = told
	if first != nil {
		s.log.Error("CRLs have expired and are served still: sign and publish",
			"store", s.cfg.Store, "generation", snap.generation, "first", formatTime(first.Expires.Unix()), "url", first.Host+first.Path, "count", count)
	}
	return next
}

func formatTime(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
