package index

import (
	"fmt"
	"slices"
)

// A shapeTable numbers the shapes of a segment in the making.
type shapeTable struct {
	list    []shape
	numbers map[uint64]uint32 // by sum
	tails   map[string]uint32 // number of the shape that has it, by tail
	seen    map[uint64]struct{}
	octets  int // of all literal octets and tails
}

const (
	// maxShapeOctets bounds what shapes take in the memory of every reader. A
	// signer needs some 30 to 60 of 250 octets, or 1.5 KiB with its certificate
	// embedded: this is room for a thousand signers. Responses beyond are whole.
	maxShapeOctets = 64 << 20
	// maxSeen bounds the memory for shapes seen once.
	maxSeen = 1 << 20
)

func newShapeTable() shapeTable {
	return shapeTable{numbers: make(map[uint64]uint32), tails: make(map[string]uint32), seen: make(map[uint64]struct{})}
}

func (t *shapeTable) find(sum uint64) (uint32, bool) {
	number, ok := t.numbers[sum]
	return number, ok
}

// worth reports whether e's shape, which is new, is worth its octets and has room: a
// second response is to have it. Where e is copied, others shared it before.
func (t *shapeTable) worth(e *Entry) bool {
	if e.copied {
		return t.octets+len(e.shape.literal)+len(e.shape.tail) <= maxShapeOctets
	}
	return t.secondSight(e)
}

// secondSight reports whether e's shape was asked about before and has room.
func (t *shapeTable) secondSight(e *Entry) bool {
	if _, ok := t.seen[e.sum]; ok {
		delete(t.seen, e.sum)
		return t.octets+len(e.shape.literal)+len(e.shape.tail) <= maxShapeOctets
	}
	if len(t.seen) == maxSeen {
		clear(t.seen)
	}
	t.seen[e.sum] = struct{}{}
	return false
}

// add gives s, which is copied, the next number.
func (t *shapeTable) add(sum uint64, s *shape) (uint32, error) {
	number := uint32(len(t.list))
	if number == maxShapes {
		return 0, fmt.Errorf("segment would need more than %d shapes: build one segment for each group of issuers", maxShapes)
	}
	own := *s
	own.ids, own.holes, own.literal = slices.Clone(s.ids), slices.Clone(s.holes), slices.Clone(s.literal)
	own.tail, own.tailOf = t.tail(s.tail, number)
	t.list = append(t.list, own)
	t.numbers[sum] = number
	t.octets += len(own.literal)
	return number, nil
}

// tail returns the table's own copy of a tail and the number of the shape that has
// it, which is the given one for a tail that is new.
func (t *shapeTable) tail(octets []byte, number uint32) ([]byte, uint32) {
	if len(octets) == 0 {
		return nil, number
	}
	if of, ok := t.tails[string(octets)]; ok {
		return t.list[of].tail, of
	}
	t.tails[string(octets)] = number
	t.octets += len(octets)
	return slices.Clone(octets), number
}

// sharedTail is the tail of e if another shape has it, else nil.
func (t *shapeTable) sharedTail(e *Entry) []byte {
	if _, ok := t.tails[string(e.shape.tail)]; ok {
		return e.shape.tail
	}
	return nil
}
