package store

import (
	"cmp"
	"slices"

	"lancre/index"
)

// An overlay says of which records of a segment the deltas above it have a CertID, and so
// hide it.
type overlay struct {
	each    bool    // of any: nobody has looked
	offsets []int64 // of the records, ascending
}

// overlay is that of a segment line. Where the deltas above have fewer CertIDs than the
// segment, they are looked up in it, each once: of all other records nobody needs to ask.
func (g *Generation) overlay(line int) (o overlay, err error) {
	own := g.segments[line]
	var above []layer
	var keys uint64
	for _, d := range g.stack.deltas {
		if d.line < line && d.shard.Overlaps(g.manifest.Segments[line].Shard) {
			above = append(above, d)
			keys += d.segment.Info().Keys
		}
	}
	if keys >= own.Info().Keys {
		return overlay{each: keys > 0}, nil
	}
	var ids []index.CertID
	for _, d := range above {
		failed := d.segment.Records(func(rec index.Record) bool {
			ids = rec.CertIDs(ids[:0])
			for i := range ids {
				var found bool
				if rec, found, err = own.Lookup(ids[i].Key(), &ids[i]); err != nil {
					return false
				} else if found && d.shard.Has(&ids[i]) {
					o.offsets = append(o.offsets, rec.Offset())
				}
			}
			return true
		})
		if err != nil || failed != nil {
			return o, cmp.Or(err, failed)
		}
	}
	slices.Sort(o.offsets)
	o.offsets = slices.Compact(o.offsets)
	return o, nil
}

// from is what is still to come of the overlay from an offset on.
func (o overlay) from(offset int64) overlay {
	at, _ := slices.BinarySearch(o.offsets, offset)
	o.offsets = o.offsets[at:]
	return o
}

// reaches reports whether a delta above may have a CertID of rec, which lies behind those
// that were asked for before.
func (o *overlay) reaches(rec index.Record) bool {
	at := rec.Offset()
	for len(o.offsets) > 0 && o.offsets[0] < at {
		o.offsets = o.offsets[1:]
	}
	return o.each || len(o.offsets) > 0 && o.offsets[0] == at
}
