package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lancre/index"
)

// What both generations name is not looked for: its objects are gone here, and
// nobody notices. What is new is opened beside it.
func TestReopenShares(t *testing.T) {
	dir := t.TempDir()
	base := responses(t, 1, 3, 0)
	revoked := tombstone(t, 2, 1)
	old := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, base)}
		m.Files = []FileLine{addFile(t, p, "_", "/a", "stays")}
	})
	before := open(t, dir)
	publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = append([]SegmentLine{addSegment(t, p.Objects, RoleDelta, index.Everything, []record{revoked})}, old.Segments...)
		m.Files = append(old.Files[:1:1], addFile(t, p, "_", "/b", "new"))
	})
	for ref := range old.references {
		if err := os.Remove(ObjectPath(dir, ref.sum)); err != nil {
			t.Fatal(err)
		}
	}
	after, err := Reopen(dir, before)
	if err != nil {
		t.Fatal(err)
	}
	if after.Segments()[1] != before.Segments()[0] {
		t.Error("the base is not shared")
	}
	if a, b := before.Files()[0].Body, after.Files()[0].Body; &a[0] != &b[0] {
		t.Error("the file is in memory twice")
	}
	if got := answer(t, before, &revoked.id); got != base[1].answer() {
		t.Errorf("the generation before answers %.20q", got)
	}
	if got := answer(t, after, &revoked.id); got != "tombstone" {
		t.Errorf("the generation after answers %.20q", got)
	}
	if err := after.Warm(func() {}); err != nil {
		t.Error(err)
	}
}

// A list of files that did not change is not read again, nor are the files.
func TestReopenSharesTheListOfFiles(t *testing.T) {
	dir := t.TempDir()
	old := publishSample(t, dir, "stays")
	before := open(t, dir)
	publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = addLines(t, p, []testLine{{RoleBase, index.Everything, responses(t, 20, 2, 0)}})
		m.Files = old.Files
	})
	if err := os.Remove(ObjectPath(dir, old.List.SHA256)); err != nil {
		t.Fatal(err)
	}
	after, err := Reopen(dir, before)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if a, b := before.Files()[1], after.Files()[1]; a.FileLine != b.FileLine || &a.Body[0] != &b.Body[0] {
		t.Errorf("file is %+v, want that which is open, %+v", b.FileLine, a.FileLine)
	}
	if _, err := Reopen(dir, nil); err == nil || !strings.Contains(err.Error(), "manifest line 12: open ") {
		t.Errorf("beside nothing, the list is not missed: %v", err)
	}
}

// A shared segment stays until the last of its generations is closed, whichever
// that is.
func TestCloseOfSharedSegments(t *testing.T) {
	for _, first := range []int{0, 1} {
		dir := t.TempDir()
		m := publishSample(t, dir, "sample")
		var both [2]*Generation
		var err error
		for i := range both {
			if both[i], err = Reopen(dir, both[0]); err != nil {
				t.Fatal(err)
			}
		}
		id := response(t, 2, 0).id
		if err := both[first].Close(); err != nil {
			t.Fatal(err)
		}
		if answer(t, both[1-first], &id) == "" {
			t.Error("the generation that stays has no answer any more")
		}
		if err := both[1-first].Close(); err != nil {
			t.Fatal(err)
		}
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Skip("no /proc here")
		}
		if strings.Contains(string(maps), m.Segments[0].SHA256) {
			t.Error("the segment is mapped after both were closed")
		}
	}
}

// Warm reads once what generations share: between two calls a record is damaged.
func TestWarmReadsOnce(t *testing.T) {
	dir := t.TempDir()
	m := publishSample(t, dir, "sample")
	first := open(t, dir)
	if err := first.Warm(func() {}); err != nil {
		t.Fatal(err)
	}
	flipInPlace(t, ObjectPath(dir, m.Segments[0].SHA256))
	second, err := Reopen(dir, first)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := second.Warm(func() {}); err != nil {
		t.Errorf("what was warm is read again: %v", err)
	}
	if err := open(t, dir).Warm(func() {}); err == nil {
		t.Error("what was not open before is not read")
	}
}

// A line that says otherwise of an open segment than that segment is refused.
func TestReopenComparesTheLine(t *testing.T) {
	dir := t.TempDir()
	m := publishSample(t, dir, "sample")
	g := open(t, dir)
	m.Segments[0].Records++
	overwrite(t, filepath.Join(dir, "manifest"), m.Encode())
	want := "manifest line 11: " + m.Segments[0].SHA256 + ", which is open: the segment has 3 records, the manifest says 4"
	if _, err := Reopen(dir, g); err == nil || err.Error() != want {
		t.Errorf("error is\n%v\nwant\n%s", err, want)
	}
}

// flipInPlace changes one bit in the middle of a file that may be mapped.
func flipInPlace(t *testing.T, path string) {
	t.Helper()
	content := read(t, path)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	middle := int64(len(content) / 2)
	if _, err := f.WriteAt([]byte{content[middle] ^ 1}, middle); err != nil {
		t.Fatal(err)
	}
}

// What was put in the place of a damaged segment is opened anew, and nothing else is: an
// object that only is not there is shared on.
func TestReopenReplaced(t *testing.T) {
	dir := t.TempDir()
	m := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = addLines(t, p, []testLine{
			{RoleDelta, index.Everything, responses(t, 1, 1, 0)},
			{RoleBase, index.Everything, responses(t, 20, 2, 0)},
		})
	})
	before := open(t, dir)
	gone, replaced := ObjectPath(dir, m.Segments[0].SHA256), ObjectPath(dir, m.Segments[1].SHA256)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if before.Replaced(dir) {
		t.Error("an object that is not there was replaced")
	}
	if err := os.WriteFile(replaced+".new", read(t, replaced), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(replaced+".new", replaced); err != nil {
		t.Fatal(err)
	}
	if !before.Replaced(dir) {
		t.Error("nothing was replaced")
	}
	after, err := Reopen(dir, before)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if after.Segments()[0] != before.Segments()[0] || after.Segments()[1] == before.Segments()[1] {
		t.Error("want the first segment shared, and the second opened anew")
	}
	if after.Replaced(dir) {
		t.Error("it was replaced still")
	}
}
