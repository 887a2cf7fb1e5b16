package build

import (
	"fmt"
	"strings"

	"lancre/index"
	"lancre/index/store"
)

// openPrevious opens the generation that is being replaced, if there is one. One
// that cannot be opened is as none where the operator wants that.
func (b *builder) openPrevious() error {
	if b.publication.Previous() == nil {
		return nil
	}
	g, err := store.Open(b.config.Out)
	if err == nil {
		b.previous = g
		return nil
	}
	return b.refuse(checkPrevious, "nothing can be compared with the previous generation: %v", err)
}

func (b *builder) closePrevious() {
	if b.previous != nil {
		b.previous.Close()
	}
}

// refused is the error of a build in which something was rejected that is no
// response, and so is not counted by --max-rejects; nil if nothing was since there
// were before rejections.
func (b *builder) refused(before int) error {
	list := b.report.Rejections[before:]
	if len(list) == 0 {
		return nil
	}
	return fmt.Errorf("%d faults in the build as a whole; the first: %s", len(list), list[0])
}

// olderResponses are accepted responses that are older than what the previous
// generation has.
type olderResponses struct {
	count  uint64
	places map[string]Place // by serial, of the first rejectionMargin
}

func (o *olderResponses) add(it *item) {
	if o.places == nil {
		o.places = make(map[string]Place)
	}
	if o.count++; o.count <= rejectionMargin {
		var r index.Response
		if r.Parse(it.der) == nil {
			for i := range r.Singles {
				o.places[string(r.Singles[i].CertID.Serial)] = it.place
			}
		}
	}
}

// comparePrevious looks for what the previous generation says and the finished
// segment, nil if there is none, does not say any more, or says by an older response.
func (b *builder) comparePrevious(s *index.Segment) error {
	if b.previous == nil {
		return nil
	}
	before := len(b.report.Rejections)
	var ids []index.CertID
	for _, old := range b.previous.Segments() {
		err := old.Records(func(rec index.Record) bool {
			if rec.Tombstone() || rec.Status() != index.Revoked && b.older.count == 0 {
				return true
			}
			ids = rec.CertIDs(ids[:0])
			for i := range ids {
				b.compareRecord(rec, &ids[i], s)
			}
			return len(b.report.Rejections)-before < rejectionMargin
		})
		if err != nil {
			if err := b.refuse(checkPrevious, "nothing more can be compared with the previous generation: %v", err); err != nil {
				return err
			}
		}
	}
	return b.refused(before)
}

// compareRecord compares what the previous generation has for id with the segment.
func (b *builder) compareRecord(old index.Record, id *index.CertID, s *index.Segment) {
	var rec index.Record
	found := false
	if s != nil {
		rec, found, _ = s.Lookup(id.Key(), id) // no error: the self-check has read it all
	}
	switch {
	case found && rec.ThisUpdate() < old.ThisUpdate():
		b.foundOlder(old, rec, id)
	case !found && old.StatusOf(id) == index.Revoked:
		b.foundVanished(id, fmt.Sprintf("%x", id.Serial))
	}
}

// foundOlder notes that rec, which the segment has for id, is older than what the
// previous generation had.
func (b *builder) foundOlder(old, rec index.Record, id *index.CertID) {
	at, ok := b.older.places[string(id.Serial)]
	if !ok {
		at = whole(b.config.Out)
	}
	serial := fmt.Sprintf("%x", id.Serial)
	if b.found(checkPreviousThisUpdate, at, serial, fmt.Sprintf(
		"thisUpdate %s is older than %s in the previous generation, and no newer response is among the inputs (to allow this once: --force %s)",
		utc(rec.ThisUpdate()), utc(old.ThisUpdate()), checkPreviousThisUpdate)) || rec.Tombstone() {
		return
	}
	now := rec.StatusOf(id)
	if id := unrevoked(old, id, now); id != passed { // what was forced is an older response, not that
		b.found(id, at, serial, unrevokedReason(id, rec.ThisUpdate(), now, old))
	}
}

// retention is how long after it expires, in years, the status of a revoked
// certificate for code signing is kept (CSBR section 4.10.1).
const retention = 10

// foundVanished notes that a certificate, revoked in the previous generation, has no
// response any more.
func (b *builder) foundVanished(id *index.CertID, serial string) {
	check, until := checkVanished, ""
	if is := b.issuers.find(id); is != nil {
		if a := b.inventory.find(is, id.Serial); a != nil {
			at := b.config.At
			expiry := utcTime(a.notAfter)
			switch {
			case expiry.After(at):
				check = checkRevokedMissing
			case expiry.AddDate(retention, 0, 0).After(at):
				check = checkRevokedMissingCS
			default:
				return
			}
			until = fmt.Sprintf("; the certificate expires %s", utc(a.notAfter))
		}
	}
	b.found(check, whole(b.config.Out), serial, fmt.Sprintf(
		"revoked in the previous generation and without a response by %s now%s", id.Alg, until))
}

// checkHashes warns of issuers for which clients that ask by SHA-256, as new ones
// must, get less.
func (b *builder) checkHashes() {
	for i, is := range b.issuers.list {
		n := &b.report.Issuers[i].byAlg
		if n[index.SHA1] > n[index.SHA256] {
			b.found(checkSHA1Alone, whole(strings.Join(b.config.Responses, ", ")), "", fmt.Sprintf(
				"%d responses for %s by SHA-1 and %d by SHA-256: new clients ask by SHA-256", n[index.SHA1], is.cert.Subject, n[index.SHA256]))
		}
	}
}
