package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Every form of response comes out as it went in, under each of its CertIDs,
// whether it is alone or shares its shape with others.
func TestEveryFormComesOutByteIdentical(t *testing.T) {
	all := forms(t)
	names := slices.Sorted(maps.Keys(all))
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			alone, _ := write(t, all[name])
			checkHolds(t, alone, all[name])
		})
	}
	t.Run("together", func(t *testing.T) {
		s, stats := write(t, slices.Collect(maps.Values(all))...)
		for _, name := range names {
			checkHolds(t, s, all[name])
		}
		if stats.Records != uint64(len(all)) || stats.Superseded != 0 || stats.Identical != 0 {
			t.Errorf("stats %+v for %d responses", stats, len(all))
		}
	})
}

func checkHolds(t *testing.T, s *Segment, der []byte) {
	t.Helper()
	r := parse(t, der)
	for i := range r.Singles {
		id := r.Singles[i].CertID
		rec, found, err := s.Lookup(id.Key(), &id)
		if err != nil || !found {
			t.Fatalf("%s: found %v, %v", &id, found, err)
		}
		if got := rec.AppendResponse([]byte("before")); !bytes.Equal(got, append([]byte("before"), der...)) {
			t.Fatalf("%s:\n got %x\nwant %x", &id, got[len("before"):], der)
		}
		if rec.ResponseSize() != len(der) || rec.Status() != r.Status || rec.ThisUpdate() != r.ThisUpdate ||
			rec.NextUpdate() != r.NextUpdate || rec.ProducedAt() != r.ProducedAt || rec.Tombstone() {
			t.Errorf("%s: record says %d octets, %s, %d, %d, %d", &id, rec.ResponseSize(), rec.Status(), rec.ThisUpdate(), rec.NextUpdate(), rec.ProducedAt())
		}
		if ids := rec.CertIDs(nil); !slices.ContainsFunc(ids, func(other CertID) bool { return other.Equal(&id) }) {
			t.Errorf("CertIDs of the record lack %s", &id)
		}
	}
}

// Only a match of all four parts of a CertID is a hit.
func TestLookupComparesTheWholeCertID(t *testing.T) {
	stored := testID(SHA1, 1, 0x42)
	s, _ := write(t, simple(stored).build())
	for name, id := range map[string]CertID{
		"serial":        testID(SHA1, 1, 0x43),
		"longer serial": testID(SHA1, 1, 0x42, 0x00),
		"name hash":     {SHA1, testID(SHA1, 2).NameHash, stored.KeyHash, stored.Serial},
		"key hash":      {SHA1, stored.NameHash, testID(SHA1, 2).KeyHash, stored.Serial},
		"algorithm":     testID(SHA256, 1, 0x42),
		"unknown":       {UnknownAlg, stored.NameHash, stored.KeyHash, stored.Serial},
		"huge serial":   testID(SHA1, 1, bytes.Repeat([]byte{0x42}, 200)...),
	} {
		// Asked with the key of the stored CertID, the comparison alone decides.
		for _, key := range []uint64{id.Key(), stored.Key()} {
			if _, found, err := s.Lookup(key, &id); found || err != nil {
				t.Errorf("%s differs: found %v, %v", name, found, err)
			}
		}
	}
	if got := lookup(t, s, stored); got == nil {
		t.Error("the stored CertID is not found")
	}
}

// A random sequence of responses and tombstones, with duplicates, gives what a
// map gives that keeps the newest.
func TestWriterAgreesWithAMap(t *testing.T) {
	for _, c := range []struct {
		name            string
		n, serials, run int
	}{{"few", 50, 20, sortMemory}, {"many", 5000, 2000, sortMemory}, {"spilled runs", 5000, 2000, 257}, {"no duplicates", 3000, 1 << 30, 100}} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(c.n)))
			w := newWriter(t)
			w.keys.limit = c.run
			model := newModel()
			for range c.n {
				model.add(t, w, rng, c.serials)
			}
			s, stats := finish(t, w)
			model.check(t, s)
			if got := stats.Superseded + stats.Identical; got != model.dropped {
				t.Errorf("%d entries counted as superseded or identical, want %d", got, model.dropped)
			}
		})
	}
}

// model is the trivially right segment: a map that keeps the newest.
type model struct {
	newest  map[string]modelEntry
	dropped uint64
}

type modelEntry struct {
	id       CertID
	this     string
	produced string
	der      []byte // nil for a tombstone
}

func newModel() *model { return &model{newest: map[string]modelEntry{}} }

