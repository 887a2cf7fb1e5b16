package server

import (
	"crypto"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lancre/index"
	"lancre/index/store"
)

// records are the records of all segments of g.
func records(g *store.Generation) iter.Seq[index.Record] {
	return func(yield func(index.Record) bool) {
		for _, seg := range g.Segments() {
			seg.Records(yield)
		}
	}
}

// A segment truncated in place, which no one should do, costs the requests that
// need it, not the process.
func TestTruncatedSegment(t *testing.T) {
	e := newEdge(t, files()).serve(t)
	truncate(t, e)
	request := ask("05", crypto.SHA1)
	for range 3 {
		e.post(t, request).is(t, 503, ocspTryLater)
		e.get(t, target(request)).is(t, 503, ocspTryLater)
	}
	e.getAt(t, "c.example", "/1.crl").is(t, 200, []byte("crl one")) // on the heap
	if e.notReady() == "" {
		t.Error("ready without being able to answer")
	}
	if n := e.metrics.faults.Load(); n != 7 {
		t.Errorf("%d faults were counted, want 7", n)
	}
	if log := e.log.String(); strings.Count(log, "a mapped page could not be read") != 3 { // the 1st, 2nd and 4th
		t.Errorf("log: %s", log)
	}
}

func truncate(t testing.TB, e *edge) {
	t.Helper()
	object := filepath.Join(e.dir, "objects", e.current.Load().store.Manifest().Segments[0].SHA256)
	if err := os.Chmod(object, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(object, 0); err != nil {
		t.Fatal(err)
	}
}

// A record that goes bad while it is served is not served.
func TestCorruptRecord(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05", "06")}}).serve(t)
	g := e.current.Load().store
	object := filepath.Join(e.dir, "objects", g.Manifest().Segments[0].SHA256)
	var at int64
	for rec := range records(g) {
		if rec.CertIDs(nil)[0].Serial[0] == 5 {
			at = rec.Offset() + int64(rec.Size()) - 1
		}
	}
	flipInPlace(t, object, at)
	e.post(t, ask("05", crypto.SHA1)).is(t, 500, ocspInternalError)
	e.post(t, ask("06", crypto.SHA1)).isServed(t, respondedFor(t, e, ask("06", crypto.SHA1)))
	if n := e.metrics.corrupt.Load(); n != 1 {
		t.Errorf("%d corrupt records were counted, want 1", n)
	}
}

func flipInPlace(t testing.TB, path string, at int64) {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}

// A fault of the program costs one request, too.
func TestPanic(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	e.reloadMu.Lock() // a reload must not see this
	defer e.reloadMu.Unlock()
	sound := e.current.Load()
	defer e.current.Store(sound)
	broken := *sound
	broken.store = nil
	e.current.Store(&broken)
	e.post(t, ask("05", crypto.SHA1)).is(t, 500, ocspInternalError)
	e.post(t, nil).is(t, 400, ocspMalformed)
	if !strings.Contains(e.log.String(), "panic") || e.metrics.panics.Load() != 1 {
		t.Errorf("the panic was not reported: %s", e.log)
	}
}
