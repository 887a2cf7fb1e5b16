package index

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// drafts are responses of which a Parser can make patterns, and some of which it cannot.
func drafts(t testing.TB) []*draft {
	of := func(f func(*draft)) *draft {
		d := simple(testID(SHA1, 1, 1, 1))
		f(d)
		return d
	}
	revoked := func(d *draft) { d.singles[0].status, d.singles[0].revoked = Revoked, "20260910111213Z" }
	return []*draft{
		of(func(*draft) {}),
		of(revoked),
		of(func(d *draft) { revoked(d); d.singles[0].revoked = "19690101000000Z" }),
		of(func(d *draft) { d.singles[0].next = "" }),
		of(func(d *draft) {
			d.certs, d.extensions = []byte{0x30, 0}, []byte{0x30, 0x06, 0x06, 0x01, 0x2a, 0x04, 0x01, 0x00}
		}),
		of(func(d *draft) {
			d.signature = unhex(t, "3045"+"022100"+strings.Repeat("ab", 32)+"0220"+strings.Repeat("7b", 32))
		}),
		of(func(d *draft) {
			d.signature = unhex(t, "3045"+"0220"+strings.Repeat("7b", 32)+"022100"+strings.Repeat("ab", 32))
		}),
		of(func(d *draft) { d.singles = append(d.singles, d.singles[0]) }),
	}
}

// sameParsed reports whether two responses, and the entries that are made of them, are
// alike, wherever their octets lie.
func sameParsed(got, want Response) bool {
	var one, other Entry
	oneErr, otherErr := one.Set(&got), other.Set(&want)
	if fmt.Sprint(oneErr) != fmt.Sprint(otherErr) {
		return false
	}
	got.pattern = nil
	if !reflect.DeepEqual(got, want) || oneErr != nil {
		return reflect.DeepEqual(got, want)
	}
	return one.cutter.sum() == other.sum && one.shape.sameOctets(other.shape) && slices.Equal(one.shape.ids, other.shape.ids) &&
		reflect.DeepEqual(one.certIDs, other.certIDs) && bytes.Equal(one.appendRecord(nil, 0), other.appendRecord(nil, 0))
}

// A Parser makes of any octets what Response.Parse does, whatever it has parsed before.
func TestParserAgreesWithParse(t *testing.T) {
	var p Parser
	var got Response
	known, broken := 0, 0
	compare := func(der []byte) {
		t.Helper()
		var want Response
		err, wantErr := p.Parse(&got, der), want.Parse(der)
		if got.pattern != nil {
			known++
		}
		if wantErr != nil {
			broken++
		}
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && !sameParsed(got, want) {
			t.Fatalf("of %x\n%+v, %v\nwant\n%+v, %v", der, got, err, want, wantErr)
		}
	}
	all := forms(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		compare(all[name])
		compare(all[name])
	}
	list := drafts(t)
	for _, d := range list {
		compare(d.build())
		later(d)
		compare(d.build())
	}
	rng := rand.New(rand.NewPCG(4, 4))
	for range 20_000 {
		der := list[rng.IntN(len(list))].build()
		for range rng.IntN(3) {
			der[rng.IntN(len(der))] = [...]byte{0, 1, 0x30, '0', '9', 0x7f, 0x80, byte(rng.Uint32())}[rng.IntN(8)]
		}
		compare(der)
	}
	if known < 5_000 || broken < 2_000 {
		t.Errorf("%d were parsed by patterns, %d have errors: too few for this to tell anything", known, broken)
	}
}