func (m *model) add(t *testing.T, w *Writer, rng *rand.Rand, serials int) {
	serial := binary.BigEndian.AppendUint32([]byte{0x01}, uint32(rng.IntN(serials)))
	d := simple(testID(HashAlgs()[rng.IntN(2)], byte(rng.IntN(3)), serial...))
	if rng.IntN(4) == 0 { // reachable under two CertIDs
		d.singles = append(d.singles, d.singles[0])
		d.singles[1].id = testID(SHA384, 9, serial...)
	}
	this := fmt.Sprintf("202611%02d000000Z", 1+rng.IntN(4))
	d.produced = fmt.Sprintf("202611%02d000000Z", 5+rng.IntN(2))
	for i := range d.singles {
		d.singles[i].this, d.singles[i].next = this, "20261201000000Z"
	}
	rand.NewChaCha8([32]byte{byte(rng.Uint32())}).Read(d.signature)
	if rng.IntN(10) == 0 {
		d.singles = d.singles[:1]
		tomb := parse(t, d.build())
		bury(t, w, tomb.Singles[0].CertID, tomb.ThisUpdate, tomb.ProducedAt)
		m.keep(modelEntry{d.singles[0].id, this, d.produced, nil})
		return
	}
	der := d.build()
	add(t, w, der)
	for _, s := range d.singles {
		m.keep(modelEntry{s.id, this, d.produced, der})
	}
}

func (m *model) keep(e modelEntry) {
	name := fmt.Sprint(e.id)
	old, had := m.newest[name]
	if !had {
		m.newest[name] = e
		return
	}
	m.dropped++
	if e.this+e.produced+string(e.der) > old.this+old.produced+string(old.der) {
		m.newest[name] = e
	}
}

func (m *model) check(t *testing.T, s *Segment) {
	t.Helper()
	if s.Info().Keys != uint64(len(m.newest)) {
		t.Errorf("%d keys, want %d", s.Info().Keys, len(m.newest))
	}
	for _, want := range m.newest {
		rec, found, err := s.Lookup(want.id.Key(), &want.id)
		if err != nil || !found {
			t.Fatalf("%s: found %v, %v", &want.id, found, err)
		}
		if got := rec.AppendResponse(nil); !bytes.Equal(got, want.der) || rec.Tombstone() != (want.der == nil) {
			t.Fatalf("%s:\n got %x\nwant %x", &want.id, got, want.der)
		}
		missing := want.id
		missing.Serial = append([]byte{0x02}, want.id.Serial[1:]...)
		if lookup(t, s, missing) != nil {
			t.Fatalf("%s is found", &missing)
		}
	}
}

// The same entries in the same order give the same octets.
func TestWriterIsDeterministic(t *testing.T) {
	all := forms(t)
	var files [2][]byte
	for i := range files {
		w := newWriter(t)
		w.keys.limit = 4 + 20*i // the size of sorted runs must not show
		for _, name := range slices.Sorted(maps.Keys(all)) {
			add(t, w, all[name])
		}
		files[i] = octets(t, w)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two segments of the same entries differ")
	}
}

// What responses share is stored once: many of one signer cost a record each.
func TestShapesAreShared(t *testing.T) {
	w := newWriter(t)
	const n = 1000
	for i := range n {
		d := simple(testID(SHA1, 1, binary.BigEndian.AppendUint16(bytes.Repeat([]byte{0x55}, 16), uint16(i))...))
		d.certs = bytes.Repeat([]byte{0x30, 0x02, 0x05, 0x00}, 300) // an embedded responder certificate
		d.signature = bytes.Repeat([]byte{byte(i)}, 64)
		add(t, w, d.build())
	}
	s, stats := finish(t, w)
	if stats.Shapes != 2 || stats.Whole != 1 {
		t.Errorf("%d shapes and %d responses stored whole, want 2 and 1: the first of a shape is stored whole", stats.Shapes, stats.Whole)
	}
	// 20 of head, 18 of serial, 64 of signature; a slot of 8 octets, 4 of 5 taken.
	if perResponse := (s.Info().Size - 4000) / n; perResponse > 20+18+64+10 {
		t.Errorf("%d octets a response", perResponse)
	}
	alone, numbers := 0, make(map[int]bool)
	if err := s.Records(func(r Record) bool {
		if number, ok := r.Shape(); ok {
			numbers[number] = true
		} else {
			alone++
		}
		return true
	}); err != nil || alone != 1 || len(numbers) != 1 {
		t.Errorf("%d records share nothing, others have the shapes %v (%v); want 1, and one shape", alone, numbers, err)
	}
	in := s.Info().Sections
	if rest := s.Info().Size - in.Records - in.Slots - in.Issuers - in.Shapes; rest < headerSize || rest >= headerSize+8 {
		t.Errorf("sections %+v leave %d octets of the file, want a header and less than 8 of padding", in, rest)
	}
}

// What a response costs, all counted, is what the package comment and the guide for
// operators promise.
func TestSizeOfAResponse(t *testing.T) {
	const n = 20_000
	rng := rand.NewChaCha8([32]byte{3})
	number := func(size int) []byte {
		b := make([]byte, size)
		rng.Read(b)
		return b
	}
	for _, c := range []struct {
		name      string
		signature func() []byte
		most      float64
	}{
		{"P-256", func() []byte {
			return ecdsaSignature(new(big.Int).SetBytes(number(32)), new(big.Int).SetBytes(number(32)))
		}, 113},
		{"RSA-2048", func() []byte { return number(256) }, 305},
	} {
		w := newWriter(t)
		for range n {
			serial := number(18)
			serial[0] = serial[0]&0x7f | 1
			d := simple(testID(SHA1, 1, serial...))
			d.signature = c.signature()
			add(t, w, d.build())
		}
		s, _ := finish(t, w)
		if size := float64(s.Info().Size) / n; size > c.most {
			t.Errorf("%s: %.2f octets a response, want %.0f at most", c.name, size, c.most)
		}
	}
}

