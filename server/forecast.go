package server

import (
	"time"

	"lancre/index/store"
)

// A forecast says when what a generation serves expires, by what its manifest says: no
// record is read for it. Times are Unix seconds. Immutable.
//
// Responses are counted by the hour in which they expire, and an hour counts from its
// beginning, but for the one in which the first response does: so what has expired is
// never told too late, and at most an hour too early.
type forecast struct {
	responses int64            // until then none expires, and within an hour of it one does; 0 if none ever does
	counted   bool             // due is known: the manifest counts what is answered
	due       []store.DueCount // of responses, by hour
	crl       int64            // the earliest nextUpdate of a CRL; 0 if there is none
}

func newForecast(g *store.Generation) forecast {
	m := g.Manifest()
	f := forecast{counted: len(m.Live) > 0}
	for _, line := range m.Segments {
		if !line.NextUpdate.IsZero() {
			f.responses = sooner(f.responses, line.NextUpdate.Unix())
		}
	}
	for _, d := range m.Due {
		if d.Kind == store.DueResponses {
			f.due = append(f.due, d)
		}
	}
	switch {
	case len(f.due) > 0: // the earliest in a segment may have been replaced
		f.responses = max(f.responses, f.due[0].Hour.Unix())
	case f.counted:
		f.responses = 0
	}
	for crl := range crlsOf(g) {
		f.crl = sooner(f.crl, crl.Expires.Unix())
	}
	return f
}

// sooner is the earlier of two times, of which 0 is never.
func sooner(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// crlsOf calls yield for every CRL of g that expires.
func crlsOf(g *store.Generation) func(yield func(*store.File) bool) {
	files := g.Files()
	return func(yield func(*store.File) bool) {
		for i := range files {
			if f := &files[i]; f.ContentType == store.TypeCRL && !f.Expires.IsZero() && !yield(f) {
				return
			}
		}
	}
}

// hasExpired reports whether a response has expired at now.
func (f *forecast) hasExpired(now int64) bool { return f.responses != 0 && f.responses <= now }

// expired is how many responses have.
func (f *forecast) expired(now int64) uint64 {
	if !f.hasExpired(now) {
		return 0
	}
	return f.dueBy(now)
}

// expiring is how many have not and will within so long after now.
func (f *forecast) expiring(now int64, within time.Duration) uint64 {
	return f.dueBy(now+int64(within.Seconds())) - f.expired(now)
}

// dueBy is how many expire in the hours that begin no later than at.
func (f *forecast) dueBy(at int64) (n uint64) {
	for _, d := range f.due {
		if d.Hour.Unix() <= at {
			n += d.Count
		}
	}
	return n
}
