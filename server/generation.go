package server

import (
	"fmt"
	"math"

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
	canaries   [][]byte // one OCSPRequest a segment, which must be answered
}

// age is how long, in seconds, snap has been published at now: not at all if the
// clock was put back since.
func (snap *snapshot) age(now int64) int64 { return max(0, now-snap.created) }

// newSnapshot checks and, if it fits into memory, warms g, with pauses: what is wrong
// with a segment is found here rather than by a client.
func newSnapshot(g *store.Generation, fits bool, pause func(), defaultHost string) (*snapshot, error) {
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
	snap.nextUpdate = earliest(g)
	for i, seg := range g.Segments() {
		request, err := canary(seg)
		if err != nil {
			return nil, fmt.Errorf("segment %s: %w", m.Segments[i].SHA256, err)
		}
		if request != nil {
			snap.canaries = append(snap.canaries, request)
		}
	}
	return snap, nil
}

// earliest returns the earliest nextUpdate of the responses that g answers with,
// 0 if there is none. A segment's header tells that of its own responses; but
// those of an older segment may have been replaced since.
func earliest(g *store.Generation) int64 {
	const none = math.MaxInt64
	first := int64(none)
	for i, seg := range g.Segments() {
		switch at := seg.Info().MinNextUpdate; {
		case at == 0 || at >= first:
		case i == 0:
			first = at
		default:
			first = earliestIn(g, seg, first)
		}
	}
	if first == none {
		return 0
	}
	return first
}

// earliestIn returns first or, if earlier, the earliest nextUpdate of what g
// answers for the certificates of seg. It reads all records, and looks up those
// that are earlier than what it has: few, unless most of them were replaced. What
// cannot be read counts as if it were served.
func earliestIn(g *store.Generation, seg *index.Segment, first int64) int64 {
	var ids []index.CertID
	var failed error
	err := seg.Records(func(rec index.Record) bool {
		if rec.Tombstone() || rec.NextUpdate() >= first {
			return true
		}
		ids = rec.CertIDs(ids[:0])
		for i := range ids {
			current, _, err := g.Lookup(ids[i].Key(), &ids[i])
			if err != nil {
				failed = err
				return false
			}
			if !current.Tombstone() {
				first = min(first, current.NextUpdate())
			}
		}
		return true
	})
	if err != nil || failed != nil {
		return min(first, seg.Info().MinNextUpdate)
	}
	return first
}

// canary returns an OCSPRequest for the first response in seg; nil if it has none.
func canary(seg *index.Segment) (request []byte, err error) {
	var ids []index.CertID
	err = seg.Records(func(rec index.Record) bool {
		if !rec.Tombstone() {
			ids = rec.CertIDs(nil)
		}
		return rec.Tombstone()
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

