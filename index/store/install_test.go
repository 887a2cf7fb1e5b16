package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// copyObjects adds to o what m names and from has.
func copyObjects(t *testing.T, o *Objects, from string, m *Manifest) {
	t.Helper()
	for ref := range m.references {
		f, err := os.Open(ObjectPath(from, ref.sum))
		if err != nil {
			t.Fatal(err)
		}
		if sum, _, err := o.AddObject(f); err != nil || sum != ref.sum {
			t.Fatalf("%s became %s, %v", ref.sum, sum, err)
		}
		f.Close()
	}
}

// install makes what the store from has that of the store dir.
func install(t *testing.T, dir, from string) (*Manifest, error) {
	t.Helper()
	text := read(t, filepath.Join(from, "manifest"))
	m, err := ReadManifest(from)
	if err != nil {
		t.Fatal(err)
	}
	o, err := OpenObjects(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	copyObjects(t, o, from, m)
	return o.Install(text)
}

// A manifest that was made elsewhere is installed as it came: with its number,
// which need not be the next one here.
func TestInstall(t *testing.T) {
	origin, edge := t.TempDir(), filepath.Join(t.TempDir(), "edge")
	for _, label := range []string{"a", "b", "c"} {
		publishSample(t, origin, label)
	}
	for range 2 { // again is no fault
		m, err := install(t, edge, origin)
		if err != nil || m.Generation != 3 {
			t.Fatalf("installed %+v, %v; want generation 3", m, err)
		}
		expectOnly(t, edge, m)
	}
	if got, want := read(t, filepath.Join(edge, "manifest")), read(t, filepath.Join(origin, "manifest")); !bytes.Equal(got, want) {
		t.Errorf("the manifest became\n%s\nwant\n%s", got, want)
	}
	if err := Verify(edge, nil, func(f *Fault) { t.Error(f) }); err != nil {
		t.Error(err)
	}
}

// An older one, too: whether it may is for the caller to judge.
func TestInstallAnOlderOne(t *testing.T) {
	older, newer, edge := t.TempDir(), t.TempDir(), t.TempDir()
	publishSample(t, older, "older")
	publishSample(t, newer, "newer")
	publishSample(t, newer, "newer still")
	for _, from := range []string{newer, older} {
		if _, err := install(t, edge, from); err != nil {
			t.Fatal(err)
		}
	}
	if g := open(t, edge); g.Manifest().Generation != 1 || string(g.Files()[0].Body) != "older a" {
		t.Errorf("generation %d is open, with %q", g.Manifest().Generation, g.Files()[0].Body)
	}
}

func TestInstallRefuses(t *testing.T) {
	origin := t.TempDir()
	m := publishSample(t, origin, "new")
	text := m.Encode()
	for name, test := range map[string]struct {
		text []byte
		want string
	}{
		"a text that was cut":          {text[:len(text)-1], "manifest to install: the last line is not "},
		"a list that did not come":     {text, "manifest to install: manifest line 12: open "},
		"what is no manifest":          {[]byte("hello\n"), "manifest to install: line 1: "},
		"a manifest too long to read":  {tooLong(t), "new manifest has "},
		"one of a version to come yet": {[]byte("lancre store 9\n"), "manifest to install: line 1: format version"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			old := publishSample(t, dir, "old")
			o, err := OpenObjects(dir)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.Install(test.text); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error is\n%v\nwant\n%s...", err, test.want)
			}
			o.Close()
			expectOnly(t, dir, old)
			if got := open(t, dir).Manifest().Encode(); !bytes.Equal(got, old.Encode()) {
				t.Errorf("the manifest became\n%s", got)
			}
		})
	}
}

// A list of files that came names what did not.
func TestInstallRefusesAMissingFile(t *testing.T) {
	origin, edge := t.TempDir(), t.TempDir()
	m := publishSample(t, origin, "new")
	o, err := OpenObjects(edge)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for _, sum := range []string{m.Segments[0].SHA256, m.List.SHA256} {
		if _, _, err := o.AddObject(bytes.NewReader(read(t, ObjectPath(origin, sum)))); err != nil {
			t.Fatal(err)
		}
	}
	want := "new list of files, line 2: open " + ObjectPath(edge, m.Files[0].SHA256) + ": no such file"
	if _, err := o.Install(m.Encode()); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error is\n%v\nwant\n%s...", err, want)
	}
}

// tooLong is a manifest of more octets than are read.
func tooLong(t *testing.T) []byte {
	t.Helper()
	return (&Manifest{Origin: strings.Repeat("x", MaxManifestSize), Generation: 1, Created: start}).Encode()
}

// A store whose manifest is damaged is mended by what is installed.
func TestInstallOverADamagedManifest(t *testing.T) {
	origin, edge := t.TempDir(), t.TempDir()
	publishSample(t, origin, "new")
	publishSample(t, edge, "old")
	flip(t, filepath.Join(edge, "manifest"))
	if _, err := install(t, edge, origin); err != nil {
		t.Fatal(err)
	}
	if got := string(open(t, edge).Files()[0].Body); got != "new a" {
		t.Errorf("file is %q, want %q", got, "new a")
	}
}
