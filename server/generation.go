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
	nextUpdate int64    // the earliest of all responses; 0 if there is none
	canaries   [][]byte // one OCSPRequest a segment, which must be answered
}

// newSnapshot checks and warms g: what is wrong with a segment is found here
// rather than by a client.
func newSnapshot(g *store.Generation, defaultHost string) (*snapshot, error) {
	m := g.Manifest()
	snap := &snapshot{
		store:      g,
		files:      newFileSet(g.Files(), defaultHost),
		generation: m.Generation,
		created:    m.Created.Unix(),
	}
	// Before anything reads them: this reports a bad page as an error.
	if err := g.Warm(); err != nil {
		return nil, err
	}
	for i, seg := range g.Segments() {
		if n := seg.Info().MinNextUpdate; n != 0 && (snap.nextUpdate == 0 || n < snap.nextUpdate) {
			snap.nextUpdate = n
		}
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
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { addCertID(b, id) })
			})
		})
	})
	return b.Bytes()
}

func addCertID(b *cryptobyte.Builder, id *index.CertID) {
	add := func(b *cryptobyte.Builder, tag asn1.Tag, content []byte) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			add(b, asn1.OBJECT_IDENTIFIER, id.Alg.OID())
			b.AddASN1NULL()
		})
		add(b, asn1.OCTET_STRING, id.NameHash)
		add(b, asn1.OCTET_STRING, id.KeyHash)
		add(b, asn1.INTEGER, id.Serial)
	})
}
