package index

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// shardWriter is a writer of s.
func shardWriter(t testing.TB, s Shard) *Writer {
	t.Helper()
	w, err := NewWriter(t.TempDir(), s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mergeWriter(t testing.TB, s Shard) *Writer {
	t.Helper()
	w, err := NewMergeWriter(t.TempDir(), s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// transfer adds rec under ids.
func transfer(t testing.TB, w *Writer, rec Record, ids ...CertID) {
	t.Helper()
	var e Entry
	if err := errors.Join(e.SetRecord(rec, ids), w.Add(&e)); err != nil {
		t.Fatal(err)
	}
}

// bundle is a response for several certificates: one is revoked, the others are good.
func bundle(serials ...byte) *draft {
	d := simple(testID(SHA1, 1, serials[0]))
	d.singles[0].status, d.singles[0].revoked = Revoked, "20260910111213Z"
	for _, serial := range serials[1:] {
		d.singles = append(d.singles, simple(testID(SHA256, 1, serial)).singles...)
	}
	return d
}

// A response is found in the shard of each of its certificates, under the CertIDs of
// that shard alone and with the gravest status of these; the other shards refuse it.
func TestEntriesAreWithinTheShard(t *testing.T) {
	all := forms(t)
	all["bundle"] = bundle(1, 2, 3, 4, 5, 6).build()
	long := bundle(1, 2, 3, 4, 5, 6)
	long.certs = bytes.Repeat([]byte{0x30, 0x02, 0x05, 0x00}, 20000)
	all["long bundle"] = long.build()
	for _, of := range []uint32{1, 2, 8, MaxShards} {
		for name, der := range all {
			r := parse(t, der)
			at := make(map[Shard]Status)
			for i := range r.Singles {
				s := ShardOf(r.Singles[i].CertID.SerialHash(), of)
				at[s] = at[s].graver(r.Singles[i].Status)
			}
			for i := range of {
				s := Shard{i, of}
				if status, ok := at[s]; ok {
					checkShardHolds(t, name, s, r, status)
				}
			}
			if len(at) < int(of) {
				checkShardRefuses(t, name, of, r, at)
			}
		}
	}
}

func checkShardHolds(t *testing.T, name string, shard Shard, r *Response, status Status) {
	t.Helper()
	w := shardWriter(t, shard)
	add(t, w, r.DER)
	s, _ := finish(t, w)
	if s.Info().Shard != shard {
		t.Errorf("%s: the segment is for %s, want %s", name, s.Info().Shard, shard)
	}
	for i := range r.Singles {
		id := r.Singles[i].CertID
		want := shard.Covers(id.SerialHash())
		rec, found, err := s.Lookup(id.Key(), &id)
		if err != nil || found != want {
			t.Errorf("%s, shard %s: found %t, %v; want %t", name, shard, found, err, want)
		}
		if !found {
			continue
		}
		if !bytes.Equal(rec.AppendResponse(nil), r.DER) || rec.Status() != status {
			t.Errorf("%s, shard %s: other octets, or status %s, want %s", name, shard, rec.Status(), status)
		}
		if got, ok := rec.CertStatus(&id); !ok || len(r.Singles) > 2 && got != r.CertStatus(i) {
			t.Errorf("%s, shard %s: %s is %+v, want %+v", name, shard, &id, got, r.CertStatus(i))
		}
	}
}

// checkShardRefuses adds r to a shard that none of its certificates is in.
func checkShardRefuses(t *testing.T, name string, of uint32, r *Response, at map[Shard]Status) {
	t.Helper()
	var other Shard
	for other = (Shard{0, of}); ; other.Index++ {
		if _, ok := at[other]; !ok {
			break
		}
	}
	var e Entry
	if err := e.Set(r); err != nil {
		t.Fatal(err)
	}
	w := shardWriter(t, other)
	defer w.Abort()
	want := "this segment is for " + other.String() + ": add it to the segment of its shard"
	if err := w.Add(&e); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error %v, want one with %q", name, err, want)
	}
}

// An entry can be added to the segments of several shards, one after another.
func TestOneEntryInSeveralShards(t *testing.T) {
	der := bundle(1, 2, 3, 4, 5, 6).build()
	r := parse(t, der)
	var e Entry
	if err := e.Set(r); err != nil {
		t.Fatal(err)
	}
	found := 0
	for i := range uint32(2) {
		w := shardWriter(t, Shard{i, 2})
		if err := w.Add(&e); err != nil {
			t.Fatal(err)
		}
		s, stats := finish(t, w)
		found += int(stats.Keys)
		if err := s.Records(func(rec Record) bool {
			if !bytes.Equal(rec.AppendResponse(nil), der) {
				t.Errorf("shard %d has other octets", i)
			}
			return true
		}); err != nil {
			t.Error(err)
		}
	}
	if found != len(r.Singles) {
		t.Errorf("found under %d CertIDs, want %d", found, len(r.Singles))
	}
}

func TestWriterRefusesWhatIsNoShard(t *testing.T) {
	for _, s := range []Shard{{}, {1, 1}, {0, 3}, {0, 2 * MaxShards}} {
		for _, begin := range []func(string, Shard) (*Writer, error){NewWriter, NewMergeWriter} {
			if _, err := begin(t.TempDir(), s); err == nil || !strings.Contains(err.Error(), "want I/N with a power of two up to 4096") {
				t.Errorf("shard %s: %v", s, err)
			}
		}
	}
}

// Copied record by record, a segment is the same octets again.
func TestCopiedSegmentIsTheSame(t *testing.T) {
	w := newWriter(t)
	all := forms(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		add(t, w, all[name])
	}
	for i := range byte(100) {
		d := simple(testID(SHA1, 2, 0x50, i))
		if i%3 == 0 {
			d = bundle(0x80+i, 0xa0+i)
		}
		d.certs = bytes.Repeat([]byte{0x30, 0x02, 0x05, 0x00}, 10)
		d.signature = bytes.Repeat([]byte{i}, 20+int(i)%2)
		add(t, w, d.build())
		hide(t, w, testID(SHA1, 3, 0x60, i), CertStatus{Moment{int64(i), 2}, Revoked, 7, 1})
	}
	file := octets(t, w)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	to := mergeWriter(t, Everything)
	if err := s.Records(func(rec Record) bool {
		transfer(t, to, rec, rec.CertIDs(nil)...)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(octets(t, to), file) {
		t.Error("the copy has other octets")
	}
}

// A merge of random segments, of any version, in which somebody decided for each
// CertID which record answers, answers so, octet for octet.
func TestMergeKeepsWhatWasDecided(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var segments []*Segment
		for range 1 + rng.IntN(4) {
			w, model := newWriter(t), newModel()
			for range 100 {
				model.add(t, w, rng, 60)
			}
			s, _ := finish(t, w)
			segments = append(segments, s)
		}
		for _, file := range [][]byte{goldenOfVersion1(), []byte(goldenOfVersion2)} {
			s, err := OpenBytes(file)
			if err != nil {
				t.Fatal(err)
			}
			segments = append(segments, s)
		}
		rng.Shuffle(len(segments), func(i, j int) { segments[i], segments[j] = segments[j], segments[i] })
		checkMerge(t, rng, segments)
	}
}

// decision is who answers for a CertID: a segment's record, or none.
type decision struct {
	id  CertID
	rec Record
}

func checkMerge(t *testing.T, rng *rand.Rand, segments []*Segment) {
	t.Helper()
	decided := make(map[string]decision)
	for _, s := range segments {
		if err := s.Records(func(rec Record) bool {
			for _, id := range rec.CertIDs(nil) {
				if _, ok := decided[id.String()]; !ok || rng.IntN(2) == 0 {
					decided[id.String()] = decision{id, rec}
				}
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
	w := mergeWriter(t, Everything)
	for _, s := range segments {
		if err := s.Records(func(rec Record) bool {
			ids := slices.DeleteFunc(rec.CertIDs(nil), func(id CertID) bool {
				d := decided[id.String()]
				return d.rec.segment != s || d.rec.offset != rec.offset
			})
			if len(ids) > 0 {
				transfer(t, w, rec, ids...)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
	merged, stats := finish(t, w)
	if int(stats.Keys) != len(decided) || stats.Superseded+stats.Identical != 0 {
		t.Errorf("%+v, want %d keys", stats, len(decided))
	}
	for _, d := range decided {
		rec, found, err := merged.Lookup(d.id.Key(), &d.id)
		if err != nil || !found {
			t.Fatalf("%s: found %t, %v", &d.id, found, err)
		}
		got, ok := rec.CertStatus(&d.id)
		want, _ := d.rec.CertStatus(&d.id)
		if !ok || got != want || rec.Tombstone() != d.rec.Tombstone() || !bytes.Equal(rec.AppendResponse(nil), d.rec.AppendResponse(nil)) {
			t.Errorf("%s: the merge says %+v, want %+v", &d.id, got, want)
		}
	}
}

// A CertID that is dropped from a record is not found, and the others are.
func TestDroppedCertIDIsNotFound(t *testing.T) {
	r := parse(t, bundle(1, 2, 3).build())
	s, _ := write(t, r.DER)
	ids := []CertID{r.Singles[0].CertID, r.Singles[1].CertID, r.Singles[2].CertID}
	var rec Record
	if err := s.Records(func(r Record) bool { rec = r; return true }); err != nil {
		t.Fatal(err)
	}
	for dropped := range ids {
		w := mergeWriter(t, Everything)
		transfer(t, w, rec, slices.Delete(slices.Clone(ids), dropped, dropped+1)...)
		merged, _ := finish(t, w)
		for i := range ids {
			// Also by the key of another CertID: the comparison alone decides.
			for _, key := range []uint64{ids[i].Key(), ids[(dropped+1)%3].Key()} {
				if _, found, err := merged.Lookup(key, &ids[i]); err != nil || found && i == dropped {
					t.Errorf("without CertID %d, %d is found: %t, %v", dropped, i, found, err)
				}
			}
			if got := lookup(t, merged, ids[i]); i != dropped && !bytes.Equal(got, r.DER) {
				t.Errorf("without CertID %d, %d has\n%x, want\n%x", dropped, i, got, r.DER)
			}
		}
	}
}

func TestMergeRefusesTwoOfOneCertID(t *testing.T) {
	for name, second := range map[string]*draft{"the same": bundle(1, 2), "another": simple(testID(SHA256, 1, 2))} {
		w := mergeWriter(t, Everything)
		add(t, w, bundle(1, 2).build(), second.build())
		if _, _, err := w.Finish(); err == nil || !strings.Contains(err.Error(), "two entries for sha") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A record that is entered under no CertIDs in particular is entered under all that it was.
func TestSetRecordEntersUnderAll(t *testing.T) {
	file, _ := sample(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Records(func(rec Record) bool {
		var some, all Entry
		if err := errors.Join(some.SetRecord(rec, rec.CertIDs(nil)), all.SetRecord(rec, nil)); err != nil {
			t.Error(err)
		}
		if !slices.Equal(all.keys, some.keys) || !bytes.Equal(all.appendRecord(nil, 7), some.appendRecord(nil, 7)) || len(all.keys) == 0 {
			t.Errorf("record at offset %d: entered under %x, want %x", rec.offset, all.keys, some.keys)
		}
		return true
	}); err != nil {
		t.Error(err)
	}
}

func TestSetRecordRefuses(t *testing.T) {
	file, _ := sample(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Records(func(rec Record) bool {
		var e Entry
		ids := rec.CertIDs(nil)
		if err := e.SetRecord(rec, append(ids, testID(SHA1, 9, 9))); err == nil || !strings.Contains(err.Error(), "is not entered under sha1 serial 09") {
			t.Errorf("a CertID of another: %v", err)
		}
		at := rec.offset + s.recHead - 1 // producedAt
		file[at] ^= 1
		if err := e.SetRecord(rec, ids); !errors.Is(err, ErrCorrupt) {
			t.Errorf("changed since it was read: %v", err)
		}
		file[at] ^= 1
		return true
	}); err != nil {
		t.Fatal(err)
	}
}

// A copied shape has the budget of all: beyond it, responses are whole.
func TestCopiedShapesHaveTheBudget(t *testing.T) {
	s, _ := write(t, simple(testID(SHA1, 1, 1)).build(), simple(testID(SHA1, 1, 2)).build(), simple(testID(SHA1, 1, 3)).build())
	for spent, want := range map[int]uint64{0: 1, maxShapeOctets: 3} {
		w := mergeWriter(t, Everything)
		w.shapes.octets = spent
		if err := s.Records(func(rec Record) bool { transfer(t, w, rec, rec.CertIDs(nil)...); return true }); err != nil {
			t.Fatal(err)
		}
		merged, stats := finish(t, w)
		if stats.Whole != want {
			t.Errorf("with %d octets of shapes, %d are whole, want %d", spent, stats.Whole, want)
		}
		for i := range byte(3) {
			checkHolds(t, merged, simple(testID(SHA1, 1, i+1)).build())
		}
	}
}

// BenchmarkSetRecord is what a merge does with each record, on any number of
// goroutines, before the Writer gets it.
func BenchmarkSetRecord(b *testing.B) {
	all := realResponses(b)
	for _, name := range []string{"P-256 SHA-1", "RSA SHA-256"} {
		b.Run(name, func(b *testing.B) {
			w := newWriter(b)
			var first Entry
			if err := first.Set(parse(b, all[name])); err != nil {
				b.Fatal(err)
			}
			w.shapes.secondSight(&first) // so that one response makes a shape
			add(b, w, all[name])
			s, err := OpenBytes(octets(b, w))
			if err != nil {
				b.Fatal(err)
			}
			id := parse(b, all[name]).Singles[0].CertID
			rec, _, err := s.Lookup(id.Key(), &id)
			if err != nil {
				b.Fatal(err)
			}
			ids := rec.CertIDs(nil)
			var e Entry
			for b.Loop() {
				if err := e.SetRecord(rec, ids); err != nil {
					b.Fatal(err)
				}
			}
			if !e.copied {
				b.Fatal("not copied")
			}
		})
	}
}
