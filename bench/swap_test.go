package bench

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
	"lancre/server"
)

// BenchmarkSwap is a reload of lancred's: of a generation that differs from the one
// being served, which holds the whole corpus, by a segment of one revocation and a
// CRL. With LANCRE_BENCH_RECORDS=10000000 it is a store of 10 M.
func BenchmarkSwap(b *testing.B) {
	dir := linkStore(b, unsigned().store)
	cfg := server.DefaultConfig()
	cfg.Store = dir
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := server.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	base, err := store.ReadManifest(dir)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		publishRevocation(b, dir, base, i)
		b.StartTimer()
		if result, err := s.Reload(); err != nil || result != server.Swapped {
			b.Fatalf("reload: %s, %v", result, err)
		}
	}
}

// linkStore makes a store with the objects of another.
func linkStore(b *testing.B, from string) (dir string) {
	b.Helper()
	dir = filepath.Join(b.TempDir(), "store")
	if err := os.MkdirAll(filepath.Join(dir, "objects"), 0o755); err != nil {
		b.Fatal(err)
	}
	objects, err := filepath.Glob(filepath.Join(from, "objects", "*"))
	if err != nil {
		b.Fatal(err)
	}
	for _, object := range objects {
		if err := os.Link(object, filepath.Join(dir, "objects", filepath.Base(object))); err != nil {
			b.Fatal(err)
		}
	}
	manifest, err := os.ReadFile(filepath.Join(from, "manifest"))
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest"), manifest, 0o644); err != nil {
		b.Fatal(err)
	}
	return dir
}

// publishRevocation puts a segment that revokes certificate n above base, and a CRL
// beside it.
func publishRevocation(b *testing.B, dir string, base *store.Manifest, n int) {
	b.Helper()
	p, err := store.Begin(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	line := revocation(b, p, uint64(n)%unsigned().N)
	m := &store.Manifest{Origin: base.Origin, Created: time.Now(), Segments: append([]store.SegmentLine{line}, base.Segments...)}
	crl := store.FileLine{Host: demo.CRLHost, Path: "/1.crl", ContentType: store.TypeCRL, LastModified: m.Created, Expires: m.Created.Add(time.Hour)}
	if crl.SHA256, crl.Size, err = p.AddObject(bytes.NewReader(fmt.Appendf(nil, "%70000d", n))); err != nil {
		b.Fatal(err)
	}
	m.Files = []store.FileLine{crl}
	if err := p.Commit(m); err != nil {
		b.Fatal(err)
	}
}

// revocation adds the segment with the response that certificate n is revoked.
func revocation(b *testing.B, p *store.Publication, n uint64) store.SegmentLine {
	b.Helper()
	ca := unsigned().CA
	revoked := ca.Certificate(n)
	revoked.Status, revoked.RevokedAt = index.Revoked, ca.ThisUpdate
	der, err := ca.Sign(revoked, index.SHA1)
	if err != nil {
		b.Fatal(err)
	}
	var r index.Response
	var e index.Entry
	if err := r.Parse(der); err != nil {
		b.Fatal(err)
	}
	if err := e.Set(&r); err != nil {
		b.Fatal(err)
	}
	w, err := index.NewWriter(p.TempDir(), index.Everything)
	if err != nil {
		b.Fatal(err)
	}
	if err := w.Add(&e); err != nil {
		b.Fatal(err)
	}
	path, stats, err := w.Finish()
	if err != nil {
		b.Fatal(err)
	}
	line, err := p.AddSegment(path, store.RoleDelta, index.Everything, stats.Info)
	if err != nil {
		b.Fatal(err)
	}
	return line
}
