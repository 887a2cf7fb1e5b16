// Package storetest makes stores for tests, of things that lancre build would
// refuse or does not make.
package storetest

import (
	"strings"
	"testing"
	"time"

	"lancre/index"
	"lancre/index/store"
)

// An Entry is an OCSP response, or the tombstone of what it is for.
type Entry struct {
	DER       []byte
	Tombstone bool
}

// A File is what a store publishes beside responses. Its digest and size are filled
// in.
type File struct {
	store.FileLine
	Body string
}

// Publish makes the next generation of the store dir. Segments are newest first: the
// last is the base, those above it are deltas.
func Publish(t testing.TB, dir string, created time.Time, segments [][]Entry, files []File) *store.Manifest {
	t.Helper()
	p, err := store.Begin(dir)
	check(t, err)
	defer p.Close()
	m := &store.Manifest{Origin: "test", Created: created}
	for i, entries := range segments {
		role := store.RoleDelta
		if i == len(segments)-1 {
			role = store.RoleBase
		}
		m.Segments = append(m.Segments, addSegment(t, p, role, entries))
	}
	for _, f := range files {
		f.SHA256, f.Size, err = p.AddObject(strings.NewReader(f.Body))
		check(t, err)
		m.Files = append(m.Files, f.FileLine)
	}
	count(t, p, m)
	check(t, p.Commit(m))
	return m
}

// count has m say what answers in it.
func count(t testing.TB, p *store.Publication, m *store.Manifest) {
	t.Helper()
	g, err := p.Open(m, nil)
	check(t, err)
	defer g.Close()
	c, err := g.Count()
	check(t, err)
	c.Fill(m)
}

func addSegment(t testing.TB, p *store.Publication, role string, entries []Entry) store.SegmentLine {
	t.Helper()
	w, err := index.NewWriter(p.TempDir(), index.Everything)
	check(t, err)
	for _, e := range entries {
		check(t, w.Add(e.parse(t)))
	}
	path, stats, err := w.Finish()
	check(t, err)
	line, err := p.AddSegment(path, role, index.Everything, stats.Info)
	check(t, err)
	return line
}

func (e Entry) parse(t testing.TB) *index.Entry {
	t.Helper()
	var r index.Response
	check(t, r.Parse(e.DER))
	parsed := new(index.Entry)
	if e.Tombstone {
		check(t, parsed.SetTombstone(&r.Singles[0].CertID, r.CertStatus(0)))
	} else {
		check(t, parsed.Set(&r))
	}
	return parsed
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