// A responder's certificate is stored once (and once more in the first response that
// has it), however many shapes its responses have.
func TestTailsAreShared(t *testing.T) {
	const shapes, certs = 100, 4000
	size := func(certs []byte) int64 {
		w, err := NewWriter(t.TempDir(), Everything)
		if err != nil {
			t.Fatal(err)
		}
		var all [][]byte
		for i := range 3 * shapes { // a signature of each length makes a shape
			d := simple(testID(SHA1, 1, 0x55, byte(i>>8), byte(i)))
			d.certs, d.signature = certs, bytes.Repeat([]byte{byte(i)}, 100+i/3)
			all = append(all, d.build())
			add(t, w, all[i])
		}
		s, stats := finish(t, w)
		if stats.Shapes < shapes+1 || stats.Whole != shapes {
			t.Errorf("%d shapes and %d responses stored whole, want more than %d and %d", stats.Shapes, stats.Whole, shapes, shapes)
		}
		for _, der := range all {
			checkHolds(t, s, der)
		}
		return s.Info().Size
	}
	without, with := size(nil), size(bytes.Repeat([]byte{0x30, 0x02, 0x05, 0x00}, certs/4))
	// Lengths in the responses' headers have an octet more, in each shape and each of those stored whole.
	if more := with - without; more < certs || more > 2*certs+shapes*2*10+100 {
		t.Errorf("%d octets of certificates add %d to %d octets of %d shapes", certs, more, without, shapes)
	}
}

// Unique responses do not fill the memory of readers with shapes.
func TestUniqueResponsesMakeNoShapes(t *testing.T) {
	w := newWriter(t)
	for i := range 100 {
		d := simple(testID(SHA1, 1, byte(i+1)))
		d.certs = []byte{0x30, 0x03, 0x02, 0x01, byte(i)}
		if i+1 >= 0x80 {
			break
		}
		add(t, w, d.build())
	}
	if _, stats := finish(t, w); stats.Shapes != 1 || stats.Whole != 100 {
		t.Errorf("%d shapes, %d whole; want 1, that of responses stored whole, and 100", stats.Shapes, stats.Whole)
	}
}

func TestEmptySegment(t *testing.T) {
	s, stats := write(t)
	if stats.Records != 0 || stats.Keys != 0 {
		t.Errorf("stats %+v", stats)
	}
	if lookup(t, s, testID(SHA1, 1, 1)) != nil {
		t.Error("something is found in an empty segment")
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	all := forms(t)
	s, _ := write(t, slices.Collect(maps.Values(all))...)
	hit := parse(t, all["P-256 SHA-1"]).Singles[0].CertID
	miss := testID(SHA256, 3, 1, 2, 3)
	buf := make([]byte, 0, 4096)
	for name, id := range map[string]CertID{"hit": hit, "miss": miss} {
		allocs := testing.AllocsPerRun(100, func() {
			rec, found, err := s.Lookup(id.Key(), &id)
			if err != nil || found != (name == "hit") {
				t.Fatal(found, err)
			}
			if found {
				buf = rec.AppendResponse(buf[:0])
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter(dir, Everything)
	if err != nil {
		t.Fatal(err)
	}
	w.keys.limit = 1
	add(t, w, simple(testID(SHA1, 1, 1)).build())
	add(t, w, simple(testID(SHA1, 1, 2)).build())
	w.Abort()
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOpenRefusesWhatIsNoSegment(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "absent")); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("absent file: %v", err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "not a segment") {
		t.Errorf("directory: %v", err)
	}
	for size, want := range map[int]string{0: "not a segment", headerSize - 1: "not a segment", headerSize: "another kind of file"} {
		path := filepath.Join(dir, "zeros")
		if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d octets: %v, want %q", size, err, want)
		}
	}
}

// A mapping that nobody can reach any more is unmapped without Close.
func TestUnreachableSegmentIsUnmapped(t *testing.T) {
	path := writtenFile(t, simple(testID(SHA1, 1, 1)).build())
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if !mapped(t, path) {
		t.Fatal("an open segment is not mapped")
	}
	runtime.KeepAlive(s)
	for range 1000 { // cleanups run on a goroutine of their own, some time after the collection
		if runtime.GC(); !mapped(t, path) {
			return
		}
	}
	t.Error("still mapped after 1000 garbage collections")
}

func mapped(t *testing.T, path string) bool {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip("no /proc/self/maps")
	}
	return strings.Contains(string(maps), path)
}

func TestWarmAndClose(t *testing.T) {
	s, err := Open(writtenFile(t, simple(testID(SHA1, 1, 1)).build()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Warm(func() {}); err != nil {
		t.Error(err)
	}
	if lookup(t, s, testID(SHA1, 1, 1)) == nil {
		t.Error("not found after Warm")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
