package store

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"lancre/index"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_HOLD"); dir != "" {
		holdPublication(dir)
	}
	patience = 100 * time.Millisecond // where a test waits, the lock is not given back
	os.Exit(m.Run())
}

// holdPublication is the child process of TestLockHoldsAcrossProcesses: it begins
// a publication, says so, and keeps it until it is killed or its input ends.
func holdPublication(dir string) {
	p, err := Begin(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	p.AddObject(strings.NewReader("never named"))
	fmt.Println("begun")
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0) // without Commit or Abort
}

func TestLockHoldsAcrossProcesses(t *testing.T) {
	dir := t.TempDir()
	old := publishSample(t, dir, "old")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "STORE_TEST_HOLD="+dir)
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != "begun\n" {
		t.Fatalf("child says %q, %v", line, err)
	}
	want := fmt.Sprintf("%s: another publication or gc is under way (process %d): wait for it to end", dir, child.Process.Pid)
	if _, err := Begin(dir); err == nil || err.Error() != want {
		t.Errorf("Begin: error is %v, want %s", err, want)
	}
	if _, err := GC(dir, Keep{}, start.Add(time.Second)); err == nil || err.Error() != want {
		t.Errorf("GC: error is %v, want %s", err, want)
	}
	if got := open(t, dir).Manifest().Generation; got != old.Generation {
		t.Errorf("generation %d is open, want %d", got, old.Generation)
	}

	child.Process.Kill()
	child.Wait()
	if m := publishSample(t, dir, "new"); m.Generation != old.Generation+1 {
		t.Errorf("after the child's death generation %d is published, want %d", m.Generation, old.Generation+1)
	}
}

func TestOnePublicationAtATime(t *testing.T) {
	dir := t.TempDir()
	p, err := Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Begin(dir); err == nil || !strings.Contains(err.Error(), "another publication or gc is under way") {
		t.Errorf("second Begin: error is %v", err)
	}
	p.Close()
	p.Close()
	p, err = Begin(dir)
	if err != nil {
		t.Fatalf("Begin after Close: %v", err)
	}
	p.Close()
}

func TestGenerationsGrow(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	for generation := uint64(1); generation <= 3; generation++ {
		p, err := Begin(dir)
		if err != nil {
			t.Fatal(err)
		}
		switch previous := p.Previous(); {
		case generation == 1 && previous != nil:
			t.Errorf("a new store has a previous generation %d", previous.Generation)
		case generation > 1 && (previous == nil || previous.Generation != generation-1):
			t.Errorf("previous manifest is %+v, want that of generation %d", previous, generation-1)
		}
		m := &Manifest{Origin: "test", Created: start}
		if err := p.Commit(m); err != nil {
			t.Fatal(err)
		}
		if m.Generation != generation {
			t.Errorf("Commit made generation %d, want %d", m.Generation, generation)
		}
		if got := open(t, dir).Manifest().Generation; got != generation {
			t.Errorf("generation %d is open, want %d", got, generation)
		}
	}
}

func TestPublishedFilesAndModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	m := publishSample(t, dir, "sample")
	want := map[string]string{"manifest": "-rw-r--r--", "objects": "drwxr-xr-x"}
	for ref := range m.references {
		want["objects/"+ref.sum] = "-r--r--r--"
	}
	got := make(map[string]string)
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && path != dir {
			got[strings.TrimPrefix(path, dir+"/")] = info.Mode().String()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the store is %v\nwant %v", got, want)
	}
}

func TestCommitSortsFiles(t *testing.T) {
	dir := t.TempDir()
	m := publish(t, dir, func(p *Publication, m *Manifest) {
		for _, place := range []string{"b/2", "b/10", "a/3", "_/1"} {
			host, path, _ := strings.Cut(place, "/")
			m.Files = append(m.Files, addFile(t, p, host, "/"+path, place))
		}
	})
	var got []string
	for _, f := range m.Files {
		got = append(got, f.Host+f.Path)
	}
	if want := "[_/1 a/3 b/10 b/2]"; fmt.Sprint(got) != want {
		t.Errorf("files are %v, want %s", got, want)
	}
}

func TestCommitRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(m *Manifest)
		want   string
	}{
		{"no origin", func(m *Manifest) { m.Origin = "" }, `new manifest: line 2: origin ""`},
		{"no time", func(m *Manifest) { m.Created = start.AddDate(-2025, 0, 0) }, "new manifest: line 4: created 0001-"},
		{"negative size", func(m *Manifest) { m.Segments[0].Size = -1 }, "new manifest: line 11: size -1 is negative"},
		{"no shard", func(m *Manifest) { m.Segments[0].Shard = index.Shard{} }, "new manifest: line 11: shard 0/0"},
		{"space in a type", func(m *Manifest) { m.Files[0].ContentType = "text/html; charset=utf-8" },
			`new list of files: line 2: content type "text/html; charset=utf-8": want TYPE/SUBTYPE`},
		{"one more line than a stack can have", func(m *Manifest) { m.Segments = make([]SegmentLine, MaxLines+1) },
			"new manifest: 4097 segment lines, a manifest can have 4096: merge the store"},
		{"line break in a path", func(m *Manifest) { m.Files[1].Path = "/b\nfile" }, `new list of files: line 3: path "/b\nfile"`},
		{"one place twice", func(m *Manifest) { m.Files[1] = m.Files[0] }, "new list of files: line 3: _/a does not come after _/a"},
		{"object that was not added", func(m *Manifest) { m.Files[0].SHA256 = sumA }, "new list of files, line 2: open "},
		{"object of another size", func(m *Manifest) { m.Files[0].Size++ }, "new list of files, line 2: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			m := publishSample(t, dir, "sample")
			before := read(t, filepath.Join(dir, "manifest"))
			p, err := Begin(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			test.change(m)
			if err := p.Commit(m); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error is\n%v\nwant\n%s...", err, test.want)
			}
			if after := read(t, filepath.Join(dir, "manifest")); string(after) != string(before) {
				t.Errorf("the manifest became\n%s", after)
			}
		})
	}
}

func TestCommitEndsThePublication(t *testing.T) {
	p, err := Begin(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &Manifest{Origin: "test", Created: start}
	if err := p.Commit(m); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if err := p.Commit(m); err == nil || !strings.Contains(err.Error(), "these objects are closed") {
		t.Errorf("second Commit: error is %v", err)
	}
}

func TestBeginRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	overwrite(t, file, nil)
	broken := t.TempDir()
	overwrite(t, filepath.Join(broken, "manifest"), []byte("lancre store 3\n"))
	// With its list of files gone, a store is not taken for a new one.
	partial := t.TempDir()
	os.Remove(ObjectPath(partial, publishSample(t, partial, "sample").List.SHA256))
	for dir, want := range map[string]string{
		partial: "manifest line 12: open ",
		filepath.Join(t.TempDir(), "no", "store"): "no such file or directory",
		file:   "not a directory",
		broken: `manifest: line 1: format version "3"`,
	} {
		_, err := Begin(dir)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Begin(%s): error is %v, want %q in it", dir, err, want)
		}
	}
	if _, err := Begin(broken); !strings.Contains(err.Error(), "format version") {
		t.Errorf("the refused Begin left the store locked: %v", err)
	}
}

func TestObjectThatIsThereAlready(t *testing.T) {
	tests := []struct {
		name  string
		there []byte
		stays bool
	}{
		{"sound", []byte("content"), true},
		{"cut", []byte("conten"), false},
		{"changed", []byte("c0ntent"), false},
		{"grown", []byte("content\n"), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			p, err := Begin(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			sum, _, _ := digest(strings.NewReader("content"))
			path := ObjectPath(dir, sum)
			overwrite(t, path, test.there)
			before, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			got, size, err := p.AddObject(strings.NewReader("content"))
			if err != nil || got != sum || size != 7 {
				t.Fatalf("AddObject gives %s, %d, %v", got, size, err)
			}
			if err := p.Commit(&Manifest{Origin: "test", Created: start, Files: []FileLine{
				{Host: "_", Path: "/a", ContentType: "text/plain", Size: size, SHA256: sum, LastModified: start},
			}}); err != nil {
				t.Fatal(err)
			}
			after, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if os.SameFile(before, after) != test.stays || string(read(t, path)) != "content" {
				t.Errorf("the file stays: %v, want %v; content is %q", os.SameFile(before, after), test.stays, read(t, path))
			}
			if names := objectsIn(t, dir); len(names) != 2 { // and the list of files
				t.Errorf("temporary files left: %v", names)
			}
		})
	}
}

