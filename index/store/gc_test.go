package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lancre/index"
)

func TestGCRemovesWhatIsNotNamed(t *testing.T) {
	dir := t.TempDir()
	old := publishSample(t, dir, "old")
	g := open(t, dir)
	// Segments of the same content are one object: the new generation gets other keys.
	publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, responses(t, 100, 3, 0))}
		m.Files = []FileLine{addFile(t, p, "_", "/a", "old a")}
	})
	removed, err := GC(dir, Keep{}, start.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	want := []Removed{
		{Name: "history/1", Size: int64(len(old.Encode()))},
		{"objects/" + old.Segments[0].SHA256, old.Segments[0].SHA256, old.Segments[0].Size},
		{"objects/" + old.Files[1].SHA256, old.Files[1].SHA256, old.Files[1].Size},
		{"objects/" + old.List.SHA256, old.List.SHA256, old.List.Size},
	}
	slices.SortFunc(want, func(a, b Removed) int { return strings.Compare(a.Name, b.Name) })
	if !slices.Equal(removed, want) {
		t.Errorf("removed %v\nwant %v", removed, want)
	}
	if err := Verify(dir, nil, func(f *Fault) { t.Error(f) }); err != nil {
		t.Error(err)
	}
	if !g.Segments()[0].Verify(func(f *index.Fault) { t.Error(f) }) {
		t.Error("the old generation, still open, does not verify")
	}
	if removed, err := GC(dir, Keep{}, start.Add(time.Second)); err != nil || len(removed) != 0 {
		t.Errorf("a second GC removes %v, %v", removed, err)
	}
}

func TestGCLeavesWhatItDoesNotKnow(t *testing.T) {
	dir := t.TempDir()
	m := publishSample(t, dir, "sample")
	stale := filepath.Join(dir, "objects", ".tmp-123")
	if err := os.Mkdir(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(stale, "segment"), []byte("half a segment"))
	overwrite(t, filepath.Join(dir, ".tmp-456"), []byte("half a manifest"))
	overwrite(t, ObjectPath(dir, sumA), []byte("old"))

	unknown := []string{
		"README", ".tmp", "tmp-1", sumA, // not in objects
		"objects/README", "objects/" + strings.ToUpper(sumB), "objects/" + sumB[1:], "objects/" + sumB + ".part",
	}
	for _, name := range unknown {
		overwrite(t, filepath.Join(dir, name), []byte("mine"))
	}
	folder, link := ObjectPath(dir, sumB), ObjectPath(dir, strings.Repeat("c3", 32))
	if err := errors.Join(os.Mkdir(folder, 0o755), os.Symlink("README", link)); err != nil {
		t.Fatal(err)
	}

	removed, err := GC(dir, Keep{}, start.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("[{.tmp-456  15} {objects/.tmp-123  14} {objects/%s %s 3}]", sumA, sumA)
	if fmt.Sprint(removed) != want {
		t.Errorf("removed %v\nwant %s", removed, want)
	}
	for _, name := range append(unknown, "manifest", "objects/"+sumB, "objects/"+filepath.Base(link)) {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if got := open(t, dir).Manifest().Generation; got != m.Generation {
		t.Errorf("generation %d is open, want %d", got, m.Generation)
	}
}

func TestGCRefusesWithoutManifest(t *testing.T) {
	for name, damage := range map[string]func(path string){
		"no manifest":     func(path string) { os.Remove(path) },
		"broken manifest": func(path string) { flip(t, path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			publishSample(t, dir, "sample")
			before := objectsIn(t, dir)
			damage(filepath.Join(dir, "manifest"))
			removed, err := GC(dir, Keep{}, start.Add(time.Second))
			if err == nil || !strings.HasPrefix(err.Error(), "nothing removed, for what is in use is not known: ") {
				t.Errorf("error is %v", err)
			}
			if len(removed) != 0 || len(objectsIn(t, dir)) != len(before) {
				t.Errorf("removed %v", removed)
			}
		})
	}
	if _, err := GC(filepath.Join(t.TempDir(), "nowhere"), Keep{}, start.Add(time.Second)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no directory: error is %v", err)
	}
}

// spared runs GC at a moment when everything in the store is of that age, and returns
// which of the names are there after it.
func spared(t *testing.T, dir string, age time.Duration, names ...string) (there []string) {
	t.Helper()
	if _, err := GC(dir, Keep{Arriving: time.Hour}, time.Now().Add(age)); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			there = append(there, name)
		}
	}
	return there
}

// An object that no manifest here names may have come before the manifest that does,
// even if its original is old. One of a generation that goes has had its manifest.
func TestGCSparesWhatArrives(t *testing.T) {
	dir := t.TempDir()
	old := publishSample(t, dir, "old")
	publish(t, dir, func(p *Publication, m *Manifest) { m.Files = []FileLine{addFile(t, p, "_", "/a", "new a")} })
	came := "objects/" + sumA
	overwrite(t, filepath.Join(dir, came), []byte("a segment that rsync -a has copied"))
	if err := os.Chtimes(filepath.Join(dir, came), start, start); err != nil {
		t.Fatal(err)
	}
	names := []string{came, "objects/" + old.Segments[0].SHA256}
	if got := spared(t, dir, 50*time.Minute, names...); !slices.Equal(got, []string{came}) {
		t.Errorf("when they are 50 minutes old %q stay, want what came without a manifest", got)
	}
	if got := spared(t, dir, 70*time.Minute, names...); len(got) != 0 {
		t.Errorf("when they are 70 minutes old %q stay, want none", got)
	}
}

