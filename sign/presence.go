package sign

import (
	"bytes"
	"fmt"

	"lancre/index"
	"lancre/index/store"
)

// A presence knows which certificates are in the list, as far as it takes to tell how
// many of those that the store answers for are not. It has a bit for each, at random:
// of 32 that are gone, one may look as if it were there.
type presence struct {
	bits  []uint64
	shift int    // of a serial hash, to the number of a bit
	found uint64 // those that the store answers for at present
}

// The bits are 32 for each certificate, but at least 2¹⁶ and at most 2³⁰, 128 MiB.
const (
	minPresence = 16
	maxPresence = 30
)

func newPresence(certificates uint64) presence {
	log := minPresence
	for log < maxPresence && certificates<<5 > 1<<log {
		log++
	}
	return presence{bits: make([]uint64, 1<<(log-6)), shift: 64 - log}
}

func (p *presence) enter(serialHash uint64, answered bool) {
	bit := serialHash >> p.shift
	p.bits[bit>>6] |= 1 << (bit & 63)
	if answered {
		p.found++
	}
}

// lacks reports that the certificate is not in the list; false says nothing.
func (p *presence) lacks(serialHash uint64) bool {
	bit := serialHash >> p.shift
	return p.bits[bit>>6]&(1<<(bit&63)) == 0
}

// checkShrinking stops a run whose list lacks too many of the certificates that the
// store answers for: half a list must not pass for a whole one. A response ends with its
// certificate, so what is answered for and has ended is not among them.
func (r *run) checkShrinking(p *presence) error {
	if r.state.store == nil {
		return nil
	}
	var answered uint64
	err := r.state.store.LiveIn(r.shards(), func(rec store.LiveRecord) bool {
		for i := range rec.CertIDs {
			if id := &rec.CertIDs[i]; current(rec.Record, r.now()) && r.ours(id) {
				answered++
				if p.lacks(id.SerialHash()) {
					r.report.vanishes(id.Serial, rec.StatusOf(id))
				}
			}
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("store %s: %w", r.Store, err)
	}
	r.report.Vanished = answered - min(p.found, answered)
	if gone := r.report.Vanished; r.Shrunk(gone, answered) {
		return fmt.Errorf("certificates %s: of %d certificates that are answered for, %d are not in the list (%s), more than %v %%: is the list whole? If it is, allow more by --max-shrink",
			r.List.Name(), answered, gone, r.report.VanishedFirst, r.MaxShrink)
	}
	return nil
}

// shards are those that the run is for.
func (r *run) shards() []index.Shard {
	if len(r.Shards) == 0 {
		return []index.Shard{index.Everything}
	}
	return r.Shards
}

// ours reports whether id is one of those by which certificates are counted: the
// issuer's, by the first algorithm.
func (r *run) ours(id *index.CertID) bool {
	own := r.responder.CertID(r.Hashes[0], id.Serial)
	return id.Alg == own.Alg && bytes.Equal(id.NameHash, own.NameHash) && bytes.Equal(id.KeyHash, own.KeyHash)
}
