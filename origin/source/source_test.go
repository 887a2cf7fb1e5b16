package source

import (
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lancre/build/demo"
	"lancre/build/input"
	"lancre/build/rule"
	"lancre/index"
)

// A publisher publishes by writing down.
type publisher struct {
	sequence uint64
	batches  [][]string // names of the responses of each change
	trees    []map[string]string
	marks    []string
	refuse   func(at rule.Place, der []byte) bool // nil for nothing
	fail     error                                // of every change
}

func (p *publisher) Mark(value string) { p.marks = append(p.marks, value) }

func (p *publisher) Publish(_ context.Context, c Change) (o Outcome, err error) {
	if p.fail != nil {
		return o, p.fail
	}
	if c.Batch == nil {
		return p.publishTree(c)
	}
	seen := &seenSink{publisher: p, outcome: &o}
	if err := c.Batch.Play(seen); err != nil {
		return o, err
	}
	p.sequence++
	p.batches = append(p.batches, seen.names)
	o.Sequence = p.sequence
	return o, nil
}

// publishTree refuses the files that say so.
func (p *publisher) publishTree(c Change) (o Outcome, err error) {
	tree := make(map[string]string)
	err = filepath.WalkDir(c.Static, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || c.Except[path] {
			return err
		}
		text, err := os.ReadFile(path)
		if string(text) == "broken" {
			o.Refused = append(o.Refused, rule.Rejection{Place: rule.Whole(path)})
		}
		name, _ := filepath.Rel(c.Static, path)
		tree[name] = string(text)
		return err
	})
	if len(o.Refused) == 0 {
		p.trees = append(p.trees, tree)
	}
	return o, err
}

type seenSink struct {
	*publisher
	outcome *Outcome
	names   []string
}

func (s *seenSink) Response(at rule.Place, der []byte) error {
	if s.refuse != nil && s.refuse(at, der) {
		s.outcome.Refused = append(s.outcome.Refused, rule.Rejection{Place: at, Fault: rule.Fault{Check: "test", Reason: "refused"}})
		return nil
	}
	s.names = append(s.names, nameOf(der))
	return nil
}

func (s *seenSink) Reject(at rule.Place, why *rule.Finding) error {
	s.outcome.Refused = append(s.outcome.Refused, rule.Rejection{Place: at, Fault: rule.Fault{Check: why.Check.String(), Reason: why.Reason}})
	return nil
}

func nameOf(der []byte) string { return fmt.Sprintf("%x", sha256.Sum256(der)) }

// responses are n of a CA, as they are signed.
func responses(t testing.TB, n int) (list [][]byte) {
	t.Helper()
	ca, err := demo.New(demo.Options{})
	check(t, err)
	for i := range n {
		der, err := ca.Sign(ca.Certificate(uint64(i)), index.SHA1)
		check(t, err)
		list = append(list, der)
	}
	return list
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// written writes a file, below directories that are made.
func written(t testing.TB, path string, content ...[]byte) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, slices.Concat(content...), 0o644))
}

// moved writes a file under another name and renames it.
func moved(t testing.TB, path string, content ...[]byte) {
	t.Helper()
	temp := filepath.Join(filepath.Dir(path), ".in-the-making")
	written(t, temp, content...)
	check(t, os.Rename(temp, path))
}

// wants checks what was published: the names of responses, all in one change.
func (p *publisher) wants(t testing.TB, want ...[]byte) {
	t.Helper()
	var got, names []string
	for _, b := range p.batches {
		got = append(got, b...)
	}
	for _, der := range want {
		names = append(names, nameOf(der))
	}
	slices.Sort(got)
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("%d responses published %.8q, want %d %.8q", len(got), got, len(names), names)
	}
	p.batches = nil
}

// names are those of the files below a directory.
func names(t testing.TB, dir string) (list []string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(dir, path)
			list = append(list, name)
		}
		return err
	}))
	return list
}

func newSpool(t testing.TB) *Spool {
	t.Helper()
	s := &Spool{Dir: t.TempDir()}
	check(t, s.Prepare(""))
	t.Cleanup(s.Close)
	check(t, s.Rewind(Position{}))
	check(t, s.Read(context.Background(), new(publisher))) // from now on it watches
	return s
}

// has reports whether the watch was told that a file is complete.
func (w *watch) has(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.complete[path]
}

// told waits until the spool was told that a file is complete.
func (s *Spool) told(name string) {
	for !s.watch.has(s.path(name)) { // there are other changes
		<-s.changes
	}
}

func TestSpoolPublishesAndMoves(t *testing.T) {
	s, p, r := newSpool(t), new(publisher), responses(t, 4)
	moved(t, s.path("a.der"), r[0], r[1])
	moved(t, s.path("b.pem"), pem.EncodeToMemory(&pem.Block{Type: "OCSP RESPONSE", Bytes: r[2]}))
	s.told("b.pem")
	check(t, s.Read(context.Background(), p))
	if len(p.batches) != 1 {
		t.Errorf("%d changes, want small files in one", len(p.batches))
	}
	p.wants(t, r[0], r[1], r[2])
	if got, want := names(t, s.Dir), []string{"done/1-a.der", "done/1-b.pem"}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	check(t, s.Read(context.Background(), p))
	p.wants(t)
}