// What is given up, or refused, leaves no object behind that copying would ship.
func TestObjectsGoWithoutAManifest(t *testing.T) {
	dir := t.TempDir()
	old := publishSample(t, dir, "old")
	for name, commit := range map[string]bool{"closed": false, "refused": true} {
		p, err := Begin(dir)
		if err != nil {
			t.Fatal(err)
		}
		line := addFile(t, p, "_", "/new", "new content, "+name)
		if commit {
			line.Size++
			if err := p.Commit(&Manifest{Origin: "test", Created: start, Files: []FileLine{line}}); err == nil {
				t.Error("a wrong size was published")
			}
		}
		p.Close()
		expectOnly(t, dir, old)
	}
}

// Nor does what fails between the objects and the manifest.
func TestObjectsGoWhereTheManifestCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	p, err := Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	line := addFile(t, p, "_", "/new", "new content")
	if err := os.Mkdir(filepath.Join(dir, "manifest"), 0o755); err != nil { // which no file can replace
		t.Fatal(err)
	}
	if err := p.Commit(&Manifest{Origin: "test", Created: start, Files: []FileLine{line}}); err == nil {
		t.Error("a directory was replaced")
	}
	p.Close()
	if names := objectsIn(t, dir); len(names) != 0 {
		t.Errorf("objects are %v, want none", names)
	}
}

// What the generation before names, and so was looked at when it came, is not
// looked at again: it is gone here, and nobody notices.
func TestCommitLooksAtNewObjectsOnly(t *testing.T) {
	dir := t.TempDir()
	old := publishSample(t, dir, "old")
	p, err := Begin(dir) // which reads the list of files
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for ref := range old.references {
		os.Remove(ObjectPath(dir, ref.sum))
	}
	m := &Manifest{Origin: "test", Created: start, Segments: old.Segments}
	m.Files = append(old.Files[:2:2], addFile(t, p, "_", "/new", "new"))
	if err := p.Commit(m); err != nil {
		t.Fatal(err)
	}
}

// Each manifest names, by its digest, the one that it replaced.
func TestParents(t *testing.T) {
	dir := t.TempDir()
	parent := ""
	for _, label := range []string{"a", "b", "c"} {
		m := publishSample(t, dir, label)
		digest := fmt.Sprintf("%x", sha256.Sum256(read(t, filepath.Join(dir, "manifest"))))
		if m.Parent != parent || m.Digest() != digest {
			t.Errorf("generation %d has parent %q, digest %s; want %q, %s", m.Generation, m.Parent, m.Digest(), parent, digest)
		}
		parent = digest
	}
}

// A line keeps the time at which it came into the stack.
func TestCommitDatesNewLines(t *testing.T) {
	dir := t.TempDir()
	first := publishSample(t, dir, "first")
	p, err := Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	m := &Manifest{Origin: "test", Created: start.Add(time.Hour)}
	m.Segments = append(addLines(t, p, []testLine{{RoleDelta, index.Everything, responses(t, 9, 1, 0)}}), first.Segments...)
	if err := p.Commit(m); err != nil {
		t.Fatal(err)
	}
	if above, below := m.Segments[0].Created, m.Segments[1].Created; !above.Equal(m.Created) || !below.Equal(start) {
		t.Errorf("lines came at %s and %s, want %s and %s", above, below, m.Created, start)
	}
}

