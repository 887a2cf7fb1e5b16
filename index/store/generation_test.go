package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

// answer is what a look-up came to, to compare: the octets of the response,
// "tombstone" or "".
func answer(t testing.TB, g *Generation, id *index.CertID) string {
	t.Helper()
	rec, found, err := g.Lookup(id.Key(), id)
	switch {
	case err != nil:
		t.Fatal(err)
	case !found:
		return ""
	case rec.Tombstone():
		return "tombstone"
	}
	return string(rec.AppendResponse(nil))
}

// lookUp is the record of id in g.
func lookUp(t *testing.T, g *Generation, id *index.CertID) index.Record {
	t.Helper()
	rec, found, err := g.Lookup(id.Key(), id)
	if err != nil || !found {
		t.Fatalf("%v: found %v, %v", id, found, err)
	}
	return rec
}

func (r record) answer() string {
	if r.tombstone {
		return "tombstone"
	}
	return string(r.der)
}

func TestOpenWhatWasPublished(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	records := responses(t, 1, 5, 0)
	m := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, records)}
		m.Files = []FileLine{
			addFile(t, p, "c.example", "/1.crl", "a list"),
			addFile(t, p, "_", "/robots.txt", "go away"),
			addFile(t, p, "_", "/empty", ""),
			addFile(t, p, "d.example", "/1.crl", "a list"),
		}
	})
	g := open(t, dir)
	if !bytes.Equal(g.Manifest().Encode(), m.Encode()) {
		t.Errorf("manifest is\n%s\nwant\n%s", g.Manifest().Encode(), m.Encode())
	}
	if n := len(g.Segments()); n != 1 || g.Segments()[0].Info().Records != 5 {
		t.Errorf("%d segments", n)
	}
	for _, r := range records {
		if answer(t, g, &r.id) != r.answer() {
			t.Errorf("wrong answer for %s", &r.id)
		}
	}
	if other := response(t, 6, 0); answer(t, g, &other.id) != "" {
		t.Errorf("an answer for %s, which was not published", &other.id)
	}
	var got []string
	for _, f := range g.Files() {
		got = append(got, f.Host+f.Path+": "+string(f.Body))
	}
	want := "[_/empty:  _/robots.txt: go away c.example/1.crl: a list d.example/1.crl: a list]"
	if fmt.Sprint(got) != want {
		t.Errorf("files are %v, want %s", got, want)
	}
	if c, d := g.Files()[2].Body, g.Files()[3].Body; &c[0] != &d[0] {
		t.Error("one object at two places is in memory twice")
	}
	if err := g.Warm(func() {}); err != nil {
		t.Error(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// TestLookupMatchesModel compares look-ups in deltas over a sharded base with a
// map to which the same records were assigned, the oldest segment first.
func TestLookupMatchesModel(t *testing.T) {
	const serials, shards, deltas = 60, 4, 3
	random := rand.New(rand.NewPCG(1, 2))
	model := make(map[int64]string)
	ids := make(map[int64]index.CertID)
	base := make([][]record, shards)
	for serial := int64(1); serial <= serials; serial++ {
		r := response(t, serial, 0)
		ids[serial] = r.id
		if serial%5 == 0 { // in no base segment
			continue
		}
		i := r.id.SerialHash() >> 62
		base[i] = append(base[i], r)
		model[serial] = r.answer()
	}
	dir := t.TempDir()
	publish(t, dir, func(p *Publication, m *Manifest) {
		for day := 1; day <= deltas; day++ {
			var delta []record
			for serial := int64(1); serial <= serials; serial++ {
				switch random.IntN(6) {
				case 0:
					delta = append(delta, response(t, serial, day))
				case 1:
					delta = append(delta, tombstone(t, serial, day))
				default:
					continue
				}
				model[serial] = delta[len(delta)-1].answer()
			}
			m.Segments = append([]SegmentLine{addSegment(t, p.Objects, RoleDelta, index.Everything, delta)}, m.Segments...)
		}
		for i, records := range base {
			m.Segments = append(m.Segments, addSegment(t, p.Objects, RoleBase, index.Shard{Index: uint32(i), Of: shards}, records))
		}
	})
	g := open(t, dir)
	for serial, id := range ids {
		if got := answer(t, g, &id); got != model[serial] {
			t.Errorf("serial %d: got %.20q, want %.20q", serial, got, model[serial])
		}
	}
	if err := Verify(dir, nil, func(f *Fault) { t.Error(f) }); err != nil {
		t.Error(err)
	}
}

// TestLookupSkipsOtherShards gives segments certificates outside their shard: were
// they searched for them, they would be found.
func TestLookupSkipsOtherShards(t *testing.T) {
	records := responses(t, 1, 20, 0)
	for _, role := range []string{RoleBase, RoleDelta} {
		dir := t.TempDir()
		publish(t, dir, func(p *Publication, m *Manifest) {
			m.Segments = []SegmentLine{addSegment(t, p.Objects, role, index.Shard{Index: 1, Of: 2}, records)}
		})
		g := open(t, dir)
		for _, r := range records {
			want := ""
			if r.id.SerialHash() >= 1<<63 {
				want = r.answer()
			}
			if got := answer(t, g, &r.id); got != want {
				t.Errorf("%s, serial %x: got %.20q, want %.20q", role, r.id.Serial, got, want)
			}
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	records := responses(t, 1, 4, 0)
	dead, absent := tombstone(t, 2, 1), response(t, 99, 0)
	dir := t.TempDir()
	publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{
			addSegment(t, p.Objects, RoleDelta, index.Everything, []record{dead}),
			addSegment(t, p.Objects, RoleBase, index.Everything, records),
		}
	})
	g := open(t, dir)
	for name, id := range map[string]*index.CertID{
		"in the newest": &dead.id, "in the oldest": &records[0].id, "in none": &absent.id,
	} {
		allocs := testing.AllocsPerRun(100, func() {
			if _, _, err := g.Lookup(id.Key(), id); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

// TestLookupDoesNotFallBack damages a record of the newer segment: the older one
// must not answer in its place.
func TestLookupDoesNotFallBack(t *testing.T) {
	older, newer := response(t, 1, 0), response(t, 1, 1)
	dir := t.TempDir()
	m := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{
			addSegment(t, p.Objects, RoleDelta, index.Everything, []record{newer}),
			addSegment(t, p.Objects, RoleBase, index.Everything, []record{older}),
		}
	})
	path := ObjectPath(dir, m.Segments[0].SHA256)
	content := read(t, path)
	signature := newer.der[len(newer.der)-8:]
	at := bytes.Index(content, signature)
	if at < 0 {
		t.Fatal("the segment does not contain the signature")
	}
	content[at]++
	overwrite(t, path, content)

	_, found, err := open(t, dir).Lookup(newer.id.Key(), &newer.id)
	if found || !errors.Is(err, index.ErrCorrupt) || !strings.Contains(err.Error(), m.Segments[0].SHA256) {
		t.Errorf("found %v, error %v; want an ErrCorrupt that names the object", found, err)
	}
}

// flip changes one bit in the middle of a file.
func flip(t testing.TB, path string) {
	t.Helper()
	content := read(t, path)
	content[len(content)/2] ^= 1
	overwrite(t, path, content)
}

// damages are what can befall a store that publishSample made.
var damages = []struct {
	name   string
	damage func(t *testing.T, dir string, m *Manifest)
	want   string // of Open's error
}{
	{"segment missing", func(t *testing.T, dir string, m *Manifest) {
		os.Remove(ObjectPath(dir, m.Segments[0].SHA256))
	}, "manifest line 11: open DIR/objects/SEGMENT: no such file or directory; put a good copy"},
	{"file missing", func(t *testing.T, dir string, m *Manifest) {
		os.Remove(ObjectPath(dir, m.Files[1].SHA256))
	}, "list of files, line 3: open DIR/objects/FILE_B: no such file or directory; put a good copy"},
	{"objects missing", func(t *testing.T, dir string, m *Manifest) {
		os.RemoveAll(filepath.Join(dir, "objects"))
	}, "DIR: manifest line 12: open DIR/objects/LIST: no such file or directory"},
	{"segment cut", func(t *testing.T, dir string, m *Manifest) {
		path := ObjectPath(dir, m.Segments[0].SHA256)
		overwrite(t, path, read(t, path)[:100])
	}, "manifest line 11: DIR/objects/SEGMENT has 100 octets, the manifest says SIZE; put a good copy"},
	{"segment empty", func(t *testing.T, dir string, m *Manifest) {
		overwrite(t, ObjectPath(dir, m.Segments[0].SHA256), nil)
	}, "manifest line 11: DIR/objects/SEGMENT has 0 octets, the manifest says SIZE"},
	{"segment is a directory", func(t *testing.T, dir string, m *Manifest) {
		path := ObjectPath(dir, m.Segments[0].SHA256)
		os.Remove(path)
		os.Mkdir(path, 0o755)
	}, "manifest line 11: DIR/objects/SEGMENT is not a regular file: d"},
	{"segment header changed", func(t *testing.T, dir string, m *Manifest) {
		path := ObjectPath(dir, m.Segments[0].SHA256)
		content := read(t, path)
		content[0] ^= 1
		overwrite(t, path, content)
	}, "manifest line 11: DIR/objects/SEGMENT: "},
	{"other number of records", func(t *testing.T, dir string, m *Manifest) {
		m.Segments[0].Records = 4
		overwrite(t, filepath.Join(dir, "manifest"), m.Encode())
	}, "manifest line 11: DIR/objects/SEGMENT: the segment has 3 records, the manifest says 4; put"},
	{"other nextUpdate", func(t *testing.T, dir string, m *Manifest) {
		m.Segments[0].NextUpdate = start
		overwrite(t, filepath.Join(dir, "manifest"), m.Encode())
	}, "manifest line 11: DIR/objects/SEGMENT: the segment's earliest nextUpdate is 2026-11-30T14:00:00Z, the manifest says 2026-11-23T14:00:00Z"},
	{"file grown", func(t *testing.T, dir string, m *Manifest) {
		overwrite(t, ObjectPath(dir, m.Files[0].SHA256), []byte("sample a\n"))
	}, "list of files, line 2: DIR/objects/FILE_A has 9 octets, the manifest says 8; put a good copy"},
	{"file changed", func(t *testing.T, dir string, m *Manifest) {
		flip(t, ObjectPath(dir, m.Files[0].SHA256))
	}, "list of files, line 2: DIR/objects/FILE_A has sha256 "},
	{"list of files missing", func(t *testing.T, dir string, m *Manifest) {
		os.Remove(ObjectPath(dir, m.List.SHA256))
	}, "DIR: manifest line 12: open DIR/objects/LIST: no such file or directory; put a good copy"},
	{"list of files changed", func(t *testing.T, dir string, m *Manifest) {
		flip(t, ObjectPath(dir, m.List.SHA256))
	}, "DIR: manifest line 12: DIR/objects/LIST has sha256 "},
	{"list of files grown", func(t *testing.T, dir string, m *Manifest) {
		path := ObjectPath(dir, m.List.SHA256)
		overwrite(t, path, append(read(t, path), '\n'))
	}, "DIR: manifest line 12: DIR/objects/LIST has "},
	{"list of another number of files", func(t *testing.T, dir string, m *Manifest) {
		m.List.Count++
		overwrite(t, filepath.Join(dir, "manifest"), m.Encode())
	}, "DIR: manifest line 12: 3 files, but the list LIST has 2"},
	{"list of files that is none", func(t *testing.T, dir string, m *Manifest) {
		m.List.Object = Object{m.Files[0].Size, m.Files[0].SHA256}
		overwrite(t, filepath.Join(dir, "manifest"), m.Encode())
	}, "DIR: list of files FILE_A: line 1: "},
	{"manifest missing", func(t *testing.T, dir string, m *Manifest) {
		os.Remove(filepath.Join(dir, "manifest"))
	}, "no manifest: open DIR/manifest: no such file or directory"},
	{"manifest edited", func(t *testing.T, dir string, m *Manifest) {
		flip(t, filepath.Join(dir, "manifest"))
	}, "DIR/manifest: line 13: end "},
}

// inSample puts the names of a store that publishSample made into a text of damages.
func inSample(dir string, m *Manifest) *strings.Replacer {
	return strings.NewReplacer("DIR", dir, "SEGMENT", m.Segments[0].SHA256, "SIZE", fmt.Sprint(m.Segments[0].Size),
		"LIST", m.List.SHA256, "FILE_A", m.Files[0].SHA256, "FILE_B", m.Files[1].SHA256)
}

func TestOpenRefusesDamage(t *testing.T) {
	for _, test := range damages {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			m := publishSample(t, dir, "sample")
			want := inSample(dir, m).Replace(test.want)
			test.damage(t, dir, m)
			_, err := Open(dir)
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error is\n%v\nwant\n%s...", err, want)
			}
		})
	}
}

// A publication and a gc come after the manifest was read, and before its objects
// are opened.
func TestOpenFollowsNewerManifest(t *testing.T) {
	dir := t.TempDir()
	old := publishSample(t, dir, "old")
	attempts := 0
	g, err := follow(dir, func() (*Generation, error) {
		if attempts++; attempts > 1 {
			return Open(dir)
		}
		publishSample(t, dir, "new")
		if _, err := GC(dir, Keep{}, start.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		return openManifest(objectsOf(dir), old, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if got := g.Manifest().Generation; got != 2 || attempts != 2 {
		t.Errorf("generation %d is open, want 2, after %d attempts", got, attempts)
	}
}

// Where that happens every time, Open gives up.
func TestOpenFollowsSoManyManifests(t *testing.T) {
	dir := t.TempDir()
	attempts := 0
	_, err := follow(dir, func() (*Generation, error) {
		attempts++
		publish(t, dir, func(*Publication, *Manifest) {})
		return nil, fs.ErrNotExist
	})
	want := fmt.Sprintf("%s: the manifest changed %d times while its objects were opened", dir, maxReopen)
	if err == nil || err.Error() != want || attempts != maxReopen {
		t.Errorf("%d attempts, error %v; want %d, %s", attempts, err, maxReopen, want)
	}
}

// Without a newer manifest there is no other attempt, but the error says that it may be
// worth one: what is not there, or not all of it, can be on its way. What is longer than it
// should be is not.
func TestOpenSaysWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(path string) error
		missing bool
	}{
		"absent": {os.Remove, true},
		"cut":    {func(path string) error { return os.Truncate(path, 1) }, true},
		"longer": {func(path string) error { return os.Truncate(path, 1<<20) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			m := publishSample(t, dir, "sample")
			for ref := range m.references {
				path := ObjectPath(dir, ref.sum)
				saved, err := os.ReadFile(path)
				if err == nil {
					err = os.Chmod(path, 0o644)
				}
				if err == nil {
					err = c.change(path)
				}
				if err != nil {
					t.Fatal(err)
				}
				_, err = Open(dir)
				if _, missing := errors.AsType[*MissingError](err); err == nil || missing != c.missing || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: %v is a MissingError: %v, want %v", ref.place, err, missing, c.missing)
				}
				if err := os.WriteFile(path, saved, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// What ReopenIf is told not to want is not opened, unless a newer manifest came while it
// was told so.
func TestReopenIf(t *testing.T) {
	dir := t.TempDir()
	m := publishSample(t, dir, "unwanted")
	for ref := range m.references {
		if ref.sum != m.List.SHA256 {
			os.Remove(ObjectPath(dir, ref.sum))
		}
	}
	unwanted := errors.New("unwanted")
	if _, err := ReopenIf(dir, nil, nil, func(*Manifest) error { return unwanted }); err != unwanted {
		t.Errorf("error is %v, want %v", err, unwanted)
	}
	var asked []uint64
	g, err := ReopenIf(dir, nil, nil, func(m *Manifest) error {
		asked = append(asked, m.Generation)
		if len(asked) > 1 {
			return nil
		}
		publishSample(t, dir, "wanted")
		return unwanted
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if !slices.Equal(asked, []uint64{1, 2}) || g.Manifest().Generation != 2 {
		t.Errorf("asked for generations %d, opened %d", asked, g.Manifest().Generation)
	}
}

func TestOpenWhilePublishing(t *testing.T) {
	dir := t.TempDir()
	publishSample(t, dir, "generation 1")
	stop, result := make(chan struct{}), make(chan error)
	go func() { result <- openUntil(stop, dir) }()
	for i := 2; i <= 20; i++ {
		publishSample(t, dir, fmt.Sprint("generation ", i))
		if _, err := GC(dir, Keep{}, start.Add(time.Second)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	if err := <-result; err != nil {
		t.Error(err)
	}
}

// openUntil opens dir again and again, and checks that a file and the manifest are
// of the same generation.
func openUntil(stop <-chan struct{}, dir string) error {
	for {
		g, err := Open(dir)
		if err != nil {
			return err
		}
		got, want := string(g.Files()[0].Body), fmt.Sprintf("generation %d a", g.Manifest().Generation)
		if err := g.Close(); err != nil || got != want {
			return fmt.Errorf("file is %q, want %q; Close: %v", got, want, err)
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}

// OpenAnswers does not look at files, which only the manifest names; it opens segments
// as Open does, and shares them.
func TestOpenAnswers(t *testing.T) {
	dir := t.TempDir()
	m := publishSample(t, dir, "sample")
	full := open(t, dir)
	os.Remove(ObjectPath(dir, m.Files[0].SHA256))
	g, err := OpenAnswers(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if len(g.Files()) != 0 || len(g.Manifest().Files) != 2 {
		t.Errorf("files: %d open, %d named; want none and 2", len(g.Files()), len(g.Manifest().Files))
	}
	id := response(t, 1, 0).id
	if answer(t, g, &id) == "" || answer(t, g, &id) != answer(t, full, &id) {
		t.Error("it does not answer what the whole generation does")
	}
	beside, err := OpenAnswers(dir, full)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if beside.Segments()[0] != full.Segments()[0] {
		t.Error("the segment that is open was opened again")
	}
	flip(t, filepath.Join(dir, "manifest"))
	if _, err := OpenAnswers(dir, full); err == nil {
		t.Error("a damaged manifest opens")
	}
}
