package index

import (
	"fmt"

	"lancre/internal/parallel"
	"lancre/internal/sigbus"
)

// A tally is what a run of records turned out to hold.
type tally struct {
	count, keys, tombstones uint64
	times                   timeRange // unless all are tombstones
	longestProbe            uint32
	faults                  []*Fault // the first 20
	cut                     bool     // at the last of faults, behind which nobody knows where a record begins
}

// add adds what the records behind those of t hold.
func (t *tally) add(other *tally) {
	if first := t.count == t.tombstones; other.count > other.tombstones {
		o := &other.times
		t.times.widen(o.maxThisUpdate, o.minNextUpdate, o.minProducedAt, first)
		t.times.widen(o.maxThisUpdate, o.minNextUpdate, o.maxProducedAt, false)
	}
	t.count += other.count
	t.keys += other.keys
	t.tombstones += other.tombstones
	t.longestProbe = max(t.longestProbe, other.longestProbe)
	t.cut = other.cut
}

func (t *tally) fault(offset uint64, check, format string, args ...any) {
	if len(t.faults) < maxFaults {
		t.faults = append(t.faults, &Fault{int64(offset), check, fmt.Sprintf(format, args...)})
	}
}

// records verifies the records, a window at a time.
func (v *verifier) records() {
	v.proofs = v.Segment.proofs()
	at, end := v.head.recs.offset, v.head.recs.offset+v.head.recs.size
	for at < end && !v.total.cut {
		bounds := v.spans(at, end)
		for _, t := range v.tallies(bounds) {
			v.total.add(&t)
			for _, f := range t.faults {
				v.take(f)
			}
			if t.cut {
				break
			}
		}
		at = bounds[len(bounds)-1]
		v.release(at)
	}
}

// tallies verifies the spans between bounds on all processors.
func (v *verifier) tallies(bounds []uint64) []tally {
	list := make([]tally, len(bounds)-1)
	parallel.Each(len(list), func() func(int) {
		r := recordVerifier{Segment: v.Segment, proofs: v.proofs}
		return func(i int) { list[i] = r.span(bounds[i], bounds[i+1]) }
	})
	return list
}

// A recordVerifier verifies one record after another.
type recordVerifier struct {
	*Segment
	tally
	proofs []proof // by number of the shape

	// Scratch.
	response []byte
	parsed   Response
	ids      []CertID
}

// span verifies the records from begin to end.
func (v *recordVerifier) span(begin, end uint64) tally {
	v.tally = tally{}
	at := begin
	err := sigbus.Guard(func() error {
		for at < end && !v.cut {
			at += v.record(at)
		}
		return nil
	})
	if err != nil {
		v.fault(at, checkUnreadable, "%v", err)
		v.cut = true
	}
	return v.tally
}

// record verifies the record at offset at and returns its size.
func (v *recordVerifier) record(at uint64) uint64 {
	rec, ok := v.Segment.record(at, nil)
	if !ok {
		v.fault(at, checkRecord, "a record fails its checksum or bounds")
		v.cut = true
		return 0
	}
	v.count++
	v.reachable(rec)
	if rec.Tombstone() {
		v.tombstones++
	} else {
		v.times.widen(uint32(rec.ThisUpdate()), uint32(rec.NextUpdate()), uint32(rec.ProducedAt()), v.count-v.tombstones == 1)
		v.content(rec)
	}
	return uint64(len(rec.octets))
}

// reachable looks up each CertID of rec.
func (v *recordVerifier) reachable(rec Record) {
	v.ids = rec.CertIDs(v.ids[:0])
	reached := false
	for i := range v.ids {
		id := &v.ids[i]
		if contains(v.ids[:i], id) {
			continue
		}
		if !v.head.shard.Covers(id.SerialHash()) {
			v.fault(rec.offset, checkShard, "%s is in shard %s, the segment is for %s", id, ShardOf(id.SerialHash(), v.head.shard.Of), v.head.shard)
		}
		got, slots, found, err := v.probe(id.Key(), id, nil)
		switch {
		case err != nil || !found:
			v.fault(rec.offset, checkLookup, "a look-up of the record's own %s finds nothing", id)
		case got.offset == rec.offset:
			reached = true
			v.keys++
			v.longestProbe = max(v.longestProbe, slots)
		case v.head.version > 2:
			v.fault(rec.offset, checkLookup, "a look-up of the record's %s finds the record at offset %d", id, got.offset)
		case rec.Newer(got):
			v.fault(rec.offset, checkLookup, "a look-up of %s finds the older record at offset %d", id, got.offset)
		}
	}
	if !reached {
		v.fault(rec.offset, checkLookup, "no look-up finds the record of %s", &v.ids[0])
	}
}

func contains(list []CertID, id *CertID) bool {
	for i := range list {
		if list[i].Equal(id) {
			return true
		}
	}
	return false
}

// certIDs compares the CertIDs of the record and its status with those of its
// response: all of them or, since version 3, some.
func (v *recordVerifier) certIDs(rec Record) {
	var status Status
	n := 0
	for i := range v.parsed.Singles {
		single := &v.parsed.Singles[i]
		if n < len(v.ids) && v.ids[n].Equal(&single.CertID) {
			status = status.graver(single.Status)
			n++
		} else if v.head.version < 3 {
			v.fault(rec.offset, checkResponse, "the record lacks %s of its response", &single.CertID)
		}
	}
	if n < len(v.ids) {
		v.fault(rec.offset, checkResponse, "the record is for %s, its response is not", &v.ids[n])
	}
	if status != rec.Status() {
		v.fault(rec.offset, checkResponse, "the record's status is %s, its response's %s", rec.Status(), status)
	}
}

// content compares the record with the response that it stands for.
func (v *recordVerifier) content(rec Record) {
	if v.proved(rec) {
		return
	}
	v.response = rec.AppendResponse(v.response[:0])
	r := &v.parsed
	if err := r.Parse(v.response); err != nil {
		v.fault(rec.offset, checkResponse, "the record's response: %v", err)
		return
	}
	v.certIDs(rec)
	if r.ThisUpdate != rec.ThisUpdate() || r.NextUpdate != rec.NextUpdate() || r.ProducedAt != rec.ProducedAt() {
		v.fault(rec.offset, checkResponse, "the record's thisUpdate, nextUpdate and producedAt are %d, %d and %d, its response's %d, %d and %d",
			rec.ThisUpdate(), rec.NextUpdate(), rec.ProducedAt(), r.ThisUpdate, r.NextUpdate, r.ProducedAt)
	}
}
