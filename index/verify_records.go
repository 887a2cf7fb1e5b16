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
	at     uint64  // where it is

	// Scratch.
	records  []Record // the next few
	all      []CertID // theirs
	keys     []uint64 // of all
	fetched  uint64
	ids      []CertID // of the record in hand
	response []byte
	parsed   Response
}

// few is how many records are read before they are looked up: enough that the memory
// brings the slots of many at a time, few enough that they stay in the cache.
const few = 32

// span verifies the records from begin to end.
func (v *recordVerifier) span(begin, end uint64) tally {
	v.tally, v.at = tally{}, begin
	err := sigbus.Guard(func() error {
		for at := begin; at < end && !v.cut; {
			at = v.next(at, end)
		}
		return nil
	})
	if err != nil {
		v.fault(v.at, checkUnreadable, "%v", err)
		v.cut = true
	}
	return v.tally
}

// next verifies the next few records from at on, before end, and returns where they end.
func (v *recordVerifier) next(at, end uint64) uint64 {
	at, ok := v.read(at, end)
	ids, keys := v.all, v.keys
	for i := range v.records {
		rec := &v.records[i]
		n := len(rec.shape.ids)
		v.at, v.ids = rec.offset, ids[:n]
		v.record(rec, keys[:n])
		ids, keys = ids[n:], keys[n:]
	}
	if !ok {
		v.fault(at, checkRecord, "a record fails its checksum or bounds")
		v.cut = true
	}
	return at
}

// read reads the next few records and returns where they end; ok is false if there is
// none behind them.
func (v *recordVerifier) read(at, end uint64) (next uint64, ok bool) {
	v.records, v.all, v.keys = v.records[:0], v.all[:0], v.keys[:0]
	for ok = true; ok && at < end && len(v.records) < few; {
		v.at = at
		var rec Record
		if ok = v.Segment.record(at, &rec, nil); ok {
			v.records, v.all = append(v.records, rec), rec.CertIDs(v.all)
			at += uint64(len(rec.octets))
		}
	}
	for i := range v.all {
		v.keys = append(v.keys, v.all[i].Key())
	}
	v.fetched = v.table.fetch(v.keys)
	return at, ok
}

// record verifies a record, whose CertIDs are v.ids and have the given keys.
func (v *recordVerifier) record(rec *Record, keys []uint64) {
	v.count++
	v.reachable(rec, keys)
	if rec.Tombstone() {
		v.tombstones++
	} else {
		v.times.widen(uint32(rec.ThisUpdate()), uint32(rec.NextUpdate()), uint32(rec.ProducedAt()), v.count-v.tombstones == 1)
		v.content(rec)
	}
}

// reachable looks up each CertID of rec.
func (v *recordVerifier) reachable(rec *Record, keys []uint64) {
	reached := false
	for i := range v.ids {
		id := &v.ids[i]
		if contains(v.ids[:i], id) {
			continue
		}
		if !v.head.shard.Has(id) {
			v.fault(rec.offset, checkShard, "%s is in shard %s, the segment is for %s", id, ShardOf(id.SerialHash(), v.head.shard.Of), v.head.shard)
		}
		if first, slots := v.table.next(keys[i], 0); first == rec.offset {
			reached = true
			v.keyed(uint32(slots))
			continue
		}
		got, found, err := v.Lookup(keys[i], id)
		switch {
		case err != nil || !found:
			v.fault(rec.offset, checkLookup, "a look-up of the record's own %s finds nothing", id)
		case got.offset == rec.offset:
			reached = true
			v.keyed(v.table.countTo(keys[i], rec.offset))
		case v.head.version > 2:
			v.fault(rec.offset, checkLookup, "a look-up of the record's %s finds the record at offset %d", id, got.offset)
		case rec.Newer(&got):
			v.fault(rec.offset, checkLookup, "a look-up of %s finds the older record at offset %d", id, got.offset)
		}
	}
	if !reached {
		v.fault(rec.offset, checkLookup, "no look-up finds the record of %s", &v.ids[0])
	}
}

// keyed counts a CertID of which a look-up examined so many slots to find its record.
func (t *tally) keyed(slots uint32) {
	t.keys++
	t.longestProbe = max(t.longestProbe, slots)
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
func (v *recordVerifier) certIDs(rec *Record) {
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
func (v *recordVerifier) content(rec *Record) {
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
