package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"lancre/index"
)

// A MergeResult counts what Merge did.
type MergeResult struct {
	Joined     int    `json:"joined"`     // deltas that became fewer
	Into       int    `json:"into"`       // so many
	Absorbed   int    `json:"absorbed"`   // bases that took in what lay above them
	Written    int64  `json:"written"`    // octets
	Expired    uint64 `json:"expired"`    // CertIDs whose response has expired and became a tombstone
	Dropped    uint64 `json:"dropped"`    // CertIDs whose tombstone went
	Lines      int    `json:"lines"`      // of segments, then
	Generation uint64 `json:"generation"` // of the store then
}

// maxMoved is how often in a row steps are given up before Merge is.
const maxMoved = 10

// Merge joins neighbouring deltas of the store dir and has bases absorb what lies
// above them, as policy says, one step and one generation after another. Every CertID
// is answered the same before and after, octet for octet; but that in bases, responses
// which have expired at the time now become tombstones, which clients are answered the
// same, and such tombstones go after a while: those of certificates that are not
// revoked.
//
// Each step prepares its segment without the store's lock, and commits it if the
// lines it was made from are still there.
func Merge(dir string, policy MergePolicy, now time.Time) (r MergeResult, err error) {
	var g *Generation
	defer func() {
		if g != nil {
			g.Close()
		}
	}()
	moved := 0
	for policy.MaxWrite == 0 || r.Written < policy.MaxWrite {
		next, err := OpenAnswers(dir, g)
		if err != nil {
			return r, err
		}
		if g != nil {
			g.Close()
		} else if err := next.manifest.CheckClock(now); err != nil {
			next.Close()
			return r, err
		}
		g = next
		r.Generation, r.Lines = g.manifest.Generation, len(g.manifest.Segments)
		step, ok := nextStep(g.manifest.Segments, &policy)
		if !ok {
			return r, nil
		}
		m := merging{dir: dir, g: g, policy: &policy, now: now, result: &r}
		switch err := m.do(step); {
		case errors.Is(err, ErrMoved) && moved < maxMoved:
			moved++
		case err != nil:
			return r, err
		default:
			moved = 0
		}
	}
	return r, nil
}

// A merging is one step of Merge, prepared from the generation g.
type merging struct {
	dir     string
	g       *Generation
	policy  *MergePolicy
	now     time.Time
	objects *Objects

	counting sync.Mutex // while records are copied
	result   *MergeResult
	changed  *Counts // what becomes of the counts
}

func (m *merging) do(step mergeStep) (err error) {
	if m.objects, err = OpenObjects(m.dir); err != nil {
		return err
	}
	defer m.objects.Close()
	if err := m.objects.SignWith(m.policy.Signing); err != nil {
		return err
	}
	m.changed = NewCounts()
	if step.shard != nil {
		return m.absorb(*step.shard)
	}
	return m.join(step.deltas)
}

// join makes one delta of several.
func (m *merging) join(deltas []int) error {
	lines := m.g.manifest.Segments
	first, last := deltas[0], deltas[len(deltas)-1]
	// Seen alone, the lines from the first to the last hide of each other what they
	// hide in the stack; what lies above them hides no less of the joined one.
	part := Generation{manifest: &Manifest{Segments: lines[first : last+1]}, segments: m.g.segments[first : last+1]}
	part.stack = newStack(part.manifest.Segments, part.segments)
	w := NewLineWriter(m.objects, shardOf(lines, deltas))
	defer w.Abort()
	if err := part.copyLive(w, deltas, first, index.Everything, (*entryBatch).copy); err != nil {
		return err
	}
	line, err := w.Finish(RoleDelta)
	if err != nil {
		return err
	}
	line.Created = newestOf(part.manifest.Segments)
	m.result.Written += line.Size
	return m.commit(func(now *Manifest) ([]SegmentLine, error) {
		at := slices.IndexFunc(now.Segments, func(l SegmentLine) bool { return l.id() == lines[first].id() })
		if at < 0 || at+last-first >= len(now.Segments) || !sameLines(now.Segments[at:at+last-first+1], lines[first:last+1]) {
			return nil, ErrMoved
		}
		joined := slices.Clone(now.Segments[:at])
		if line.Records > 0 {
			joined = append(joined, line)
		}
		for i := first; i <= last; i++ {
			if !slices.Contains(deltas, i) {
				joined = append(joined, lines[i])
			}
		}
		m.result.Joined += len(deltas)
		m.result.Into++
		return prune(append(joined, now.Segments[at+last-first+1:]...)), nil
	})
}