// A file is left alone while somebody writes it, and taken when it is closed.
func TestSpoolLeavesWhatGrows(t *testing.T) {
	s, p, r := newSpool(t), new(publisher), responses(t, 2)
	f, err := os.Create(s.path("a.der"))
	check(t, err)
	_, err = f.Write(r[0])
	check(t, err)
	long := t.Context()
	for _, at := range []func() error{
		func() error { return nil },
		func() error { return os.Chtimes(f.Name(), longAgo, longAgo) }, // a writer that pauses
	} {
		check(t, at())
		check(t, s.Read(long, p))
		p.wants(t)
	}
	_, err = f.Write(r[1])
	check(t, err)
	check(t, f.Close())
	s.told("a.der")
	check(t, s.Read(long, p))
	p.wants(t, r[0], r[1])
}

// What nobody was told of, such as all that came before the start, is taken when it has
// been as it is for a while.
func TestSpoolTakesWhatLiesThere(t *testing.T) {
	s, p, r := &Spool{Dir: t.TempDir()}, new(publisher), responses(t, 2)
	check(t, s.Prepare(""))
	t.Cleanup(s.Close)
	written(t, s.path("new"), r[0])
	written(t, s.path("old"), r[1])
	written(t, s.path("done/below"), r[1])
	written(t, s.path("other/below"), r[1])
	written(t, s.path(".hidden"), r[1])
	check(t, os.Chtimes(s.path("old"), longAgo, longAgo))
	future := longAgo.AddDate(100, 0, 0)
	check(t, os.Chtimes(s.path("new"), future.Add(-1), future)) // as by another clock
	check(t, s.Read(t.Context(), p))
	p.wants(t, r[0], r[1])
}

func TestSpoolSetsAsideWhatIsRefused(t *testing.T) {
	s, r := newSpool(t), responses(t, 3)
	p := &publisher{refuse: func(_ rule.Place, der []byte) bool { return nameOf(der) == nameOf(r[1]) }}
	moved(t, s.path("a.der"), r[0], r[1], r[2])
	moved(t, s.path("b.txt"), []byte("hello, world"))
	check(t, os.Symlink("a.der", s.path("c")))
	s.told("b.txt")
	check(t, s.Read(t.Context(), p))
	p.wants(t, r[0], r[2])
	if got, want := names(t, s.Dir), []string{"done/1-a.der", "rejected/a.der.pem", "rejected/b.txt", "rejected/b.txt.pem", "rejected/c", "rejected/c.pem"}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	text, err := os.ReadFile(s.path("rejected/a.der.pem"))
	check(t, err)
	if !strings.Contains(string(text), "a.der offset "+fmt.Sprint(len(r[0]))+": refused [test]") {
		t.Errorf("the reason is %.200q, want the place and the check", text)
	}
	// What is right after all is spooled again as it is.
	p.refuse = nil
	moved(t, s.path("again"), text)
	s.told("again")
	check(t, s.Read(t.Context(), p))
	p.wants(t, r[1])
}

// Nothing moves before it is published, and nothing half written stays.
func TestSpoolKeepsWhatCannotBePublished(t *testing.T) {
	s, r := newSpool(t), responses(t, 1)
	p := &publisher{fail: errors.New("the disk is full")}
	moved(t, s.path("a.der"), r[0])
	s.told("a.der")
	if err := s.Read(t.Context(), p); err != p.fail {
		t.Errorf("error %v, want %v", err, p.fail)
	}
	if got, want := names(t, s.Dir), []string{"a.der"}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	p.fail = nil
	check(t, os.Chtimes(s.path("a.der"), longAgo, longAgo))
	check(t, s.Read(t.Context(), p))
	p.wants(t, r[0])
}

