package server

import (
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
	"lancre/index/store"
)

// A snapshot is one generation, ready to be answered from. Immutable; its
// segments are unmapped when the garbage collector finds that nothing refers to
// it, so whoever reads a record's octets keeps it alive.
type snapshot struct {
	store      *store.Generation
	files      fileSet
	generation uint64
	created    int64 // Unix seconds
	forecast   forecast
	canaries   []*canary // by segment; nil for one without
}

// A canary is a question to which a segment, or a newer one, has an answer.
type canary struct {
	id      index.CertID
	request []byte // OCSPRequest for id
}

// age is how long, in seconds, snap has been published at now: not at all if the
// clock was put back since.
func (snap *snapshot) age(now int64) int64 { return max(0, now-snap.created) }

// newSnapshot checks and, if it fits into memory, warms g, with pauses: what is wrong
// with a segment is found here rather than by a client. What g shares with old, the
// snapshot before it or nil, costs nothing.
func newSnapshot(g *store.Generation, old *snapshot, fits bool, pause func(), defaultHost string) (*snapshot, error) {
	m := g.Manifest()
	snap := &snapshot{
		store:      g,
		files:      newFileSet(g.Files(), defaultHost),
		generation: m.Generation,
		created:    m.Created.Unix(),
		forecast:   newForecast(g),
	}
	prepare := g.ReadSparsely
	if fits { // before anything reads them: this reports a bad page as an error
		prepare = func() error { return g.Warm(pause) }
	}
	if err := prepare(); err != nil {
		return nil, err
	}
	known := old.canaryOf()
	for i, seg := range g.Segments() {
		c, ok := known[seg]
		if !ok || c != nil && !answers(g, &c.id) {
			var err error
			if c, err = newCanary(g, seg); err != nil {
				return nil, fmt.Errorf("segment %s: %w", m.Segments[i].SHA256, err)
			}
		}
		snap.canaries = append(snap.canaries, c)
	}
	return snap, nil
}

// answers reports whether g has an answer for id, or what should be one and cannot be
// read.
func answers(g *store.Generation, id *index.CertID) bool {
	_, found, err := g.Lookup(id.Key(), id)
	return found || err != nil
}

// canaryOf is the canary of each segment of snap, which may be nil.
func (snap *snapshot) canaryOf() map[*index.Segment]*canary {
	known := make(map[*index.Segment]*canary)
	if snap != nil {
		for i, seg := range snap.store.Segments() {
			known[seg] = snap.canaries[i]
		}
	}
	return known
}

// canaryDepth is how many records are searched for a canary: a segment that begins
// with more tombstones, a long list of withdrawals, goes without.
const canaryDepth = 1000

// newCanary makes one of the first response in seg that g has an answer for: what a base
// above seg leaves out is answered by none.
func newCanary(g *store.Generation, seg *index.Segment) (*canary, error) {
	if info := seg.Info(); info.Tombstones == info.Records {
		return nil, nil
	}
	var ids []index.CertID
	var found *index.CertID
	depth := 0
	err := seg.Records(func(rec index.Record) bool {
		depth++
		if rec.Tombstone() {
			return depth < canaryDepth
		}
		ids = rec.CertIDs(ids[:0])
		if i := slices.IndexFunc(ids, func(id index.CertID) bool { return answers(g, &id) }); i >= 0 {
			found = &ids[i]
		}
		return found == nil && depth < canaryDepth
	})
	if err != nil || found == nil {
		return nil, err
	}
	c := &canary{id: found.Clone()}
	c.request, err = encodeRequest(&c.id)
	return c, err
}

// encodeRequest is the DER OCSPRequest for one certificate.
func encodeRequest(id *index.CertID) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { // OCSPRequest
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { // TBSRequest
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { // requestList
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddValue(id) })
			})
		})
	})
	return b.Bytes()
}
