package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lancre/index"
)

// Each generation that was replaced is in the history as it was published; what is not
// a generation's number is not.
func TestHistory(t *testing.T) {
	dir := t.TempDir()
	if list, err := History(dir); len(list) != 0 || err != nil {
		t.Errorf("before the first generation: %v, %v", list, err)
	}
	var texts [][]byte
	for n := range 11 {
		texts = append(texts, publishSample(t, dir, fmt.Sprint(n)).Encode())
	}
	for _, name := range []string{"007", "x", ".tmp-1", "-1", "18446744073709551616"} {
		overwrite(t, filepath.Join(dir, "history", name), []byte("mine"))
	}
	list, err := History(dir)
	if want := []uint64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}; err != nil || !slices.Equal(list, want) {
		t.Errorf("the history has %v, %v; want %v", list, err, want)
	}
	for n, text := range texts {
		m, err := ReadPast(dir, uint64(n+1))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.Encode(), text) || len(m.Files) != 2 {
			t.Errorf("generation %d is\n%s\nwant\n%s", n+1, m.Encode(), text)
		}
	}
}

// A past generation shares what is open with the current one.
func TestOpenPast(t *testing.T) {
	dir := t.TempDir()
	old := publishSample(t, dir, "old")
	publish(t, dir, func(p *Publication, m *Manifest) { m.Segments = old.Segments })
	current := open(t, dir)
	past, err := OpenPast(dir, 1, current)
	if err != nil {
		t.Fatal(err)
	}
	defer past.Close()
	if got := string(past.Files()[0].Body); got != "old a" {
		t.Errorf("file is %q, want %q", got, "old a")
	}
	if past.Segments()[0] != current.Segments()[0] {
		t.Error("the segment that both have is open twice")
	}
}

// The errors name the generation and its file, or the object that it lacks.
func TestPastThatIsNotThere(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, dir string, m *Manifest)
		want   string
		absent bool // the error is an fs.ErrNotExist
	}{
		{"gone", func(t *testing.T, dir string, m *Manifest) {
			if _, err := GC(dir, Keep{}, start); err != nil {
				t.Fatal(err)
			}
		}, "generation 1 is not in the history: no manifest: open DIR/history/1: no such file or directory; gc keeps the last ones", true},
		{"changed", func(t *testing.T, dir string, m *Manifest) {
			flip(t, filepath.Join(dir, "history/1"))
		}, "DIR/history/1: line 13: end ", false},
		{"without its list of files", func(t *testing.T, dir string, m *Manifest) {
			os.Remove(ObjectPath(dir, m.List.SHA256))
		}, "DIR: manifest line 12: open DIR/objects/LIST: no such file or directory", false},
		{"without its segment", func(t *testing.T, dir string, m *Manifest) {
			os.Remove(ObjectPath(dir, m.Segments[0].SHA256))
		}, "manifest line 11: open DIR/objects/SEGMENT: no such file or directory", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			m := publishSample(t, dir, "old")
			publish(t, dir, func(p *Publication, m *Manifest) {
				m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, responses(t, 7, 1, 0))}
			})
			want := inSample(dir, m).Replace(test.want)
			test.damage(t, dir, m)
			_, err := OpenPast(dir, 1, nil)
			if err == nil || !strings.HasPrefix(err.Error(), want) || errors.Is(err, fs.ErrNotExist) != test.absent {
				t.Errorf("error is\n%v\nwant\n%s...", err, want)
			}
		})
	}
}
