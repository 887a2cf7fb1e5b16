package store

import (
	"bytes"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"testing"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
)

// A stack is segments made at random, oldest first, with the map that says what
// they must answer: whatever is assigned last stands.
type stack struct {
	random *rand.Rand
	answer map[string]string // by CertID
	ids    map[string]index.CertID
	lines  []layer // newest first
}

// statuses are what the CA says of a serial in one moment: ties between them are
// broken by content, and by position between segments.
var statuses = []int{ocsp.Good, ocsp.Revoked, ocsp.Unknown}

// candidate is a record for one of a few serials and moments, so that both repeat.
func (s *stack) candidate(t *testing.T) record {
	serial, day := 1+s.random.Int64N(20), s.random.IntN(3)
	if s.random.IntN(5) == 0 {
		return tombstone(t, serial, day)
	}
	der := testCA.Sign(ocsp.Response{
		Status: statuses[s.random.IntN(len(statuses))], SerialNumber: big.NewInt(serial), RevokedAt: start,
		ThisUpdate: start.AddDate(0, 0, day), NextUpdate: start.AddDate(0, 0, day+7),
	})
	var parsed index.Response
	if err := parsed.Parse(der); err != nil {
		t.Fatal(err)
	}
	return record{der: der, id: parsed.Singles[0].CertID, day: day}
}

// add puts a segment on top. Its shard is everything or a quarter: records outside
// of it are in the file, and no look-up finds them there.
func (s *stack) add(t *testing.T) {
	line := layer{RoleDelta, Shard{0, 1}, nil}
	if s.random.IntN(3) == 0 {
		line.shard = Shard{uint32(s.random.IntN(4)), 4}
	}
	best := make(map[string]record) // in this segment
	for range 1 + s.random.IntN(15) {
		r := s.candidate(t)
		line.records = append(line.records, r)
		if name := r.id.String(); line.shard.Covers(r.id.Key()) {
			s.ids[name] = r.id
			if old, ok := best[name]; !ok || wins(r, old) {
				best[name] = r
			}
		}
	}
	for name, r := range best {
		s.answer[name] = r.answer()
	}
	s.lines = append([]layer{line}, s.lines...)
}

// wins reports whether, of two records for one certificate in one segment, r is
// what a look-up finds: the newer one, or the one whose octets come later.
func wins(r, old record) bool {
	if r.day != old.day {
		return r.day > old.day
	}
	if r.tombstone || old.tombstone {
		return !r.tombstone && old.tombstone
	}
	return bytes.Compare(r.der, old.der) > 0
}

// TestLiveMatchesModel compares look-ups and Live, over random stacks with ties,
// tombstones and shards, with a map, and so with each other.
func TestLiveMatchesModel(t *testing.T) {
	for seed := range uint64(30) {
		s := stack{rand.New(rand.NewPCG(seed, 7)), make(map[string]string), make(map[string]index.CertID), nil}
		for range 1 + s.random.IntN(6) {
			s.add(t)
		}
		dir := t.TempDir()
		publish(t, dir, func(p *Publication, m *Manifest) {
			for _, l := range s.lines {
				m.Segments = append(m.Segments, addSegment(t, p, l.role, l.shard, l.records))
			}
		})
		g := open(t, dir)
		lookups := make(map[string]string)
		for name, id := range s.ids {
			lookups[name] = answer(t, g, &id)
		}
		if !maps.Equal(lookups, s.answer) {
			t.Fatalf("seed %d: look-ups differ from the map: %s", seed, difference(lookups, s.answer))
		}
		if live := liveAnswers(t, g); !maps.Equal(live, s.answer) {
			t.Fatalf("seed %d: Live differs from the map: %s", seed, difference(live, s.answer))
		}
	}
}

// liveAnswers is what Live says that g answers, by CertID.
func liveAnswers(t *testing.T, g *Generation) map[string]string {
	t.Helper()
	got := make(map[string]string)
	seen := make(map[string]bool) // records
	err := g.Live(func(r LiveRecord) bool {
		if place := fmt.Sprint(r.Line, r.Offset()); seen[place] {
			t.Errorf("the record at %s of line %d comes twice", place, r.Line)
		} else {
			seen[place] = true
		}
		for i := range r.CertIDs {
			name := r.CertIDs[i].String()
			if _, twice := got[name]; twice {
				t.Errorf("%s comes twice", name)
			}
			got[name] = "tombstone"
			if !r.Tombstone() {
				got[name] = string(r.AppendResponse(nil))
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func difference(got, want map[string]string) string {
	for name := range want {
		if got[name] != want[name] {
			return fmt.Sprintf("%s is %.60q, want %.60q", name, got[name], want[name])
		}
	}
	return fmt.Sprintf("%d answers, want %d", len(got), len(want))
}

func TestLiveStops(t *testing.T) {
	dir := t.TempDir()
	publish(t, dir, func(p *Publication, m *Manifest) {
		for range 2 {
			m.Segments = append(m.Segments, addSegment(t, p, RoleDelta, Shard{0, 1}, responses(t, int64(10*len(m.Segments)), 3, 0)))
		}
	})
	g := open(t, dir)
	for want := 1; want <= 6; want++ {
		count := 0
		if err := g.Live(func(LiveRecord) bool { count++; return count < want }); err != nil || count != want {
			t.Errorf("%d records came, error %v; want %d", count, err, want)
		}
	}
}

// A record that cannot be read ends the walk: nobody can say what it hides.
func TestLiveReportsDamage(t *testing.T) {
	dir := t.TempDir()
	records := responses(t, 1, 3, 0)
	m := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{addSegment(t, p, RoleBase, Shard{0, 1}, records)}
	})
	path := objectPath(dir, m.Segments[0].SHA256)
	content := read(t, path)
	content[bytes.Index(content, records[1].der[len(records[1].der)-8:])]++
	overwrite(t, path, content)
	want := "object " + m.Segments[0].SHA256 + ": "
	if err := open(t, dir).Live(func(LiveRecord) bool { return true }); err == nil || err.Error()[:len(want)] != want {
		t.Errorf("error is %v, want %s...", err, want)
	}
}
