package index

import (
	"bytes"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// shaped is a segment of one response of each form that can have a shape, each of which
// has one although no other response shares it.
func shaped(t *testing.T) (file []byte, names []string) {
	t.Helper()
	all := forms(t)
	delete(all, "longer than a shape")
	names = slices.Sorted(maps.Keys(all))
	w := newWriter(t)
	for _, name := range names {
		var e Entry
		if err := e.Set(parse(t, all[name])); err != nil {
			t.Fatal(err)
		}
		w.shapes.seen[e.sum] = struct{}{}
		if err := w.Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	return octets(t, w), names
}

// Something is proved for the shape of every form of response but that with several times.
func TestProofs(t *testing.T) {
	file, names := shaped(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	proofs := s.proofs()
	n := 0
	if err := s.Records(func(rec Record) bool {
		p := proofs[rec.bits()&(maxShapes-1)]
		name := names[n]
		if want := name != "two certificates, two times"; p.holds != want {
			t.Errorf("%s: proved is %t, want %t", name, p.holds, want)
		} else if want && p.status != rec.Status() {
			t.Errorf("%s: status %s is proved, the record's is %s", name, p.status, rec.Status())
		}
		n++
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if n != len(names) {
		t.Errorf("%d records, want %d", n, len(names))
	}
}

// Nothing is proved for a shape whose records could contradict their responses.
func TestProve(t *testing.T) {
	dual := func(next string) *draft {
		d := simple(testID(SHA1, 1, 0x14))
		d.singles = append(d.singles, draftSingle{id: testID(SHA256, 1, 0x14), this: d.singles[0].this, next: next, reason: -1})
		return d
	}
	single := simple(testID(SHA1, 1, 0x15))
	single.signature = bytes.Repeat([]byte{0xab}, 256) // such a one repeats what the payload begins with
	for name, c := range map[string]struct {
		*draft
		change func(*Segment, *shape)
		want   bool
	}{
		"as the cutter makes it":   {single, func(*Segment, *shape) {}, true},
		"two CertIDs":              {dual("20261105060000Z"), func(*Segment, *shape) {}, true},
		"two nextUpdates":          {dual("20261106060000Z"), func(*Segment, *shape) {}, false},
		"one nextUpdate of two":    {dual(""), func(*Segment, *shape) {}, true},
		"one CertID of two":        {dual("20261105060000Z"), func(_ *Segment, sh *shape) { sh.ids = sh.ids[:1] }, false},
		"a CertID too many":        {single, func(_ *Segment, sh *shape) { sh.ids = append(sh.ids, sh.ids[0]) }, false},
		"another issuer":           {single, func(s *Segment, _ *shape) { s.issuers[0].keyHash[0]++ }, false},
		"another algorithm":        {single, func(s *Segment, _ *shape) { s.issuers[0].alg = SHA256 }, false},
		"a serial out of the rest": {single, func(_ *Segment, sh *shape) { sh.ids[0].offset += 0x7f }, false},
		"no nextUpdate": {&draft{produced: single.produced, signature: single.signature,
			singles: []draftSingle{{id: testID(SHA1, 1, 1), this: single.singles[0].this, reason: -1}}}, func(*Segment, *shape) {}, false},
	} {
		r := parse(t, c.build())
		var cut cutter
		cut.cut(r)
		s := &Segment{recHead: recordHeadSize}
		for i := range r.Singles {
			id := r.Singles[i].CertID.Clone()
			s.issuers = append(s.issuers, issuer{id.Alg, id.NameHash, id.KeyHash})
			cut.shape.ids[i].issuer = uint32(i)
		}
		c.change(s, cut.shape)
		var p prover
		if got := p.prove(s, cut.shape); got.holds != c.want {
			t.Errorf("%s: proved is %t, want %t", name, got.holds, c.want)
		}
	}
}

// With what is proved for shapes Verify finds in records just what it finds where it
// parses every response, whatever is wrong with shapes and records.
func TestProofsFindWhatParsingFinds(t *testing.T) {
	file, _ := shaped(t)
	rng := rand.New(rand.NewPCG(3, 3))
	faulty, proved := 0, 0
	for range 5_000 {
		s := mutated(file, rng)
		if s == nil {
			continue
		}
		proofs := s.proofs()
		begin, end := s.head.recs.offset, s.head.recs.offset+s.head.recs.size
		v := recordVerifier{Segment: s, proofs: proofs}
		got := v.span(begin, end)
		v = recordVerifier{Segment: s, proofs: make([]proof, len(proofs))}
		want := v.span(begin, end)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("with proofs %+v\nwithout %+v", got, want)
		}
		if slices.ContainsFunc(want.faults, func(f *Fault) bool { return f.Check == checkResponse }) {
			faulty++
		}
		if slices.ContainsFunc(proofs, func(p proof) bool { return p.holds }) {
			proved++
		}
	}
	if faulty < 1000 || proved < 1000 {
		t.Errorf("%d segments had a response that was not their record's, and %d a shape of which something could be proved: too few to tell", faulty, proved)
	}
}

// mutated opens file with an octet of a record or two of the shapes changed, and the
// checksums of all records and sections right again; nil if it does not open.
func mutated(file []byte, rng *rand.Rand) *Segment {
	s, err := OpenBytes(file)
	if err != nil {
		panic(err)
	}
	bad := bytes.Clone(file)
	part := s.head.recs
	if rng.IntN(2) == 0 {
		part = s.head.shapeSec
	}
	for range 1 + rng.IntN(2) {
		bad[part.offset+rng.Uint64N(part.size)] = byte(rng.Uint32()) >> rng.IntN(8)
	}
	if err := s.Records(func(rec Record) bool {
		r := bad[rec.offset:][:rec.Size()]
		le.PutUint32(r, crc32.Checksum(r[4:], castagnoli))
		return true
	}); err != nil {
		panic(err)
	}
	if s, err = OpenBytes(mendChecksums(bad)); err != nil {
		return nil
	}
	return s
}