// A generation in the making answers before anybody else can see it, also from what
// it shares with the one before.
func TestOpenInTheMaking(t *testing.T) {
	dir := t.TempDir()
	publishSample(t, dir, "old")
	old := open(t, dir)
	p, err := Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	revoked, stays := tombstone(t, 2, 1), response(t, 1, 0)
	m := &Manifest{Origin: "test", Created: start}
	m.Segments = append(addLines(t, p, []testLine{{RoleDelta, index.Everything, []record{revoked}}}), old.Manifest().Segments...)
	m.Files = []FileLine{addFile(t, p, "_", "/new", "new")}
	g, err := p.Open(m, old)
	if err != nil {
		t.Fatal(err)
	}
	if answer(t, g, &revoked.id) != "tombstone" || answer(t, g, &stays.id) == "" || string(g.Files()[0].Body) != "new" {
		t.Error("the generation in the making answers otherwise than it will")
	}
	if g.Segments()[1] != old.Segments()[0] {
		t.Error("the base is not shared")
	}
	if now := open(t, dir).Manifest(); now.Generation != 1 || len(now.Segments) != 1 {
		t.Errorf("the store is at generation %d, %d segments, before Commit", now.Generation, len(now.Segments))
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Commit(m); err != nil {
		t.Fatal(err)
	}
	if answer(t, open(t, dir), &revoked.id) != "tombstone" {
		t.Error("the new generation does not answer what it did in the making")
	}
}

func TestOpenInTheMakingRefuses(t *testing.T) {
	p, err := Begin(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	m := &Manifest{Files: []FileLine{addFile(t, p, "_", "/new", "new")}}
	m.Files[0].SHA256 = sumA
	if _, err := p.Open(m, nil); err == nil || !strings.HasPrefix(err.Error(), "list of files, line 2: open "+ObjectPath(p.dir, sumA)) {
		t.Errorf("error is %v, want that of an object that was not added", err)
	}
}

func TestAddObjectReportsTheReader(t *testing.T) {
	dir := t.TempDir()
	p, err := Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.AddObject(iotest.TimeoutReader(strings.NewReader("content"))); err != iotest.ErrTimeout {
		t.Errorf("error is %v, want that of the reader", err)
	}
	p.Close()
	if names := objectsIn(t, dir); len(names) != 0 {
		t.Errorf("left in objects: %v", names)
	}
}

// TestCrash stops a publication after each of its steps as the end of the process
// would: nothing is cleaned up, the lock is gone.
func TestCrash(t *testing.T) {
	var added FileLine
	steps := []struct {
		name string
		do   func(t *testing.T, p *Publication)
	}{
		{"begun", func(*testing.T, *Publication) {}},
		{"object half written", func(t *testing.T, p *Publication) {
			overwrite(t, filepath.Join(p.TempDir(), "1"), []byte("new"))
		}},
		{"object added", func(t *testing.T, p *Publication) {
			added = addFile(t, p, "_", "/new", "new content")
		}},
		{"manifest half written", func(t *testing.T, p *Publication) {
			overwrite(t, filepath.Join(p.dir, tempPrefix+"1"), sampleManifest().Encode()[:100])
		}},
		{"manifest written", func(t *testing.T, p *Publication) {
			m := &Manifest{Origin: "test", Generation: 2, Created: start}
			m.SetFiles([]FileLine{added})
			overwrite(t, filepath.Join(p.dir, tempPrefix+"1"), m.Encode())
		}},
	}
	for n, last := range steps {
		t.Run(last.name, func(t *testing.T) {
			dir := t.TempDir()
			old := publishSample(t, dir, "old")
			p, err := Begin(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range steps[:n+1] {
				step.do(t, p)
			}
			p.lock.Close()
			p.claim.Close()

			if got := string(open(t, dir).Files()[0].Body); got != "old a" {
				t.Errorf("file is %q, want that of the old generation", got)
			}
			if err := Verify(dir, nil, func(f *Fault) { t.Error(f) }); err != nil {
				t.Error(err)
			}
			if _, err := GC(dir, Keep{}, start.Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			expectOnly(t, dir, old)
			if m := publishSample(t, dir, "new"); m.Generation != 2 {
				t.Errorf("the next publication is generation %d, want 2", m.Generation)
			}
		})
	}
}

// expectOnly checks that dir holds the manifest and the objects of m, and no more.
func expectOnly(t *testing.T, dir string, m *Manifest) {
	t.Helper()
	want := make(map[string]bool)
	for ref := range m.references {
		want[ref.sum] = true
	}
	if got := objectsIn(t, dir); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("objects are %v, want %v", got, want)
	}
	entries, err := os.ReadDir(dir)
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == historyName })
	if err != nil || len(entries) != 2 {
		t.Errorf("the store has %v, %v; want manifest, objects and perhaps a history", entries, err)
	}
}