// What decides over the shape, or over whether there is a response, is no less looked at
// in a response that is like one before.
func TestParserLooksIntoHoles(t *testing.T) {
	d := simple(testID(SHA1, 1, 1, 1))
	d.singles[0].status, d.singles[0].revoked = Revoked, "20260910111213Z"
	d.signature = unhex(t, "3044"+"0220"+strings.Repeat("7b", 32)+"0220"+strings.Repeat("7b", 32))
	first := d.build()
	for name, change := range map[string]func(){
		"a serial number that is no minimal INTEGER": func() { d.singles[0].id.Serial = []byte{0, 1} },
		"a producedAt that is none":                  func() { d.produced = "20261301060708Z" },
		"a thisUpdate that is none":                  func() { d.singles[0].this = "20261101060060Z" },
		"a nextUpdate that is none":                  func() { d.singles[0].next = "20261101240000Z" },
		"a revocationTime that is none":              func() { d.singles[0].revoked = "2026110106000.Z" },
		"a revocationTime that no record holds":      func() { d.singles[0].revoked = "19690101000000Z" },
		"a signature's number with a sign octet":     func() { d.signature[4] = 0 },
	} {
		var p Parser
		var got, want Response
		if err := p.Parse(&got, first); err != nil {
			t.Fatal(err)
		}
		before := *d
		before.singles, before.signature = slices.Clone(d.singles), bytes.Clone(d.signature)
		change()
		der := d.build()
		*d = before
		err, wantErr := p.Parse(&got, der), want.Parse(der)
		if len(der) != len(first) || got.pattern != nil || fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && !sameParsed(got, want) {
			t.Errorf("%s: %+v, %v\nwant %+v, %v", name, got, err, want, wantErr)
		}
	}
}

// A Parser keeps no more than so many patterns, and parses what has none.
func TestParserKeepsFewPatterns(t *testing.T) {
	var p Parser
	var r Response
	long := simple(testID(SHA1, 1, 1))
	long.certs = make([]byte, maxPattern)
	for i := range 2 * maxPatterns {
		for _, d := range []*draft{simple(testID(SHA1, byte(i), 1)), long} {
			if err := p.Parse(&r, d.build()); err != nil || r.pattern != nil {
				t.Fatalf("%v, by a pattern: %t", err, r.pattern != nil)
			}
		}
	}
	n := 0
	for _, list := range p.patterns {
		n += len(list)
	}
	if n != maxPatterns {
		t.Errorf("%d patterns, want %d", n, maxPatterns)
	}
}

// FuzzParser has a Parser that knows one response parse another: it makes of it what
// Response.Parse does, and a segment gives it back unchanged.
func FuzzParser(f *testing.F) {
	for _, all := range []map[string][]byte{forms(f), realResponses(f)} {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if der := all[name]; len(der) < maxPattern {
				f.Add(der, der)
			}
		}
	}
	for _, d := range drafts(f) {
		first := d.build()
		later(d)
		f.Add(first, d.build())
	}
	f.Fuzz(func(t *testing.T, first, der []byte) {
		var p Parser
		var got, want Response
		p.Parse(&got, first)
		err, wantErr := p.Parse(&got, der), want.Parse(der)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && !sameParsed(got, want) {
			t.Fatalf("%+v, %v\nwant %+v, %v", got, err, want, wantErr)
		}
		var e Entry
		if err != nil || e.Set(&got) != nil {
			return
		}
		if again := e.shape.appendResponse(nil, e.appendRecord(nil, 0), e.payload); !bytes.Equal(again, der) && !e.shape.whole {
			t.Errorf("%x\ngives %x back", der, again)
		}
	})
}

func TestParserDoesNotAllocateAgain(t *testing.T) {
	der := simple(testID(SHA1, 1, 1)).build()
	var p Parser
	var r Response
	var e Entry
	if allocs := testing.AllocsPerRun(100, func() {
		if err := p.Parse(&r, der); err != nil {
			t.Fatal(err)
		}
		if err := e.Set(&r); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkParser(b *testing.B) {
	all := realResponses(b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var p Parser
		var r Response
		var e Entry
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p.Parse(&r, all[name])
				e.Set(&r)
			}
		})
		b.Run(name+"/without patterns", func(b *testing.B) {
			for b.Loop() {
				r.Parse(all[name])
				e.Set(&r)
			}
		})
	}
}
