package server

import (
	"fmt"

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
	created    int64    // Unix seconds
	nextUpdate int64    // the earliest of all responses being served; 0 if there is none
	canaries   []canary // by segment
}

// A canary is a request that a segment must be able to answer; nil for one without
// responses.
type canary []byte

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
	}
	prepare := g.ReadSparsely
	if fits { // before anything reads them: this reports a bad page as an error
		prepare = func() error { return g.Warm(pause) }
	}
	if err := prepare(); err != nil {
		return nil, err
	}
	snap.nextUpdate = earliestBeside(g, old)
	known := old.canaryOf()
	for i, seg := range g.Segments() {
		request, ok := known[seg]
		if !ok {
			var err error
			if request, err = newCanary(seg); err != nil {
				return nil, fmt.Errorf("segment %s: %w", m.Segments[i].SHA256, err)
			}
		}
		snap.canaries = append(snap.canaries, request)
	}
	return snap, nil
}

// canaryOf is the canary of each segment of snap, which may be nil.
func (snap *snapshot) canaryOf() map[*index.Segment]canary {
	known := make(map[*index.Segment]canary)
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

// newCanary returns an OCSPRequest for the first response in seg.
func newCanary(seg *index.Segment) (canary, error) {
	if info := seg.Info(); info.Tombstones == info.Records {
		return nil, nil
	}
	var ids []index.CertID
	depth := 0
	err := seg.Records(func(rec index.Record) bool {
		if !rec.Tombstone() {
			ids = rec.CertIDs(nil)
		}
		depth++
		return rec.Tombstone() && depth < canaryDepth
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return encodeRequest(&ids[0])
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
