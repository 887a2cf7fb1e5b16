package store

import (
	"lancre/index"
)

// A Delta is a segment line that was made, without the store's lock, of responses
// and tombstones that were each compared with what a snapshot answers.
type Delta struct {
	Snapshot *Generation // nil for a store that was new
	Line     SegmentLine // of a segment that the Objects have

	// Stands says whether rec is to answer for id although what stood there when rec
	// was judged is not there any more: now answers, unless found is false.
	Stands func(rec, now index.Record, found bool, id *index.CertID) bool

	// Overtaken is how many CertIDs were left out since another commit came first,
	// after Commit.
	Overtaken uint64
}

// Commit publishes d on top of all that there is by now; fill is told the manifest
// that is to come, all but complete, for what else changes in it. Where d was
// overtaken in part, it is made again of the rest.
func (d *Delta) Commit(p *Publication, fill func(next *Manifest) error) (*Manifest, error) {
	counts, err := p.counts()
	if err != nil {
		return nil, err
	}
	var next Manifest
	if p.previous != nil {
		next = *p.previous
	}
	next.version1 = ""
	line := d.Line
	if line.Records > 0 {
		if line, err = d.settle(p, counts); err != nil {
			return nil, err
		}
	}
	if line.Records > 0 {
		next.Segments = Push(next.Segments, line)
	}
	if err := fill(&next); err != nil {
		return nil, err
	}
	counts.Fill(&next)
	return &next, p.Commit(&next)
}

// settle compares every record of d with what answers by now, brings counts up to
// date, and returns the line to be published.
func (d *Delta) settle(p *Publication, counts *Counts) (line SegmentLine, err error) {
	made, err := p.Open(&Manifest{Segments: []SegmentLine{d.Line}}, nil)
	if err != nil {
		return line, err
	}
	defer made.Close()
	now, err := p.answers(d.Snapshot)
	if err != nil {
		return line, err
	}
	if now != nil {
		defer now.Close()
	}
	overtaken := make(map[string]bool) // by CertID
	err = made.eachLive([]int{0}, 0, func(r LiveRecord) error {
		for i := range r.CertIDs {
			id := &r.CertIDs[i]
			stands, err := d.stands(now, r.Record, id, counts)
			if err != nil {
				return err
			}
			if !stands {
				overtaken[mapKey(id)] = true
			}
		}
		return nil
	})
	if err != nil || len(overtaken) == 0 {
		return d.Line, err
	}
	d.Overtaken = uint64(len(overtaken))
	line, _, err = made.lineWithout(p.Objects, 0, overtaken)
	return line, err
}

// stands reports whether rec is to answer for id, and if so enters that into counts.
func (d *Delta) stands(now *Generation, rec index.Record, id *index.CertID, counts *Counts) (bool, error) {
	was, before, err := d.Snapshot.answer(id)
	if err != nil {
		return false, err
	}
	is, found, err := now.answer(id)
	if err != nil {
		return false, err
	}
	changed := before != found || found && !sameAnswer(was, is)
	if changed && !d.Stands(rec, is, found, id) {
		return false, nil
	}
	if found {
		counts.Remove(is, id)
	}
	counts.Add(rec, id)
	return true, nil
}

// answer is Lookup, also in no generation.
func (g *Generation) answer(id *index.CertID) (rec index.Record, found bool, err error) {
	if g == nil {
		return rec, false, nil
	}
	return g.Lookup(id.Key(), id)
}

// mapKey is id as the key of a map.
func mapKey(id *index.CertID) string {
	return string(rune(id.Alg)) + string(id.NameHash) + string(id.KeyHash) + string(id.Serial)
}
