package bench

import (
	"testing"

	"lancre/index"
	"lancre/index/store"
)

// sampled is how many CertIDs a benchmark goes through: with 1 M records of 102
// octets it touches 80 MB of them, more than processors cache.
const sampled = 1 << 18

func openStore(b *testing.B) *store.Generation {
	b.Helper()
	g, err := store.Open(unsigned().store)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { g.Close() })
	if err := g.Warm(func() {}); err != nil {
		b.Fatal(err)
	}
	return g
}

// BenchmarkLookup is one look-up of a random CertID in a warm store, key and all:
// hits with and without copying the response out, and misses. Chained, each
// look-up waits for the one before; otherwise the processor overlaps them.
func BenchmarkLookup(b *testing.B) {
	g := openStore(b)
	ids := unsigned().sample(sampled)
	b.Run("hit", func(b *testing.B) { lookups(b, g, ids, true, false) })
	b.Run("hit/chained", func(b *testing.B) { lookupsChained(b, g, ids) })
	b.Run("hit/response", func(b *testing.B) { lookups(b, g, ids, true, true) })
	b.Run("miss", func(b *testing.B) { lookups(b, g, absent(ids), false, false) })
}

func lookups(b *testing.B, g *store.Generation, ids []index.CertID, want, response bool) {
	b.ReportAllocs()
	var rec index.Record
	buf := make([]byte, 0, 4096)
	for i := 0; b.Loop(); i++ {
		id := &ids[i%len(ids)]
		found, err := g.LookupInto(id.Key(), id, &rec, nil)
		if err != nil || found != want {
			b.Fatalf("%s: found %v, %v", id, found, err)
		}
		if response {
			buf = rec.AppendResponse(buf[:0])
		}
	}
}

func lookupsChained(b *testing.B, g *store.Generation, ids []index.CertID) {
	b.ReportAllocs()
	var (
		rec  index.Record
		last uint64
	)
	for i := 0; b.Loop(); i++ {
		id := &ids[(uint64(i)+last&1)%uint64(len(ids))] // which one is known only after the one before
		found, err := g.LookupInto(id.Key(), id, &rec, nil)
		if err != nil || !found {
			b.Fatalf("%s: found %v, %v", id, found, err)
		}
		last = uint64(rec.Offset() + rec.ProducedAt())
	}
}

// BenchmarkParseResponse is the builder's parsing of one response.
func BenchmarkParseResponse(b *testing.B) {
	c := unsigned()
	der, err := c.CA.Sign(c.CA.Certificate(0), index.SHA1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var r index.Response
	for b.Loop() {
		if err := r.Parse(der); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEntry makes a parsed response ready for the Writer: cutting, hashing.
func BenchmarkEntry(b *testing.B) {
	c := unsigned()
	der, err := c.CA.Sign(c.CA.Certificate(0), index.SHA1)
	if err != nil {
		b.Fatal(err)
	}
	var r index.Response
	if err := r.Parse(der); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var e index.Entry
	for b.Loop() {
		if err := e.Set(&r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify checks every record of a store, as lancre verify does.
func BenchmarkVerify(b *testing.B) {
	g := openStore(b)
	for b.Loop() {
		for _, s := range g.Segments() {
			s.Verify(func(f *index.Fault) { b.Fatal(f) })
		}
	}
	perSecond(b, unsigned().N*uint64(b.N), "records", b.Elapsed())
}