// A large file is published in parts, moved when all of them are, and beside small ones.
func TestSpoolPublishesInParts(t *testing.T) {
	s, p, r := newSpool(t), new(publisher), responses(t, 2)
	list := slices.Repeat([][]byte{r[0], r[1]}, maxOctets/len(r[0]))
	moved(t, s.path("large.der"), list...)
	moved(t, s.path("small.der"), r[1])
	s.told("small.der")
	check(t, s.Read(t.Context(), p))
	p.wants(t, r[1])
	s.told("large.der")
	check(t, s.Large().Read(t.Context(), p))
	for _, b := range p.batches {
		if len(b) > maxBatch {
			t.Errorf("%d responses in one change, want at most %d", len(b), maxBatch)
		}
	}
	p.wants(t, list...)
	if got, want := names(t, s.Dir), []string{"done/1-small.der", fmt.Sprintf("done/%d-large.der", p.sequence)}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

// When the store goes back, what was done since comes back, under its name.
func TestSpoolComesBack(t *testing.T) {
	s, p, r := newSpool(t), new(publisher), responses(t, 3)
	for i := range r {
		moved(t, s.path("same"), r[i])
		s.told("same")
		check(t, s.Read(t.Context(), p))
	}
	p.wants(t, r...)
	check(t, s.Rewind(Position{Sequence: 1}))
	if got, want := names(t, s.Dir), []string{"3-same", "done/1-same", "same"}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	for _, name := range []string{"same", "3-same"} {
		check(t, os.Chtimes(s.path(name), longAgo, longAgo))
	}
	check(t, s.Read(t.Context(), p))
	p.wants(t, r[1], r[2])
}

func TestSpoolForgetsWhatIsDone(t *testing.T) {
	s, p, r := newSpool(t), new(publisher), responses(t, 1)
	moved(t, s.path("a"), r[0])
	s.told("a")
	check(t, s.Read(t.Context(), p))
	s.DoneFor = 1 // nanosecond
	check(t, s.Read(t.Context(), p))
	if got := names(t, s.Dir); len(got) > 0 {
		t.Errorf("files %q, want none", got)
	}
}

func TestCommand(t *testing.T) {
	r := responses(t, 2)
	dir := t.TempDir()
	written(t, filepath.Join(dir, "r.der"), r...)
	for _, tt := range []struct {
		script string
		want   [][]byte
		err    string
	}{
		{"cat r.der", r, ""},
		{"true", nil, ""},
		{"cat r.der; echo no key here >&2; exit 3", r, "sh: exit status 3: no key here"},
		{"exit 1", nil, "sh: exit status 1"},
	} {
		c, p := &Command{Run: []string{"sh", "-c", tt.script}}, new(publisher)
		check(t, c.Prepare(dir))
		err := c.Read(t.Context(), p)
		if fmt.Sprint(err) != tt.err && (err != nil || tt.err != "") {
			t.Errorf("%s: error %v, want %q", tt.script, err, tt.err)
		}
		p.wants(t, tt.want...)
	}
}

// A program ends with the round, and so does what it has started.
func TestCommandEndsInTime(t *testing.T) {
	c := &Command{Run: []string{"sh", "-c", "sleep 1000 & sleep 1000"}, Timeout: 1}
	check(t, c.Prepare(t.TempDir()))
	if err := c.Read(t.Context(), new(publisher)); err == nil {
		t.Error("no error")
	}
}

func TestStaticPassesOverWhatIsRefused(t *testing.T) {
	s, p := &Static{Dir: t.TempDir()}, new(publisher)
	check(t, s.Prepare(""))
	t.Cleanup(s.Close)
	file := func(name, content string) { moved(t, filepath.Join(s.Dir, "c.test", name), []byte(content)) }
	read := func(want ...map[string]string) {
		t.Helper()
		p.trees = nil
		if err := s.Read(t.Context(), p); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(p.trees) != fmt.Sprint(want) {
			t.Errorf("published %v, want %v", p.trees, want)
		}
	}
	file("1.crl", "one")
	file("2.crl", "broken")
	read(map[string]string{"c.test/1.crl": "one"})
	read() // nothing has changed
	file("1.crl", "more")
	<-s.changes
	read(map[string]string{"c.test/1.crl": "more"})
	file("2.crl", "mended")
	read(map[string]string{"c.test/1.crl": "more", "c.test/2.crl": "mended"})
	check(t, s.Rewind(Position{}))
	read(map[string]string{"c.test/1.crl": "more", "c.test/2.crl": "mended"})
	f, err := os.Create(filepath.Join(s.Dir, "c.test", "0.crl"))
	check(t, err)
	_, err = f.WriteString("brok")
	check(t, err)
	file("1.crl", "still more")
	read(map[string]string{"c.test/1.crl": "still more", "c.test/2.crl": "mended"})
	_, err = f.WriteString("erage")
	check(t, err)
	check(t, f.Close())
	read(map[string]string{"c.test/0.crl": "brokerage", "c.test/1.crl": "still more", "c.test/2.crl": "mended"})
	check(t, os.Remove(f.Name()))
	file("1.crl", "more")
	read(map[string]string{"c.test/1.crl": "more", "c.test/2.crl": "mended"})
	p.fail = errors.New("the disk is full")
	file("3.crl", "three")
	if err := s.Read(t.Context(), p); err != p.fail {
		t.Errorf("error %v, want %v", err, p.fail)
	}
	p.fail = nil
	read(map[string]string{"c.test/1.crl": "more", "c.test/2.crl": "mended", "c.test/3.crl": "three"})
}

// A batch holds what was read, and plays it again.
func TestPublishingKeepsOrder(t *testing.T) {
	p := &publishing{ctx: t.Context(), to: new(publisher), batch: new(input.Batch)}
	r := responses(t, 3)
	for _, der := range r {
		check(t, p.Response(rule.Place{Source: nameOf(der)}, der))
	}
	check(t, p.flush())
	got := p.to.(*publisher).batches[0]
	if !slices.Equal(got, []string{nameOf(r[0]), nameOf(r[1]), nameOf(r[2])}) {
		t.Errorf("published %q in another order", got)
	}
}
