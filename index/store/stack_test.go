package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"lancre/index"
)

// TestStackFindsTheBase compares the base of a certificate with the first base line
// that covers it, over random lines.
func TestStackFindsTheBase(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 3))
		lines := make([]SegmentLine, random.IntN(12))
		segments := make([]*index.Segment, len(lines))
		for i := range lines {
			line := randomLine(random)
			lines[i] = SegmentLine{Role: line.role, Shard: line.shard}
			segments[i] = new(index.Segment)
		}
		s := newStack(lines, segments)
		for range 50 {
			serial := random.Uint64()
			want := 0
			for want < len(lines) && !(lines[want].Role == RoleBase && lines[want].Shard.Covers(serial)) {
				want++
			}
			if got := s.base(serial); got.line != want || (got.segment != nil) != (want < len(lines)) {
				t.Fatalf("seed %d: the base of %016x is line %d of %v, want %d", seed, serial, got.line, lines, want)
			}
		}
	}
}

// spoil damages the record of r in the segment s.
func spoil(t *testing.T, dir string, s *SegmentLine, r record) {
	t.Helper()
	path := ObjectPath(dir, s.SHA256)
	content := read(t, path)
	at := bytes.Index(content, r.der[len(r.der)-8:])
	if at < 0 {
		t.Fatal("the segment does not contain the signature")
	}
	content[at]++
	overwrite(t, path, content)
}

// TestLookupVisitsOneBase has a record that cannot be read for the same certificate
// in all lines but that of its shard, a delta and 256 bases: a look-up that visited
// one of them would fail.
func TestLookupVisitsOneBase(t *testing.T) {
	const shards = 256
	good, bad := response(t, 1, 0), response(t, 1, 1)
	own := uint32(good.id.SerialHash() >> 56)
	dir := t.TempDir()
	m := publish(t, dir, func(p *Publication, m *Manifest) {
		spoiled := addSegment(t, p.Objects, RoleBase, index.Everything, []record{bad})
		elsewhere := addSegment(t, p.Objects, RoleDelta, index.Shard{Index: (own + 1) % shards, Of: shards}, []record{bad})
		m.Segments = []SegmentLine{elsewhere}
		for i := range uint32(shards) {
			line := spoiled
			if i == own {
				line = addSegment(t, p.Objects, RoleBase, index.Everything, []record{good})
			}
			line.Shard = index.Shard{Index: i, Of: shards}
			m.Segments = append(m.Segments, line)
		}
		m.Segments = append(m.Segments, spoiled) // below its base
	})
	spoil(t, dir, &m.Segments[0], bad)
	g := open(t, dir)
	if got := answer(t, g, &good.id); got != good.answer() {
		t.Errorf("got %.20q, want %.20q", got, good.answer())
	}
	for line, reachable := range []*index.Segment{g.Segments()[0], g.Segments()[shards+1]} {
		if _, _, err := reachable.Lookup(bad.id.Key(), &bad.id); err == nil {
			t.Errorf("the record of line %d can be read", line)
		}
	}
}

// BenchmarkLookup is of stacks with the same certificates: what bases and deltas
// cost a look-up.
func BenchmarkLookup(b *testing.B) {
	records := responses(b, 1, 2000, 0)
	for _, shape := range []struct {
		shards uint32
		deltas int
	}{{1, 0}, {256, 0}, {1, 24}, {256, 24}} {
		b.Run(fmt.Sprintf("bases=%d/deltas=%d", shape.shards, shape.deltas), func(b *testing.B) {
			dir := b.TempDir()
			publish(b, dir, func(p *Publication, m *Manifest) {
				for i := range shape.deltas {
					m.Segments = append(m.Segments, addSegment(b, p.Objects, RoleDelta, index.Everything, responses(b, int64(10_000+100*i), 20, 0)))
				}
				for i := range shape.shards {
					shard := index.Shard{Index: i, Of: shape.shards}
					var part []record
					for _, r := range records {
						if shard.Covers(r.id.SerialHash()) {
							part = append(part, r)
						}
					}
					m.Segments = append(m.Segments, addSegment(b, p.Objects, RoleBase, shard, part))
				}
			})
			g := open(b, dir)
			i := 0
			for b.Loop() {
				id := &records[i%len(records)].id
				if _, found, err := g.Lookup(id.Key(), id); err != nil || !found {
					b.Fatal(found, err)
				}
				i++
			}
		})
	}
}

// TestTraces has a certificate in four of five lines. The topmost of them answers; the
// lowest, below the base of its shard, cannot even be reached.
func TestTraces(t *testing.T) {
	oldest, old, current := response(t, 1, 0), revocation(t, 1, 1), response(t, 1, 2)
	own := index.ShardOf(current.id.SerialHash(), 2)
	dir := t.TempDir()
	publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = addLines(t, p, []testLine{
			{RoleDelta, index.Everything, responses(t, 2, 3, 0)},
			{RoleDelta, own, []record{current.buried()}},
			{RoleDelta, index.Everything, []record{current}},
			{RoleBase, own, []record{old}},
			{RoleBase, index.Everything, []record{oldest}},
		})
	})
	g := open(t, dir)
	list, err := g.Traces(&current.id)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, trace := range list {
		got = append(got, fmt.Sprintf("%d %s %v %v", trace.Line, trace.Record.StatusOf(&current.id), trace.Record.Tombstone(), trace.Answer))
	}
	if want := []string{"1 good true true", "2 good false false", "3 revoked false false", "4 good false false"}; !slices.Equal(got, want) {
		t.Errorf("traces are %q, want %q", got, want)
	}
	absent := response(t, 9, 0).id
	if list, err := g.Traces(&absent); len(list) != 0 || err != nil {
		t.Errorf("of what nobody has: %v, %v", list, err)
	}
}