// shardOf is the smallest shard that has those of all given lines.
func shardOf(lines []SegmentLine, of []int) index.Shard {
	shard := lines[of[0]].Shard
	for _, i := range of {
		for !shard.Contains(lines[i].Shard) {
			shard = shard.Parent()
		}
	}
	return shard
}

func sameLines(a, b []SegmentLine) bool {
	return slices.EqualFunc(a, b, func(a, b SegmentLine) bool { return a.id() == b.id() })
}

// absorb makes a new base of shard from all that answers in it.
func (m *merging) absorb(shard index.Shard) error {
	before := m.g.manifest
	var all []int
	var lines []SegmentLine
	for i := range before.Segments {
		if before.Segments[i].Shard.Overlaps(shard) {
			all, lines = append(all, i), append(lines, before.Segments[i])
		}
	}
	w := NewLineWriter(m.objects, shard)
	defer w.Abort()
	if err := m.g.copyLive(w, all, 0, shard, m.settle); err != nil {
		return err
	}
	line, err := w.Finish(RoleBase)
	if err != nil {
		return err
	}
	line.Created = newestOf(lines)
	if idsOf(lines)[line.id()] { // what was absorbed had expired, and is in the base already
		line.Created = line.Created.Add(time.Second) // so that what was prepared beside this finds another line
	}
	m.result.Written += line.Size
	return m.commit(func(now *Manifest) ([]SegmentLine, error) {
		if moved(now, before, shard) {
			return nil, ErrMoved
		}
		placed, since := placeBases(now.Segments, before.Segments, []SegmentLine{line})
		m.result.Absorbed++
		return placed, m.keepSince(now, since, shard)
	})
}

// moved reports whether a base of shard that was made from before, a snapshot, may not
// be placed into now: because its own base was replaced since, or, where it has none,
// something is not there any more. What was rolled back is not there any more.
func moved(now, before *Manifest, shard index.Shard) bool {
	base := newestBase(before.Segments, shard)
	if base == (lineID{}) {
		there := idsOf(now.Segments)
		for i := range before.Segments {
			if !there[before.Segments[i].id()] {
				return true
			}
		}
	}
	return newestBase(now.Segments, shard) != base
}

// newestBase is the topmost base that has something of shard; the zero value if there
// is none.
func newestBase(lines []SegmentLine, shard index.Shard) lineID {
	for i := range lines {
		if lines[i].Role == RoleBase && lines[i].Shard.Overlaps(shard) {
			return lines[i].id()
		}
	}
	return lineID{}
}

