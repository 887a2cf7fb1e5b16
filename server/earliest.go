package server

import (
	"errors"
	"math"
	"slices"

	"lancre/index"
	"lancre/index/store"
)

// earliest returns the earliest nextUpdate of the responses that g answers with,
// 0 if there is none. A segment's header tells that of its own responses; but
// those of an older segment may have been replaced since.
func earliest(g *store.Generation) int64 {
	const none = math.MaxInt64
	first := int64(none)
	for i, seg := range g.Segments() {
		switch at := seg.Info().MinNextUpdate; {
		case at == 0 || at >= first:
		case i == 0:
			first = at
		default:
			first = earliestIn(g, seg, first)
		}
	}
	if first == none {
		return 0
	}
	return first
}

// earliestIn returns first or, if earlier, the earliest nextUpdate of what g
// answers for the certificates of seg. It reads records until one answers that is the
// earliest of them, and looks up those that are earlier than what it has: few, unless
// most of them were replaced. What cannot be read counts as if it were served.
func earliestIn(g *store.Generation, seg *index.Segment, first int64) int64 {
	least := seg.Info().MinNextUpdate
	err := eachCertID(seg, func(rec index.Record, id *index.CertID) error {
		if rec.Tombstone() || rec.NextUpdate() >= first {
			return nil
		}
		current, _, err := g.Lookup(id.Key(), id)
		if err == nil && !current.Tombstone() {
			first = min(first, current.NextUpdate())
		}
		if first <= least {
			err = errEnough
		}
		return err
	})
	if err != nil {
		return min(first, least)
	}
	return first
}

// earliestBeside is earliest of g, which follows old or, if that is nil, nothing.
// Where g is old with segments on top, it walks no records but theirs, unless one of
// them hides a response that was among the first to expire.
func earliestBeside(g *store.Generation, old *snapshot) int64 {
	if old == nil {
		return earliest(g)
	}
	segments, below := g.Segments(), old.store.Segments()
	above := len(segments) - len(below)
	if above < 0 || !slices.Equal(segments[above:], below) {
		return earliest(g)
	}
	for _, seg := range segments[:above] {
		if hidesFirst(seg, old) {
			return earliest(g)
		}
	}
	first := old.nextUpdate
	for i, seg := range segments[:above] {
		switch at := seg.Info().MinNextUpdate; {
		case at == 0 || first != 0 && at >= first:
		case i == 0:
			first = at
		default:
			return earliest(g)
		}
	}
	return first
}

// hidesFirst reports whether seg, above what old serves, has a record for one of the
// responses that are the first of old to expire, or one that cannot be read.
func hidesFirst(seg *index.Segment, old *snapshot) bool {
	return eachCertID(seg, func(_ index.Record, id *index.CertID) error {
		hidden, found, err := old.store.Lookup(id.Key(), id)
		if err == nil && found && hidden.NextUpdate() == old.nextUpdate {
			err = errEnough
		}
		return err
	}) != nil
}

// errEnough ends a walk that has found what it was for.
var errEnough = errors.New("nothing earlier can come")

// eachCertID calls do for every CertID of every record of seg until it returns an
// error, and returns that, or that of a record which cannot be read.
func eachCertID(seg *index.Segment, do func(index.Record, *index.CertID) error) error {
	var ids []index.CertID
	var failed error
	err := seg.Records(func(rec index.Record) bool {
		ids = rec.CertIDs(ids[:0])
		for i := range ids {
			if failed = do(rec, &ids[i]); failed != nil {
				return false
			}
		}
		return true
	})
	if failed != nil {
		return failed
	}
	return err
}
