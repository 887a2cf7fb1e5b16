package index

import (
	"fmt"
	"hash/crc32"
	"slices"
)

// SetRecord makes e hold what rec holds, octet for octet, entered under ids: some of the
// CertIDs that rec is entered under, or all of them where ids is empty. rec and ids must
// stay valid until e was added.
//
// It copies, at some times the speed of Set, what a segment of this version has that
// shares its shape with others and keeps all its CertIDs. Of all else it parses and
// cuts the response.
func (e *Entry) SetRecord(rec Record, ids []CertID) error {
	for i := range ids {
		if !rec.has(&ids[i]) {
			return fmt.Errorf("record at offset %d is not entered under %s", rec.offset, &ids[i])
		}
	}
	// A copy, for a mapping can change after its checksum was compared.
	e.octets = append(e.octets[:0], rec.octets...)
	rec.octets = e.octets
	if crc32.Checksum(rec.octets[4:], castagnoli) != le.Uint32(rec.octets) {
		return &Fault{int64(rec.offset), checkRecord, "a record fails its checksum"}
	}
	all := len(ids) == 0 || rec.hasNoneBut(ids)
	if all && rec.segment.head.version == version && !rec.shape.whole && !rec.Tombstone() {
		e.copy(rec)
		return nil
	}
	if all {
		ids = rec.CertIDs(nil)
	}
	if rec.Tombstone() {
		hidden, _ := rec.CertStatus(&ids[0])
		return e.SetTombstone(&ids[0], hidden)
	}
	e.response = rec.AppendResponse(e.response[:0])
	return e.setPart(e.response, ids)
}

// hasNoneBut reports whether all CertIDs of r are among ids.
func (r *Record) hasNoneBut(ids []CertID) bool {
	for i := range r.shape.ids {
		if id := r.certID(&r.shape.ids[i]); !contains(ids, &id) {
			return false
		}
	}
	return true
}

// copy makes e hold rec, whose octets are e's, with its shape.
func (e *Entry) copy(rec Record) {
	e.certIDs, e.shape = rec.CertIDs(e.certIDs[:0]), rec.shape
	e.times = entryTimes{uint32(rec.ThisUpdate()), uint32(rec.NextUpdate()), uint32(rec.ProducedAt())}
	e.status, e.tombstone, e.copied = rec.Status(), false, true
	e.finish()
}

// setPart makes e hold the response der, entered under those of its CertIDs that are
// among ids. der and ids must stay unchanged until e was added.
func (e *Entry) setPart(der []byte, ids []CertID) error {
	r := &e.parsed
	if err := r.Parse(der); err != nil {
		return err
	}
	if err := e.Set(r); err != nil {
		return err
	}
	e.status = Good
	n := 0
	for i := range r.Singles {
		if contains(ids, &e.certIDs[i]) {
			e.certIDs[n], e.shape.ids[n] = e.certIDs[i], e.shape.ids[i]
			e.status = e.status.graver(r.Singles[i].Status)
			n++
		}
	}
	e.certIDs, e.shape.ids = e.certIDs[:n], e.shape.ids[:n]
	e.finish()
	return nil
}

// within returns e or, where some of its CertIDs are outside s, an entry of the same
// response under the others.
func (e *Entry) within(s Shard) (*Entry, error) {
	outside := func(id CertID) bool { return !s.Has(&id) }
	if !slices.ContainsFunc(e.certIDs, outside) {
		return e, nil
	}
	ids := slices.DeleteFunc(slices.Clone(e.certIDs), outside)
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s is in shard %s, this segment is for %s: add it to the segment of its shard", &e.certIDs[0], ShardOf(e.certIDs[0].SerialHash(), s.Of), s)
	}
	part := new(Entry)
	return part, part.setPart(e.whole(), ids)
}