// eachLive calls do for the records that answer in the given lines, which are
// counted from the line that is g's first; until it returns an error.
func (g *Generation) eachLive(lines []int, first int, do func(LiveRecord) error) error {
	for _, i := range lines {
		var failed error
		if _, err := g.liveIn(i-first, everything, func(r LiveRecord) bool {
			failed = do(r)
			return failed == nil
		}); err != nil {
			return fmt.Errorf("object %s: %w", g.manifest.Segments[i-first].SHA256, err)
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}

// copyLive has w make what do makes of the records that answer for certificates of shard in
// the given lines, which are counted from the line that is g's first, and of their CertIDs
// there. do is called by several goroutines, for a batch that each has to itself.
func (g *Generation) copyLive(w *LineWriter, lines []int, first int, shard index.Shard, do func(*entryBatch, index.Record, []index.CertID) error) error {
	for _, i := range lines {
		all, err := g.walk(i-first, []index.Shard{shard})
		if err != nil {
			return fmt.Errorf("object %s: %w", g.manifest.Segments[i-first].SHA256, err)
		}
		for span := range g.segments[i-first].Spans {
			part := all.from(span)
			err := w.pass(func(b *entryBatch) error {
				return part.each(span, func(rec index.Record, ids []index.CertID) error { return do(b, rec, ids) })
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// settle adds rec to a base, under ids: an expired response becomes tombstones there, and
// a tombstone goes in time.
func (m *merging) settle(b *entryBatch, rec index.Record, ids []index.CertID) error {
	switch {
	case rec.Tombstone() && m.forgettable(rec):
		m.counting.Lock()
		defer m.counting.Unlock()
		m.result.Dropped += uint64(len(ids))
		for i := range ids {
			m.changed.Remove(rec, &ids[i])
		}
		return nil
	case rec.Tombstone() || rec.NextUpdate() > m.now.Unix():
		return b.copy(rec, ids)
	}
	for i := range ids {
		if err := b.bury(rec, &ids[i]); err != nil {
			return err
		}
	}
	m.counting.Lock()
	defer m.counting.Unlock()
	m.result.Expired += uint64(len(ids))
	for i := range ids {
		m.changed.Bury(rec, &ids[i])
	}
	return nil
}

// forgettable reports whether the tombstone r need not be kept, when nothing was heard of
// its certificate for long: if that was not revoked, or is to be forgotten. Without a nextUpdate of what
// it hides, its producedAt counts.
func (m *merging) forgettable(r index.Record) bool {
	return (r.Status() != index.Revoked || m.policy.Forget) && m.now.Unix()-r.ProducedAt() > m.policy.ExpiredAfter
}

// keepSince takes back from the changed counts what lines committed since hide: the
// first of now.
func (m *merging) keepSince(now *Manifest, since int, shard index.Shard) error {
	if since == 0 {
		return nil
	}
	g, err := openAnswers(objectsOf(m.dir), now, m.g)
	if err != nil {
		return err
	}
	defer g.Close()
	var lines []int
	for i := range since {
		lines = append(lines, i)
	}
	return g.eachLive(lines, 0, func(r LiveRecord) error {
		for i := range r.CertIDs {
			id := &r.CertIDs[i]
			if !shard.Has(id) {
				continue
			}
			var was index.Record
			at, err := m.g.stack.find(id.Key(), id, &was, nil)
			if err != nil {
				return err
			}
			switch {
			case at == nil:
			case was.Tombstone() && m.forgettable(was):
				m.changed.Add(was, id)
			case !was.Tombstone() && was.NextUpdate() <= m.now.Unix():
				m.changed.Unbury(was, id)
			}
		}
		return nil
	})
}

// commit publishes what lines makes of those that the store has by now.
func (m *merging) commit(lines func(now *Manifest) ([]SegmentLine, error)) error {
	if m.policy.prepared != nil {
		if err := m.policy.prepared(m.objects); err != nil {
			return err
		}
	}
	p, err := m.objects.Begin()
	if err != nil {
		return err
	}
	defer p.Close()
	next := *p.previous
	next.version1 = ""
	if next.Segments, err = lines(p.previous); err != nil {
		return err
	}
	counts, err := p.counts()
	if err != nil {
		return err
	}
	counts.Merge(m.changed)
	counts.Fill(&next)
	if m.now.After(next.Created) { // else another publication came after this one had begun
		next.Date(m.now)
	}
	if err := p.Commit(&next); err != nil {
		return err
	}
	m.result.Generation, m.result.Lines = next.Generation, len(next.Segments)
	return nil
}