// What a CRL lists goes with the last generation that is kept and has the CRL. What is
// held stays; what a crash left beside it goes when nobody can be at work on it.
func TestGCClearsWhatBuildsKeep(t *testing.T) {
	dir := t.TempDir()
	old := publishSample(t, dir, "old")
	m := publishSample(t, dir, "new")
	list := func(f FileLine) string { return "serials/" + f.SHA256 }
	current, gone := list(m.Files[0]), list(old.Files[0])
	always := []string{current, "serials/README", "held/" + sumA + ".pem", "held/README"}
	late := []string{"held/.tmp-1", "serials/.tmp-2"}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "held"), 0o755), os.Mkdir(filepath.Join(dir, "serials"), 0o755)); err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(always, late, []string{gone})
	for _, name := range all {
		overwrite(t, filepath.Join(dir, name), []byte("content"))
	}
	if removed, err := GC(dir, Keep{Generations: 1, Arriving: time.Hour}, time.Now()); err != nil || len(removed) != 0 {
		t.Errorf("while both generations are kept, removed %v, %v", removed, err)
	}
	if got := spared(t, dir, 0, all...); !slices.Equal(got, slices.Concat(always, late)) {
		t.Errorf("at once %q stay, want all but %s", got, gone)
	}
	if got := spared(t, dir, 2*time.Hour, all...); !slices.Equal(got, always) {
		t.Errorf("two hours later %q stay, want %q", got, always)
	}
}

// A manifest in the history that goes and cannot be read is no reason to keep all; one
// that is to be kept is, for it could name anything.
func TestGCAndADamagedHistory(t *testing.T) {
	dir := t.TempDir()
	for _, label := range []string{"1", "2", "3"} {
		publishSample(t, dir, label)
	}
	flip(t, filepath.Join(dir, "history/1"))
	if removed, err := GC(dir, Keep{Generations: 2}, start); err == nil || len(removed) != 0 || !strings.Contains(err.Error(), "history/1") {
		t.Errorf("removed %v, %v: want nothing, and the manifest named", removed, err)
	}
	if _, err := GC(dir, Keep{Generations: 0}, start); err != nil {
		t.Error(err)
	}
	if past, err := History(dir); len(past) != 0 || err != nil {
		t.Errorf("the history has %v, %v", past, err)
	}
}

// Of the history so many generations stay as are asked for, and more if they were
// published within the time; to the second.
func TestGCKeeps(t *testing.T) {
	for _, test := range []struct {
		keep Keep
		want []uint64 // newest first
	}{
		{Keep{}, nil},
		{Keep{Generations: 1}, []uint64{4}},
		{Keep{Generations: 9}, []uint64{4, 3, 2, 1}},
		{Keep{Since: 2 * time.Hour}, []uint64{4, 3}}, // at +3 h and +2 h
		{Keep{Since: 2*time.Hour - time.Second}, []uint64{4}},
		{Keep{Generations: 3, Since: 2 * time.Hour}, []uint64{4, 3, 2}},
		{Keep{Generations: 1, Since: 3 * time.Hour}, []uint64{4, 3, 2}},
	} {
		dir := t.TempDir()
		for hour := range 5 {
			publish(t, dir, func(p *Publication, m *Manifest) {
				m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, []record{response(t, 1, hour)})}
				m.Created = start.Add(time.Duration(hour) * time.Hour)
			})
		}
		if _, err := GC(dir, test.keep, start.Add(4*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if past, err := History(dir); err != nil || !slices.Equal(past, test.want) {
			t.Errorf("%+v keeps %v, %v; want %v", test.keep, past, err, test.want)
		}
		if n := len(objectsIn(t, dir)); n != len(test.want)+1 {
			t.Errorf("%+v keeps %d objects, want those of %d generations", test.keep, n, len(test.want)+1)
		}
	}
}

// What no manifest names is spared for the time that it may be on its way, and not a
// second longer.
func TestGCSparesForSoLong(t *testing.T) {
	dir := t.TempDir()
	publishSample(t, dir, "sample")
	path := ObjectPath(dir, sumA)
	overwrite(t, path, []byte("on its way"))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	came := time.Unix(info.Sys().(*syscall.Stat_t).Ctim.Unix())
	for _, later := range []time.Duration{time.Hour - 1, time.Hour} {
		removed, err := GC(dir, Keep{Arriving: time.Hour}, came.Add(later))
		if err != nil || (len(removed) == 1) != (later == time.Hour) {
			t.Errorf("%s after it came, removed %v, %v", later, removed, err)
		}
	}
}

// GC, however it falls, takes no directory of objects whose making has just begun.
func TestGCSparesWhatBegins(t *testing.T) {
	defer func(d time.Duration) { patience = d }(patience)
	patience = time.Minute // gc has the lock most of the time
	dir := t.TempDir()
	publishSample(t, dir, "sample")
	entries := func() int {
		list, err := os.ReadDir(filepath.Join(dir, objectsName))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := entries()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for n := 0; err == nil; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				_, err = GC(dir, DefaultKeep, start)
			}
		}
		stopped <- err
	}()
	for n := range 500 {
		o, err := OpenObjects(dir)
		if err == nil {
			_, _, err = o.AddObject(strings.NewReader("an object"))
			o.Close()
		}
		in, failed := OpenIncoming(dir)
		if failed == nil {
			failed = errors.Join(in.Keep(nil), in.Close())
		}
		if err = errors.Join(err, failed); err != nil {
			t.Errorf("beginning number %d: %v", n, err)
			break
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Errorf("GC: %v", err)
	}
	if _, err := GC(dir, DefaultKeep, start); err != nil {
		t.Error(err)
	}
	if left := entries(); left != before {
		t.Errorf("objects has %d entries, want the %d of before", left, before)
	}
}
