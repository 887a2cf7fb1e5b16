package probe

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"lancre/index/store"
)

// A Kind is a kind of fault.
type Kind string

// The kinds of fault, in the order in which they are told.
const (
	Unreachable     Kind = "unreachable"      // no answer
	Wrong           Kind = "wrong"            // what came was never published
	Signature       Kind = "signature"        // it is not signed by who must
	Times           Kind = "times"            // it has expired, or does not hold yet
	Behind          Kind = "behind"           // it was right longer ago than is allowed
	Kept            Kind = "kept"             // a cache kept it longer than max-age
	Slashes         Kind = "slashes"          // a target with // did not come as it was
	Redirect        Kind = "redirect"         // a redirect in place of an answer
	Status          Kind = "status"           // another status than 200
	ContentType     Kind = "content-type"     // another than just what is published, as with a charset
	ContentEncoding Kind = "content-encoding" // as gzip
	ETag            Kind = "etag"             // another than an edge's
	MaxAge          Kind = "max-age"          // absent, or beyond nextUpdate
)

// Kinds lists the kinds of fault, the gravest first.
func Kinds() []Kind {
	return []Kind{Unreachable, Wrong, Signature, Times, Behind, Kept, Slashes, Redirect, Status, ContentType, ContentEncoding, ETag, MaxAge}
}

// A Report is what a round found.
type Report struct {
	Generation uint64    `json:"generation"` // that is published
	Created    time.Time `json:"created"`
	Began      time.Time `json:"began"`
	Files      int       `json:"files"`   // that the manifest has
	Sample     int       `json:"sample"`  // CertIDs that were asked about at random
	Revoked    uint64    `json:"revoked"` // CertIDs that deltas revoked in the last hour: asked about up to 10,000, at random
	Places     []Place   `json:"places"`
}

// A Place is what was found at one URL.
type Place struct {
	URL        string  `json:"url"`
	Answers    int     `json:"answers"`              // to questions, each asked in several ways
	Current    int     `json:"current"`              // as the store has it
	Late       int     `json:"behind"`               // as it had it, or as its CA had signed it
	Ahead      int     `json:"ahead,omitempty"`      // newer than the store, and signed by its CA: what was read of the store is behind
	Unverified int     `json:"unverified,omitempty"` // whose issuer is not known
	Generation uint64  `json:"generation,omitempty"` // the oldest that answered; 0 if that is not known any more
	Lag        float64 `json:"behind_seconds"`       // for how long the oldest answer has not been right, or longer
	Faults     []Fault `json:"faults"`               // sorted as Kinds
}

// A Fault is what was wrong with some answers.
type Fault struct {
	Kind    Kind   `json:"kind"`
	Count   int    `json:"count"`
	Example string `json:"example"` // of the first
}

// Sound reports whether no place has a fault.
func (r *Report) Sound() bool {
	return !slices.ContainsFunc(r.Places, func(p Place) bool { return len(p.Faults) > 0 })
}

// A tally is what is known of one place in a round.
type tally struct {
	mu      sync.Mutex
	place   Place
	faults  map[Kind]*Fault
	differs []*difference
}

func newTally(at *url.URL) *tally {
	return &tally{place: Place{URL: at.String()}, faults: make(map[Kind]*Fault)}
}

// add counts an answer. It is safe for concurrent use.
func (t *tally) add(v verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.place.Answers++
	if v.unverified {
		t.place.Unverified++
	}
	for _, f := range v.findings {
		t.fault(f.kind, v.asked, v.how, f.detail)
	}
	switch {
	case v.differs != nil:
		t.differs = append(t.differs, v.differs)
	case !v.has(Unreachable, Wrong, Slashes, Redirect, Status, ContentEncoding):
		t.place.Current++
	}
}

// fault counts a fault of an answer to q.
func (t *tally) fault(kind Kind, q *question, how, detail string) {
	f := t.faults[kind]
	if f == nil {
		f = &Fault{Kind: kind, Example: fmt.Sprintf("%s %s: %s", how, q, detail)}
		t.faults[kind] = f
	}
	f.Count++
}

// String names what is asked for.
func (q *question) String() string {
	switch {
	case q.file == nil:
		return q.id.String()
	case q.file.Host == store.AnyHost:
		return q.file.Path
	}
	return q.file.Host + q.file.Path
}

// report is that of a round.
func (p *Prober) report(began time.Time, c *catalogue, tallies []*tally) *Report {
	m := p.reference.now()
	r := &Report{
		Generation: m.Generation, Created: m.Created.UTC(), Began: began.UTC().Truncate(time.Second),
		Files: len(m.Files), Sample: c.sample, Revoked: c.revoked,
	}
	for _, t := range tallies {
		t.place.Faults = []Fault{}
		for _, f := range slices.SortedFunc(maps.Values(t.faults), byGravity) {
			t.place.Faults = append(t.place.Faults, *f)
		}
		r.Places = append(r.Places, t.place)
	}
	return r
}

func byGravity(a, b *Fault) int {
	return slices.Index(Kinds(), a.Kind) - slices.Index(Kinds(), b.Kind)
}
