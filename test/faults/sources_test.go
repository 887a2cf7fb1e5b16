package faults

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lancre/index/store"
)

// TestCachesDisagree has an edge come to either of two caches, of which one is a
// generation behind in everything. It takes what is new from the other, and never goes
// back.
func TestCachesDisagree(t *testing.T) {
	f := newFeed(t, 20)
	p, d := f.serve(t)
	l := newLoad(f.origin, d.addr).start()
	times := size(3, 20)
	for range times {
		before := filepath.Join(t.TempDir(), "store")
		copyStore(t, f.store, before)
		f.play(func(w http.ResponseWriter, r *http.Request) bool {
			if rand.N(2) == 0 {
				return false
			}
			http.FileServer(http.Dir(before)).ServeHTTP(w, r)
			return true
		})
		behind := p.metric("lancred_pull_behind_total", "")
		f.follow(t, d)
		await(t, "an answer that is behind", func() bool { return p.metric("lancred_pull_behind_total", "") > behind })
		l.awaitRequests(t, 20)
	}
	f.play(nil)
	r := l.finish(t, "two caches disagree, either of which answers: one is a generation behind", times)
	r.lost = lostGenerations(t, p.store, f.number(t), f.number(t))
	r.note = "`lancred_pull_behind_total`; no edge goes back"
	record(t, r)
	p.stop()
	d.stop()
}

// TestPullFromSlow has the first of two sources send an octet a second: of the manifest to
// one edge, of objects to another. Both take the generation from the second source, when
// the first has had its time.
func TestPullFromSlow(t *testing.T) {
	t.Parallel() // it waits for half a minute
	f := newFeed(t, 20)
	honest := httptest.NewServer(http.FileServer(http.Dir(f.store)))
	t.Cleanup(honest.Close)
	type pair struct{ puller, server *daemon }
	var edges []pair
	for _, name := range []string{"manifest", "objects"} {
		slow := httptest.NewServer(&trickler{f.store, name})
		t.Cleanup(func() { slow.CloseClientConnections(); slow.Close() })
		edge := edgeDir(t)
		e := pair{f.pullFrom(t, slow.URL, edge, "--from", honest.URL), serve(t, edge, "--trust", f.trust)}
		edges = append(edges, e)
	}
	generation := f.publish(t)
	for _, e := range edges {
		e.puller.start()
	}
	lost := 0
	for _, e := range edges {
		e.server.awaitGeneration(t, generation)
		lost += lostGenerations(t, e.puller.store, generation, generation)
		e.puller.stop()
		e.server.stop()
	}
	record(t, row{fault: "a source sends its manifest, or its objects, an octet a second", times: len(edges), lost: lost, note: "after 30 s the next source is asked"})
}

// A trickler serves a store, and sends what has this name, or lies below it, an octet a
// second.
type trickler struct{ store, slow string }

// ServeHTTP implements http.Handler.
func (s *trickler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/"+s.slow && filepath.Dir(r.URL.Path) != "/"+s.slow {
		http.FileServer(http.Dir(s.store)).ServeHTTP(w, r)
		return
	}
	content, err := os.ReadFile(filepath.Join(s.store, r.URL.Path))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	for i := range content {
		if _, err := w.Write(content[i : i+1]); err != nil {
			return
		}
		http.NewResponseController(w).Flush() // an error shows at the next octet
		select {
		case <-r.Context().Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// TestPullExpired has an edge that has nothing be offered last week's bucket, whose
// generation has expired. It takes none of it, and the next generation.
func TestPullExpired(t *testing.T) {
	f := newFeed(t, 20)
	f.publish(t)
	f.play(f.rewrite(t, func(m *store.Manifest) { m.Expires = time.Now().Add(-time.Hour) }))
	edge := edgeDir(t)
	p := f.pull(t, edge)
	p.start()
	await(t, "a manifest that is refused", func() bool { return p.metric("lancred_pull_refused_total", `reason="expired"`) > 0 })
	if _, err := store.ReadManifest(edge); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the edge has a generation: %v", err)
	}
	f.play(nil)
	generation := f.publish(t)
	await(t, "the next generation", func() bool { m, err := store.ReadManifest(edge); return err == nil && m.Generation == generation })
	record(t, row{fault: "an edge that has nothing is offered what has expired", times: 1, lost: lostGenerations(t, edge, generation, generation),
		note: "refused; what is current is taken"})
	p.stop()
}

// ignorant stores what a precondition is to keep from being stored.
func (b bucket) ignorant(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	if r.Header.Get("If-Match") == "" && r.Header.Get("If-None-Match") == "" || r.Method != http.MethodPut {
		forward.ServeHTTP(w, r)
		return
	}
	content, err := io.ReadAll(r.Body)
	if err == nil {
		err = os.WriteFile(filepath.Join(filepath.Dir(b.Dir), r.URL.Path), content, 0o644)
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("ETag", `"1"`)
}

// TestIgnorantStorage publishes to a storage that takes If-Match and ignores it. Nothing is
// published there, and what was there stays.
func TestIgnorantStorage(t *testing.T) {
	o, b := newOrigin(t, 20), newBucket(t)
	o.publish(t)
	run(t, b.publish(t, o))
	before := published(t, b.Dir)
	o.publish(t)
	b.Break(b.ignorant)
	refused(t, b.publish(t, o), "although If-Match or If-None-Match forbid it")
	lost := b.lost(t, before, before)
	b.Break(nil)
	run(t, b.publish(t, o))
	record(t, row{fault: "the storage ignores If-Match", times: 1, lost: lost + b.lost(t, published(t, o.store), published(t, o.store)),
		note: "nothing is published there"})
}
