package build

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lancre/index/store"
)

// filesOf are the files a=1 b=2: at the path /a, the object 1.
func filesOf(text string) (list []store.FileLine) {
	for _, word := range strings.Fields(text) {
		path, object, _ := strings.Cut(word, "=")
		list = append(list, store.FileLine{Host: "h", Path: "/" + path, SHA256: object})
	}
	return list
}

// What others have changed meanwhile stays; who is strict, and changes the same to something
// else, is to begin anew.
func TestMergeFiles(t *testing.T) {
	for _, test := range []struct {
		name, before, now, wanted string
		want, strict              string // "moved" where it is an error
	}{
		{"nothing changes", "a=1 b=1", "a=1 b=1", "a=1 b=1", "a=1 b=1", "a=1 b=1"},
		{"ours change", "a=1 b=1", "a=1 b=1", "a=2 c=2", "a=2 c=2", "a=2 c=2"},
		{"theirs change", "a=1 b=1", "a=3 c=3", "a=1 b=1", "a=3 c=3", "a=3 c=3"},
		{"both change other files", "a=1 b=1", "a=3 b=1", "a=1 b=2 c=2", "a=3 b=2 c=2", "a=3 b=2 c=2"},
		{"both change one", "a=1", "a=3", "a=2", "a=3", "moved"},
		{"both change one alike", "a=1", "a=3", "a=3", "a=3", "a=3"},
		{"both add one", "", "a=3", "a=2", "a=3", "moved"},
		{"both add one alike", "", "a=3", "a=3", "a=3", "a=3"},
		{"ours goes, theirs changes", "a=1", "a=3", "", "a=3", "moved"},
		{"ours changes, theirs goes", "a=1", "", "a=2", "", "moved"},
		{"both go", "a=1 b=1", "b=1", "b=1", "b=1", "b=1"},
		{"into a new store", "", "", "a=2", "a=2", "a=2"},
	} {
		for _, strict := range []bool{false, true} {
			list, err := mergeFiles(filesOf(test.before), filesOf(test.now), filesOf(test.wanted), strict)
			var words []string
			for _, f := range list {
				words = append(words, strings.TrimPrefix(f.Path, "/")+"="+f.SHA256)
			}
			slices.Sort(words)
			got, want := strings.Join(words, " "), test.want
			if strict {
				want = test.strict
			}
			if errors.Is(err, store.ErrMoved) {
				got = "moved"
			}
			if got != want || (err != nil) != (want == "moved") {
				t.Errorf("%s, strict %v: %s, %v; want %s", test.name, strict, got, fmt.Sprint(err), want)
			}
		}
	}
}

// A build that replaces everything is made again if another one came first.
func TestReplaceAllBesideOthers(t *testing.T) {
	for _, came := range []bool{false, true} {
		w := newWorld(t)
		w.done(w.build(nil, good, other))
		at := w.now
		replace := func(c *Config) {
			c.ReplaceAll = true
			c.Progress = func(Progress) {
				if came {
					came, w.now = false, at // another host began at the same time
					w.done(w.add(nil, third))
				}
			}
		}
		moved := came
		r, err := w.build(replace, later(good, 1), later(other, 1))
		if errors.Is(err, store.ErrMoved) != moved || (err == nil) == moved {
			t.Errorf("another came first, %v: generation %d, %v", moved, r.Generation, err)
		}
	}
}
