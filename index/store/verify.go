package store

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"lancre/index"
)

// The checks of Verify, as a Fault names them; those of a segment by itself are
// named by package index.
const (
	checkManifest = "store.manifest" // the manifest is there and follows its grammar
	checkObject   = "store.object"   // an object is there, with the size and SHA-256 that the manifest says
	checkSegment  = "store.segment"  // a segment opens, and holds what the manifest says
	checkShard    = "store.shard"    // a segment holds no key outside its shard, where no look-up finds it
	checkCoverage = "store.coverage" // segments of role base, if any, cover every key exactly once
)

// A Fault is one thing that is wrong with a store.
type Fault struct {
	File   string // where it is
	Offset int64  // in the file; -1 where it is not at one place of a segment
	Check  string // stable name of the check that failed, such as "store.object"
	Reason string
}

func (f *Fault) Error() string {
	if f.Offset < 0 {
		return fmt.Sprintf("%s (%s)", f.Reason, f.Check)
	}
	return fmt.Sprintf("%s: offset %d: %s (%s)", f.File, f.Offset, f.Reason, f.Check)
}

// Verify checks all of the store dir and calls report, one call after another, for
// every fault. It goes on after a fault where it can, and returns nil if there was
// none. It checks
//
//   - the manifest, as ParseManifest does;
//   - that every object it names is there, with the size and SHA-256 it says;
//   - every segment, as its Verify does, and its number of records and earliest
//     nextUpdate against the manifest;
//   - that a segment holds no key outside its shard, where no look-up finds it;
//   - that the segments of role base cover every key exactly once, if there are any.
//
// Objects that the manifest does not name are no fault. Verify takes no lock: a gc
// that runs meanwhile can make it report objects as missing.
func Verify(dir string, report func(*Fault)) error {
	v := verifier{dir: dir, report: report, reported: make(map[string]bool)}
	m, err := ReadManifest(dir)
	if err != nil {
		v.fault(v.manifest(), checkManifest, err)
	} else {
		v.m, v.segments = m, make([]*index.Segment, len(m.Segments))
		v.objects()
		v.eachSegment()
		v.baseCoverage()
	}
	for _, s := range v.segments {
		if s != nil {
			s.Close()
		}
	}
	if v.faults > 0 {
		return fmt.Errorf("%s: faults found: %d", dir, v.faults)
	}
	return nil
}

type verifier struct {
	dir      string
	report   func(*Fault)
	faults   int
	m        *Manifest
	reported map[string]bool  // texts of faults: one look finds the size wrong, and the next again
	segments []*index.Segment // of m.Segments; nil where one is not sound
}

// fault reports err, which says where in file it is.
func (v *verifier) fault(file, check string, err error) {
	v.tell(&Fault{file, -1, check, err.Error()})
}

func (v *verifier) tell(f *Fault) {
	if v.reported[f.Reason] && f.Offset < 0 {
		return
	}
	v.reported[f.Reason] = true
	v.faults++
	v.report(f)
}

func (v *verifier) manifest() string { return filepath.Join(v.dir, manifestName) }

// object is the file of segment i.
func (v *verifier) object(i int) string { return objectPath(v.dir, v.m.Segments[i].SHA256) }

// objects checks the size and SHA-256 of every object, once for each object.
func (v *verifier) objects() {
	sizes := make(map[string]int64) // of the objects that were read
	for ref := range v.m.references {
		if size, ok := sizes[ref.sum]; ok && size == ref.size {
			continue
		}
		sizes[ref.sum] = ref.size
		if err := ref.verify(v.dir); err != nil {
			v.fault(objectPath(v.dir, ref.sum), checkObject, err)
		}
	}
}

func (r reference) verify(dir string) error {
	f, err := r.openObject(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	sum, _, err := digest(f)
	if err != nil {
		return r.fault(err)
	}
	if sum != r.sum {
		return r.fault(fmt.Errorf("%s has sha256 %s: it was changed or damaged; %s", f.Name(), sum, goodCopy))
	}
	return nil
}

// eachSegment verifies every segment by itself, and keeps the sound ones open.
func (v *verifier) eachSegment() {
	for i := range v.m.Segments {
		s, err := v.m.openSegment(v.dir, i)
		if err != nil {
			v.fault(v.object(i), checkSegment, err)
			continue
		}
		if !s.Verify(func(f *index.Fault) { v.tell(&Fault{v.object(i), f.Offset, f.Check, f.Reason}) }) {
			s.Close()
			continue
		}
		v.segments[i] = s
		v.shard(i)
	}
}

// eachKey calls yield for every CertID of every record of segment i.
func (v *verifier) eachKey(i int, yield func(rec index.Record, key uint64, id *index.CertID)) {
	var ids []index.CertID
	err := v.segments[i].Records(func(rec index.Record) bool {
		ids = rec.CertIDs(ids[:0])
		for n := range ids {
			yield(rec, ids[n].Key(), &ids[n])
		}
		return true
	})
	if err != nil {
		v.fault(v.object(i), checkSegment, fmt.Errorf("%s: %w", v.object(i), err))
	}
}

// shard checks that segment i has no key outside its shard.
func (v *verifier) shard(i int) {
	line := &v.m.Segments[i]
	if line.Shard.Of == 1 {
		return
	}
	var outside int
	var first string
	v.eachKey(i, func(rec index.Record, key uint64, id *index.CertID) {
		if line.Shard.Covers(key) {
			return
		}
		if outside++; outside == 1 {
			first = fmt.Sprintf("offset %d: %s with key %016x", rec.Offset(), id, key)
		}
	})
	if outside > 0 {
		v.fault(v.object(i), checkShard, fmt.Errorf("%s: keys outside shard %s, which no look-up finds: %d, the first at %s",
			v.object(i), line.Shard, outside, first))
	}
}

// baseCoverage checks that every key is in the shard of exactly one base segment.
func (v *verifier) baseCoverage() {
	var base []Shard
	for _, s := range v.m.Segments {
		if s.Role == RoleBase {
			base = append(base, s.Shard)
		}
	}
	if base == nil {
		return
	}
	slices.SortStableFunc(base, func(a, b Shard) int {
		aFrom, _ := a.span()
		bFrom, _ := b.span()
		return cmp.Compare(aFrom, bFrom)
	})
	var covered uint64 // every key below it, in the unit of span
	for _, s := range base {
		from, to := s.span()
		if from < covered {
			v.fault(v.manifest(), checkCoverage, fmt.Errorf("manifest: the base segment of shard %s overlaps another base segment", s))
		}
		if from > covered {
			v.uncovered(covered, from)
		}
		covered = max(covered, to)
	}
	if covered < keySpace {
		v.uncovered(covered, keySpace)
	}
}

func (v *verifier) uncovered(from, to uint64) {
	v.fault(v.manifest(), checkCoverage, fmt.Errorf("manifest: no base segment covers the keys from %016x to %016x: publish the missing shards",
		from<<32, to<<32-1))
}
