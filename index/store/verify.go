package store

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"lancre/index"
)

// The checks of Verify, as a Fault names them; those of a segment by itself are
// named by package index.
const (
	checkManifest = "store.manifest" // the manifest is there and follows its grammar
	checkObject   = "store.object"   // an object is there, with the size and SHA-256 that the manifest says
	checkSegment  = "store.segment"  // a segment opens, and holds what the manifest says
	checkStack    = "store.stack"    // every line can be reached, and bases, if there are any, cover every certificate
	checkCounts   = "store.counts"   // the manifest counts what answers
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
//   - the manifest, as trust opens it;
//   - that every object it names is there, with the size and SHA-256 it says;
//   - every segment, as its Verify does, and its number of records and earliest
//     nextUpdate against the manifest;
//   - the stack: that base lines above it do not hide all of a line, and that base
//     lines, if there are any, cover every certificate;
//   - what the manifest counts, by a walk through all that answers.
//
// Objects that the manifest does not name are no fault. Verify takes no lock: a gc
// that runs meanwhile can make it report objects as missing.
func Verify(dir string, trust *Trust, report func(*Fault)) error {
	v := verifier{dir: dir, report: report, reported: make(map[string]bool)}
	m, err := parseManifestAt(v.manifest(), trust)
	if err != nil {
		v.fault(v.manifest(), checkManifest, err)
	} else {
		v.m, v.segments = m, make([]*index.Segment, len(m.Segments))
		v.list()
		v.objects()
		v.eachSegment()
		v.stack()
		v.counts()
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
	unlisted bool             // the list of files cannot be read
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
func (v *verifier) object(i int) string { return ObjectPath(v.dir, v.m.Segments[i].SHA256) }

// list reads the list of files.
func (v *verifier) list() {
	if err := v.m.readList(objectsOf(v.dir)); err != nil {
		v.unlisted = true
		v.fault(ObjectPath(v.dir, v.m.List.SHA256), checkManifest, err)
	}
}

// objects checks the size and SHA-256 of every object, once for each object.
func (v *verifier) objects() {
	sizes := make(map[string]int64) // of the objects that were read
	for ref := range v.m.references {
		if size, ok := sizes[ref.sum]; ok && size == ref.size {
			continue
		}
		sizes[ref.sum] = ref.size
		if err := ref.verify(v.dir); err != nil {
			v.fault(ObjectPath(v.dir, ref.sum), checkObject, err)
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
		s, err := v.m.openSegment(objectsOf(v.dir), i)
		if err != nil {
			v.fault(v.object(i), checkSegment, err)
			continue
		}
		if !s.Verify(func(f *index.Fault) { v.tell(&Fault{v.object(i), f.Offset, f.Check, f.Reason}) }) {
			s.Close()
			continue
		}
		v.segments[i] = s.Segment
	}
}

// stack checks that every line can be reached and that bases cover everything.
func (v *verifier) stack() {
	var covered coverage // by base lines so far
	bases := 0
	for i, line := range v.m.Segments {
		if covered.all(line.Shard) {
			v.fault(v.manifest(), checkStack, fmt.Errorf(
				"manifest line %d: base lines above it cover all of shard %s, so that no look-up reaches it", v.m.segmentLineNumber(i), line.Shard))
		}
		if line.Role == RoleBase {
			bases++
		}
		covered.add(&line)
	}
	if first := slices.Index(covered[:], false); bases > 0 && first >= 0 {
		v.fault(v.manifest(), checkStack, fmt.Errorf(
			"manifest: base lines do not cover every certificate: the first that they lack are those of shard %d/%d", first, index.MaxShards))
	}
}

// counts compares what the manifest counts with what answers. A manifest of version
// 1 counts nothing.
func (v *verifier) counts() {
	if v.m.version1 != "" || slices.Contains(v.segments, nil) {
		return
	}
	g := Generation{manifest: v.m, segments: v.segments, stack: newStack(v.m.Segments, v.segments)}
	c, err := g.Count()
	if err != nil {
		v.fault(v.manifest(), checkCounts, err)
		return
	}
	got := Manifest{Files: v.m.Files}
	c.Fill(&got)
	line, due := v.m.headerLines()+len(v.m.Marks)+1, v.m.Due
	compareCounts(v, line, v.m.Live, got.Live)
	line += len(v.m.Live)
	for v.unlisted && len(due) > 0 && due[0].Kind == DueCRLs { // which nobody can tell
		line, due = line+1, due[1:]
	}
	compareCounts(v, line, due, got.Due)
}

// compareCounts reports the first of lines, whose first has the number first, that is
// not what the records give.
func compareCounts[T fmt.Stringer](v *verifier, first int, lines, got []T) {
	for i := range max(len(lines), len(got)) {
		line, want := "nothing", "nothing"
		if i < len(lines) {
			line = strconv.Quote(lines[i].String())
		}
		if i < len(got) {
			want = strconv.Quote(got[i].String())
		}
		if line != want {
			v.fault(v.manifest(), checkCounts, fmt.Errorf("manifest line %d: %s, but what answers gives %s", first+i, line, want))
			return
		}
	}
}
