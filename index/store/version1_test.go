package store

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

// version1Lines is a manifest of version 1 without its end line.
var version1Lines = []string{
	"lancre store 1",
	"origin ocsp.example.org",
	"generation 7",
	"created 2026-11-23T14:00:00Z",
	"segment base 0/1 3 4096 " + sumA + " -",
	"segment delta 0/1 12 1024 " + sumA + " 2026-11-27T02:00:00Z",
	"segment base 0/1 250 8192 " + sumB + " 2026-11-27T02:00:00Z",
	sampleFileLines[1],
	sampleFileLines[2],
	sampleFileLines[3],
}

// A base of version 1 hid nothing: above the last line it is a delta.
func TestVersion1Text(t *testing.T) {
	text := seal(version1Lines...)
	m, err := ParseManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	sample := sampleManifest()
	whole := index.Everything
	next := sample.Segments[1].NextUpdate
	sum, _, _ := digest(strings.NewReader(text))
	want := &Manifest{
		Origin: "ocsp.example.org", Generation: 7, Created: start,
		Segments: []SegmentLine{
			{Role: RoleDelta, Shard: whole, Records: 3, Size: 4096, SHA256: sumA},
			{Role: RoleDelta, Shard: whole, Records: 12, Size: 1024, SHA256: sumA, NextUpdate: next},
			{Role: RoleBase, Shard: whole, Records: 250, Size: 8192, SHA256: sumB, NextUpdate: next},
		},
		Files:    sampleFiles(),
		version1: sum,
	}
	if !reflect.DeepEqual(m, want) || m.Digest() != sum {
		t.Errorf("got\n%+v\nwant\n%+v", m, want)
	}
}

func TestVersion1Refuses(t *testing.T) {
	tests := []change{
		{"a shard of keys", 5, "0/1", "0/2", `line 5: shard 0/2 of a manifest of version 1: only 0/1 was ever written`},
		{"a line of version 2", 5, "segment", "checked -\nsegment", `line 5: "checked" where "end" must be`},
		{"no size", 6, " 1024", "", `line 6: size "a1a1`},
		{"sha256", 6, "a1", "x1", `line 6: sha256 "x1a1`},
		{"a segment of version 2", 7, " 2026", " - 2026", `line 7: "2026-11-27T02:00:00Z": one field too many`},
		{"a host in upper case", 9, "c.example", "C.example", `line 9: host "C.example.org"`},
		{"one place twice", 10, "/2.crl", "/1.crl", `line 10: c.example.org/1.crl does not come after c.example.org/1.crl`},
		{"segment after file", 10, "\n", "\n" + version1Lines[4] + "\n", `line 11: "segment" where "end" must be`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := ParseManifest([]byte(seal(test.apply(t, version1Lines))))
			if err == nil {
				t.Fatalf("accepted as\n%s", m.Encode())
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error is\n%v\nwant\n%s...", err, test.want)
			}
		})
	}
}

// inVersion1 is the manifest m as version 1 said it.
func inVersion1(m *Manifest) string {
	lines := []string{"lancre store 1", "origin " + m.Origin, fmt.Sprint("generation ", m.Generation), "created " + formatTime(m.Created)}
	for _, s := range m.Segments {
		lines = append(lines, fmt.Sprintf("segment base %s %d %d %s %s", s.Shard, s.Records, s.Size, s.SHA256, formatTime(s.NextUpdate)))
	}
	for _, f := range m.Files {
		lines = append(lines, fmt.Sprintf("file %s %s %s %d %s %s %s",
			f.Host, f.Path, f.ContentType, f.Size, f.SHA256, formatTime(f.LastModified), formatTime(f.Expires)))
	}
	return seal(lines...)
}

// publishVersion1 makes a store of version 1 with two segments and two files, and
// returns what of it was said in version 2.
func publishVersion1(t *testing.T, dir string) *Manifest {
	m := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = addLines(t, p, []testLine{
			{RoleDelta, index.Everything, []record{tombstone(t, 2, 1), response(t, 5, 0)}},
			{RoleBase, index.Everything, responses(t, 1, 3, 0)},
		})
		m.Files = []FileLine{addFile(t, p, "_", "/a", "a"), addFile(t, p, "h.example", "/b", "b")}
	})
	overwrite(t, filepath.Join(dir, "manifest"), []byte(inVersion1(m)))
	if err := os.Remove(ObjectPath(dir, m.List.SHA256)); err != nil {
		t.Fatal(err)
	}
	return m
}

// A store of version 1 answers what the same objects do in version 2, verifies, and
// is followed by a generation of version 2.
func TestVersion1Store(t *testing.T) {
	dir := t.TempDir()
	m := publishVersion1(t, dir)
	g := open(t, dir)
	for serial, want := range map[int64]bool{1: true, 2: true, 3: true, 4: false, 5: true} {
		id := response(t, serial, 0).id
		if got := answer(t, g, &id); (got != "") != want || (got == "tombstone") != (serial == 2) {
			t.Errorf("serial %d: got %.20q", serial, got)
		}
	}
	if n := len(g.Files()); n != 2 || string(g.Files()[1].Body) != "b" {
		t.Errorf("%d files", n)
	}
	if got := faults(t, dir); len(got) != 0 {
		t.Errorf("reports %q", got)
	}
	sum, _, _ := digest(strings.NewReader(inVersion1(m)))
	if next := publishSample(t, dir, "next"); next.Generation != 2 || next.Parent != sum {
		t.Errorf("the next generation is %d, its parent %s; want 2, %s", next.Generation, next.Parent, sum)
	}
	if _, err := GC(dir, Keep{}, start.Add(time.Second)); err != nil {
		t.Error(err)
	}
}

// An edge that was upgraded first installs what an older origin publishes.
func TestInstallVersion1(t *testing.T) {
	origin, edge := t.TempDir(), t.TempDir()
	publishVersion1(t, origin)
	m, err := install(t, edge, origin)
	if err != nil {
		t.Fatal(err)
	}
	expectOnly(t, edge, m)
	if got := string(open(t, edge).Files()[0].Body); got != "a" {
		t.Errorf("file is %q, want %q", got, "a")
	}
}

// Faults of its objects are placed where version 1 has their lines.
func TestVersion1NamesLines(t *testing.T) {
	for what, want := range map[string]string{"segment": "manifest line 6: open ", "file": "manifest line 8: open "} {
		dir := t.TempDir()
		m := publishVersion1(t, dir)
		sum := m.Segments[1].SHA256
		if what == "file" {
			sum = m.Files[1].SHA256
		}
		os.Remove(ObjectPath(dir, sum))
		if _, err := Open(dir); err == nil || !strings.HasPrefix(err.Error(), want+ObjectPath(dir, sum)) {
			t.Errorf("%s missing: error is %v, want %s...", what, err, want)
		}
	}
}
