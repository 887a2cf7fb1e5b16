package index

import (
	"slices"
	"testing"
)

func TestDecodeShapesFindsTails(t *testing.T) {
	with := func(tail string, tailOf uint32) shape {
		return shape{
			ids: []shapeID{{size: 1}}, holes: []hole{{kind: holePayload, size: 1}}, payload: 1,
			size: 1 + len(tail), tail: []byte(tail), tailOf: tailOf,
		}
	}
	for _, c := range []struct {
		name   string
		shapes []shape
		ok     bool
	}{
		{"own", []shape{with("one", 0), with("two", 1)}, true},
		{"of an earlier one", []shape{with("one", 0), with("two", 1), with("one", 0), with("two", 1)}, true},
		{"of a later one", []shape{with("one", 1), with("one", 1)}, false},
		{"of none", []shape{with("one", 9)}, false},
		{"of one that has it from another", []shape{with("one", 0), with("one", 0), with("one", 1)}, false},
		{"of another length", []shape{with("one", 0), with("three", 0)}, false},
	} {
		var b []byte
		for i := range c.shapes {
			b = c.shapes[i].append(b, uint32(i))
		}
		got, err := decodeShapes(b, &header{version: version, numShapes: uint32(len(c.shapes))}, 1)
		if (err == nil) != c.ok {
			t.Errorf("tail %s: error %v, want one: %t", c.name, err, !c.ok)
		}
		for i := range got {
			if !slices.Equal(got[i].tail, c.shapes[i].tail) {
				t.Errorf("tail %s: shape %d has %q, want %q", c.name, i, got[i].tail, c.shapes[i].tail)
			}
		}
	}
}
