package store

import (
	"fmt"
	"slices"
	"time"

	"lancre/index"
)

// A Loss is what going back to an earlier generation does to one certificate that
// clients would notice.
type Loss struct {
	ID   index.CertID // its octets are the caller's
	What LossKind
}

// A LossKind says what a Loss is.
type LossKind string

// What going back can do.
const (
	Unrevoked LossKind = "unrevoked" // revoked now, by a response or a tombstone, and not there
	Expired   LossKind = "expired"   // answered now, and there with a response that has expired
	Lost      LossKind = "lost"      // answered now, and not there
)

// Losses calls yield for every CertID for which the earlier generation would be worse
// than the current one at the time now, until yield returns false.
func Losses(current, earlier *Generation, now time.Time, yield func(Loss) bool) error {
	return Diff(current, earlier, func(c Change) bool {
		if what := lossOf(c, now.Unix()); what != "" {
			return yield(Loss{c.ID.Clone(), what})
		}
		return true
	})
}

func lossOf(c Change, now int64) LossKind {
	switch {
	case !c.Was:
		return ""
	case !c.Is:
		return Lost
	case c.Before.StatusOf(c.ID) == index.Revoked && c.After.StatusOf(c.ID) != index.Revoked:
		return Unrevoked
	case c.Before.Currency(now) == index.Current && c.After.Currency(now) == index.Expired:
		return Expired
	}
	return ""
}

// Rollback publishes what the earlier generation n named as a new generation, made at
// the time now, with the marks that n had: sources are read again from there. The
// answers are those of then; whether they may be is for the caller to judge, who
// passes the generation that he compared n with. If another one was published since,
// nothing is done.
func Rollback(dir string, n uint64, compared uint64, signing Signing, now time.Time) (*Manifest, error) {
	p, err := Begin(dir)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if err := p.SignWith(signing); err != nil {
		return nil, err
	}
	if p.previous == nil || p.previous.Generation != compared {
		return nil, fmt.Errorf("generation %d is not the current one any more: compare again", compared)
	}
	past, err := ReadPast(dir, n)
	if err != nil {
		return nil, err
	}
	m := *past
	m.version1 = ""
	m.Date(now)
	m.Origin, m.Held = p.previous.Origin, p.previous.Held // what is put aside lies beside the generations
	m.Coming = p.previous.Coming
	m.Segments = comingBack(past.Segments, p.previous.Segments, now)
	if past.version1 != "" { // it counted nothing
		g, err := p.Open(&m, nil)
		if err != nil {
			return nil, err
		}
		counts, err := g.Count()
		g.Close()
		if err != nil {
			return nil, err
		}
		counts.Fill(&m)
	}
	return &m, p.Commit(&m)
}

// comingBack is lines as they come back at the time now, above those that are there: as
// new ones, created after all of these.
func comingBack(lines, there []SegmentLine, now time.Time) []SegmentLine {
	created := now.Truncate(time.Second)
	for i := range there {
		if !there[i].Created.Before(created) {
			created = there[i].Created.Add(time.Second)
		}
	}
	lines = slices.Clone(lines)
	for i := range lines {
		lines[i].Created = created
	}
	return lines
}
