package index

import (
	"testing"
)

// entry is d made ready for a Writer.
func entry(t testing.TB, d *draft) *Entry {
	t.Helper()
	var e Entry
	if err := e.Set(parse(t, d.build())); err != nil {
		t.Fatal(err)
	}
	return &e
}

// Shapes are seen a second time whatever came between, as long as there is room for
// shapes seen once.
func TestSecondSight(t *testing.T) {
	table := newShapeTable()
	one, two := entry(t, simple(testID(SHA1, 1, 1))), entry(t, simple(testID(SHA256, 1, 1)))
	for i, c := range []struct {
		e    *Entry
		want bool
	}{{one, false}, {two, false}, {one, true}, {two, true}, {one, false}} {
		if got := table.secondSight(c.e); got != c.want {
			t.Errorf("sight %d: %t, want %t", i+1, got, c.want)
		}
	}
	for i := uint64(0); len(table.seen) < maxSeen; i++ {
		table.seen[i] = struct{}{}
	}
	if !table.secondSight(one) {
		t.Error("a shape seen once is forgotten when the table is full")
	}
	table.seen[maxSeen] = struct{}{}
	if table.secondSight(two) || len(table.seen) != 1 {
		t.Errorf("%d shapes are seen once, want the last alone: the table was full", len(table.seen))
	}
}

// Readers hold no more of literal octets and tails than maxShapeOctets.
func TestShapesHaveABudget(t *testing.T) {
	d := simple(testID(SHA1, 1, 1))
	d.certs = make([]byte, 500)
	e := entry(t, d)
	size := len(e.shape.literal) + len(e.shape.tail)
	for spare, want := range map[int]bool{0: true, 1: true, -1: false} {
		table := newShapeTable()
		table.octets = maxShapeOctets - size - spare
		table.secondSight(e)
		if got := table.secondSight(e); got != want {
			t.Errorf("with room for %d octets more than the shape's, it is taken: %t, want %t", spare, got, want)
		}
	}
	table := newShapeTable()
	for i := range uint64(3) { // one tail, and each its literal octets
		if _, err := table.add(i, e.shape); err != nil {
			t.Fatal(err)
		}
	}
	if want := 3*len(e.shape.literal) + len(e.shape.tail); table.octets != want {
		t.Errorf("three shapes have %d octets, want %d", table.octets, want)
	}
}
