package store

import (
	"errors"
	"slices"

	"lancre/index"
)

// ErrMoved is what a commit returns where another one changed what it was made from:
// it is to be made again.
var ErrMoved = errors.New("the store was changed meanwhile by another build, replaced shard or rollback: run this again")

// A Rebase is bases that were made, without the store's lock, from a snapshot and an
// input, with deltas on top of them: together, for every CertID of the bases' shards,
// the newer of the two, or none where the input is to be without it. Committed, they stand above all lines of the snapshot and
// below those that came since; where the input is newer than these, too, a correcting
// delta stands on top of both. What lines that came since say again of the snapshot,
// for they were merged of its lines, is taken out of them: the bases decided that.
type Rebase struct {
	objects  *Objects
	snapshot *Generation   // nil for a store that was new
	lines    []SegmentLine // deltas, if any, then bases
	made     *Generation   // of these alone

	gone, came *Counts // what the snapshot answers in their shards, and what they do

	// Corrected is how many CertIDs the correcting delta has, after Commit.
	Corrected uint64
}

// NewRebase makes one of lines that objects has, bases below any deltas. snapshot is
// nil for a new store. The caller closes it, and keeps snapshot open meanwhile.
func NewRebase(objects *Objects, snapshot *Generation, lines []SegmentLine) (*Rebase, error) {
	r := &Rebase{objects: objects, snapshot: snapshot, lines: lines, gone: NewCounts()}
	var err error
	if r.made, err = objects.Open(&Manifest{Segments: lines}, nil); err != nil {
		return nil, err
	}
	if r.came, err = r.made.Count(); err != nil {
		r.Close()
		return nil, err
	}
	if snapshot == nil {
		return r, nil
	}
	if r.gone, err = snapshot.countIn(r.shards()); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// shards are those of the bases.
func (r *Rebase) shards() (shards []index.Shard) {
	for _, l := range r.lines {
		if l.Role == RoleBase {
			shards = append(shards, l.Shard)
		}
	}
	return shards
}

// Close closes the lines.
func (r *Rebase) Close() { r.made.Close() }

// Commit publishes the lines by p, whose Objects are those of r; fill is told the
// manifest that is to come, all but complete, for what else changes in it.
func (r *Rebase) Commit(p *Publication, fill func(next *Manifest) error) (*Manifest, error) {
	now := p.previous
	if now == nil {
		now = &Manifest{}
	}
	before := &Manifest{}
	if r.snapshot != nil {
		before = r.snapshot.manifest
	}
	for _, l := range r.lines {
		if l.Role == RoleBase && moved(now, before, l.Shard) {
			return nil, ErrMoved
		}
	}
	counts, err := p.counts()
	if err != nil {
		return nil, err
	}
	next := *now
	next.version1 = ""
	var since int
	next.Segments, since = placeBases(now.Segments, before.Segments, r.lines)
	counts.subtract(r.gone)
	counts.Merge(r.came)
	if since > 0 {
		if err := r.correct(p, &next, since, counts); err != nil {
			return nil, err
		}
	}
	if err := fill(&next); err != nil {
		return nil, err
	}
	counts.Fill(&next)
	return &next, p.Commit(&next)
}

// correct compares what came since the snapshot, in the first lines of the current
// generation, with the bases. It puts what these have newer from the input on top of
// next, takes out of next's lines what they say again of the snapshot, and brings the
// counts up to date.
func (r *Rebase) correct(p *Publication, next *Manifest, since int, counts *Counts) error {
	g, err := p.answers(r.snapshot)
	if err != nil {
		return err
	}
	defer g.Close()
	shards := r.shards()
	newer, again := NewLineWriter(p.Objects, index.Everything), make(map[string]bool)
	defer newer.Abort()
	lines := make([]int, since)
	for i := range lines {
		lines[i] = i
	}
	err = g.eachLive(lines, 0, func(now LiveRecord) error {
		for i := range now.CertIDs {
			id := &now.CertIDs[i]
			if !covers(shards, id) {
				continue
			}
			base, is, err := r.compare(now.Record, id, counts)
			if err != nil {
				return err
			}
			switch is {
			case saysAgain:
				again[mapKey(id)] = true
			case inputNewer:
				r.Corrected++
				if err := newer.Add(base, *id); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(again) > 0 {
		if err := g.takeOut(p.Objects, next, since, again); err != nil {
			return err
		}
	}
	line, err := newer.Finish(RoleDelta)
	if err == nil && line.Records > 0 {
		next.Segments = Push(next.Segments, line)
	}
	return err
}

// What an answer that stands above new bases is beside theirs.
type standing int

const (
	cameSince  standing = iota // it stays
	saysAgain                  // what the snapshot said, and the bases have decided about
	inputNewer                 // than it: what the bases have is to stand above it
)

// compare tells what now, an answer for id in a line that came since, is beside base,
// which the bases have. counts, of now's generation with the snapshot's answers of
// the shards replaced by the bases', is mended for id.
func (r *Rebase) compare(now index.Record, id *index.CertID, counts *Counts) (base index.Record, is standing, err error) {
	was, before, err := r.snapshot.answer(id)
	if err != nil {
		return base, 0, err
	}
	if before && sameAnswer(was, now) {
		return base, saysAgain, nil
	}
	base, based, err := r.made.answer(id)
	if err != nil {
		return base, 0, err
	}
	if before {
		counts.Add(was, id) // taken away although now had replaced it
	}
	fromInput := based && !(before && sameAnswer(was, base))
	if fromInput && base.Newer(&now) {
		counts.Remove(now, id)
		return base, inputNewer, nil
	}
	if based {
		counts.Remove(base, id)
	}
	return base, cameSince, nil
}

// takeOut makes the first since lines of next, which are those of g, again without
// the given CertIDs, where they have them.
func (g *Generation) takeOut(objects *Objects, next *Manifest, since int, ids map[string]bool) error {
	made := make(map[lineID]SegmentLine)
	for i := range since {
		line := g.manifest.Segments[i]
		if line.Role != RoleDelta {
			continue
		}
		rest, changed, err := g.lineWithout(objects, i, ids)
		if err != nil {
			return err
		}
		if changed {
			rest.Created = line.Created
			made[line.id()] = rest
		}
	}
	var lines []SegmentLine
	for _, line := range next.Segments {
		rest, changed := made[line.id()]
		if changed && rest.Records == 0 {
			continue
		}
		if changed {
			line = rest
		}
		lines = append(lines, line)
	}
	next.Segments = lines
	return nil
}

// lineWithout makes line i of g again without the given CertIDs; changed is false if
// it has none of them, and rest has no records if it has no others.
func (g *Generation) lineWithout(objects *Objects, i int, ids map[string]bool) (rest SegmentLine, changed bool, err error) {
	line := g.manifest.Segments[i]
	alone := Generation{manifest: &Manifest{Segments: []SegmentLine{line}}, segments: g.segments[i : i+1]}
	alone.stack = newStack(alone.manifest.Segments, alone.segments)
	w := NewLineWriter(objects, line.Shard)
	defer w.Abort()
	err = alone.eachLive([]int{0}, 0, func(r LiveRecord) error {
		all := len(r.CertIDs)
		r.CertIDs = slices.DeleteFunc(r.CertIDs, func(id index.CertID) bool { return ids[mapKey(&id)] })
		changed = changed || len(r.CertIDs) < all
		if len(r.CertIDs) == 0 {
			return nil
		}
		return w.Add(r.Record, r.CertIDs...)
	})
	if err != nil || !changed {
		return rest, false, err
	}
	rest, err = w.Finish(line.Role)
	return rest, true, err
}
