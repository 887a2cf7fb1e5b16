package pull

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index/store"
)

// An empty store becomes that of the origin, and then follows it: what has not changed is
// not fetched again.
func TestFollow(t *testing.T) {
	o := newOrigin(t)
	e := newEdge(t, o)
	e.poll()
	e.wants(0)
	o.publish("one", "two", "")
	o.requests()
	e.poll()
	e.has(o)
	if got := len(o.requests()); got != 6 { // manifest, list, segment, three files
		t.Errorf("%d requests, want 6", got)
	}
	e.poll()
	if got := o.requests(); !slices.Equal(got, []string{"manifest"}) {
		t.Errorf("with nothing new, the origin is asked for %q", got)
	}
	o.publish("one", "three", "")
	e.poll()
	e.has(o)
	if got := len(o.requests()); got != 5 { // manifest, list, two segments, a file
		t.Errorf("%d requests, want 5", got)
	}
	if got := e.metric("lancred_pull_polls_total", "installed"); got != 2 {
		t.Errorf("%v polls installed something, want 2", got)
	}
	e = e.restart()
	o.requests()
	e.poll()
	e.has(o)
	if got := o.requests(); !slices.Equal(got, []string{"manifest"}) {
		t.Errorf("after a restart, the origin is asked for %q", got)
	}
}

// What storage says of the encoding is of no interest, if the octets are right.
func TestContentEncoding(t *testing.T) {
	o := newOrigin(t)
	o.meddleWith(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Encoding", "aws-chunked")
		return false
	})
	o.publish("page")
	e := newEdge(t, o)
	e.poll()
	e.has(o)
}

// rewrite serves a manifest that change has made of the origin's.
func (o *origin) rewrite(change func(m *store.Manifest)) {
	o.meddleWith(func(w http.ResponseWriter, r *http.Request) bool {
		if filepath.Base(r.URL.Path) != "manifest" {
			return false
		}
		m, err := store.ParseManifest(o.manifest())
		if err != nil {
			o.t.Error(err)
		}
		change(m)
		w.Write(o.sign(m.Encode()))
		return true
	})
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(m *store.Manifest)
	}{
		{"origin", func(m *store.Manifest) { m.Generation++; m.Origin = "another" }},
		{"twice", func(m *store.Manifest) { m.Held = 7 }},
		{"ahead", func(m *store.Manifest) { m.Generation = uint64(time.Now().Add(25 * time.Hour).Unix()) }},
		{"size", func(m *store.Manifest) { m.Generation++; m.Segments[0].Size = 1 << 41 }},
	} {
		t.Run(test.reason, func(t *testing.T) {
			o := newOrigin(t)
			m := o.publish("page")
			e := newEdge(t, o)
			e.cfg.Trust = nil // which knows of one origin only
			e = e.restart()
			e.poll()
			e.wants(m.Generation)
			o.rewrite(test.change)
			e.poll()
			e.wants(m.Generation)
			if got := e.metric("lancred_pull_refused_total", test.reason); got != 1 {
				t.Errorf("refused %v times, want once\nlog: %s", got, &e.log)
			}
			if !strings.Contains(e.log.String(), `msg="a manifest is refused" source=`+o.url+" reason="+test.reason) {
				t.Errorf("log: %s", &e.log)
			}
			o.meddleWith(nil)
			m = o.publish("page")
			e.poll()
			e.wants(m.Generation)
		})
	}
}

// Nothing that another key signed, or none, or that was changed after, is taken or even
// parsed.
func TestForged(t *testing.T) {
	o := newOrigin(t)
	was := o.publish("page")
	e := newEdge(t, o)
	e.poll()
	m := o.publish("page")
	for _, test := range []struct {
		name string
		text []byte
	}{
		{"unsigned", m.Encode()},
		{"by a stranger", (&origin{t: t, key: strangersKey.signer}).sign(m.Encode())},
		{"of another name", (&origin{t: t, key: newKey("another").signer}).sign(m.Encode())},
		{"changed", bytes.Replace(o.manifest(), []byte("\nheld 0\n"), []byte("\nheld 1\n"), 1)},
		{"no manifest", o.sign([]byte("signed, but what is it?\n"))},
	} {
		before := e.metric("lancred_pull_refused_total", "forged")
		o.meddleWith(func(w http.ResponseWriter, r *http.Request) bool { w.Write(test.text); return true })
		e.poll()
		e.wants(was.Generation)
		if got := e.metric("lancred_pull_refused_total", "forged") - before; got != 1 {
			t.Errorf("%s: refused %v times, want once\nlog: %s", test.name, got, &e.log)
		}
	}
	o.meddleWith(nil)
	e.poll()
	e.wants(m.Generation)
}

// A key takes the place of another: sign with two, trust two, drop one, over restarts.
// Whoever stays behind with the old key goes no further, and keeps what it has.
func TestRotation(t *testing.T) {
	o := newOrigin(t)
	m := o.publish("one")
	e, late := newEdge(t, o), newEdge(t, o)
	e.poll()
	late.poll()
	e.cfg.Trust = trusting(t, firstKey, secondKey)
	e = e.restart()
	e.poll()
	e.wants(m.Generation)
	o.key = secondKey.signer
	m2 := o.publish("two")
	e.poll()
	e.wants(m2.Generation)
	e.cfg.Trust = trusting(t, secondKey)
	e = e.restart()
	e.poll()
	e.wants(m2.Generation)
	late = late.restart()
	late.poll()
	late.wants(m.Generation)

	// With the new key alone, what the old one signed is replaced by the same, signed anew,
	// but not by what is older.
	late.cfg.Trust = trusting(t, secondKey)
	late = late.restart()
	o.rewrite(func(m *store.Manifest) { m.Generation = 1 })
	late.poll()
	late.wants(m.Generation)
	o.meddleWith(nil)
	late.poll()
	late.has(o)
}

// What was copied here without a signature gets one.
func TestUnsignedStoreIsSigned(t *testing.T) {
	o := newOrigin(t)
	o.publish("one")
	e := newEdge(t, o)
	check(t, os.RemoveAll(e.cfg.Store))
	check(t, os.CopyFS(e.cfg.Store, os.DirFS(o.dir)))
	e = e.restart()
	e.poll()
	e.has(o)
}

// Files count as well, which only their list tells.
func TestRefusesTooLargeFiles(t *testing.T) {
	o := newOrigin(t)
	o.publish(strings.Repeat("x", 1<<20))
	cfg := newEdge(t, o).cfg
	cfg.Store, cfg.MaxSize = t.TempDir(), 1<<19
	e := startEdge(t, cfg)
	e.poll()
	e.wants(0)
	if got := e.metric("lancred_pull_refused_total", "size"); got != 1 {
		t.Errorf("refused %v times, want once\nlog: %s", got, &e.log)
	}
}

// An empty store takes no manifest that has expired, unless told so; one with a
// generation goes on to a newer one. What has expired is kept in any case.
func TestExpired(t *testing.T) {
	o := newOrigin(t)
	m := o.publish("page")
	o.rewrite(func(m *store.Manifest) { m.Expires = time.Now().Add(-time.Minute) })
	e := newEdge(t, o)
	e.poll()
	e.wants(0)
	if got := e.metric("lancred_pull_refused_total", "expired"); got != 1 {
		t.Errorf("refused %v times, want once\nlog: %s", got, &e.log)
	}
	cfg := e.cfg
	cfg.Store, cfg.AcceptExpired = t.TempDir(), true
	told := startEdge(t, cfg)
	told.poll()
	told.wants(m.Generation)

	o.meddleWith(nil)
	e.poll()
	e.wants(m.Generation)
	m = o.publish("another")
	o.rewrite(func(m *store.Manifest) { m.Expires = time.Now().Add(-time.Minute) })
	e.poll()
	e.wants(m.Generation)
	e = e.restart()
	e.poll()
	e.wants(m.Generation)
}

// A source that is behind takes nothing back, and has the others asked.
func TestBehind(t *testing.T) {
	o := newOrigin(t)
	behind := newOrigin(t)
	m := o.publish("one")
	check(t, os.CopyFS(behind.dir, os.DirFS(o.dir)))
	e := newEdge(t, behind, o)
	e.poll()
	e.wants(m.Generation)
	if got := len(o.requests()); got != 0 {
		t.Errorf("%d requests to the second source while the first is good", got)
	}
	m = o.publish("two")
	behind.meddleWith(func(w http.ResponseWriter, r *http.Request) bool {
		http.Error(w, "on holiday", http.StatusInternalServerError)
		return true
	})
	e.poll()
	e.wants(m.Generation)
	behind.meddleWith(nil)
	for range 2 {
		e.poll()
		e.wants(m.Generation)
	}
	for _, s := range e.sources { // as after a minute
		s.failed.Store(0)
	}
	e.poll()
	e.wants(m.Generation)
	if got := e.metric("lancred_pull_behind_total", ""); got != 1 {
		t.Errorf("behind %v times, want once", got)
	}
	m = o.publish("three")
	e.poll()
	e.wants(m.Generation)
}

// A manifest that has grown old may be that of a source that stands still.
func TestOldManifestHasAllAsked(t *testing.T) {
	old := newOrigin(t)
	m := old.publishAt(time.Now().Add(-4*time.Minute), "one")
	o := newOrigin(t)
	check(t, os.CopyFS(o.dir, os.DirFS(old.dir)))
	e := newEdge(t, old, o)
	e.poll()
	e.wants(m.Generation)
	m = o.publish("two")
	e.poll()
	e.wants(m.Generation)
}

func TestLag(t *testing.T) {
	o := newOrigin(t)
	e := newEdge(t, o)
	e.cfg.Lag = time.Hour
	e = e.restart()
	m := o.publish("one")
	e.poll()
	e.wants(0)
	latest := o.publish("two")
	e.poll()
	e.wants(0)
	e.waiting[0].since = time.Now().Add(-2 * time.Hour)
	e.poll()
	e.wants(m.Generation)
	e.waiting[0].since = time.Now().Add(-2 * time.Hour)
	o.meddleWith(func(w http.ResponseWriter, r *http.Request) bool { // nothing is wanted of it any more
		http.Error(w, "", http.StatusInternalServerError)
		return true
	})
	e.poll()
	e.wants(latest.Generation)
}

func TestOneAtATime(t *testing.T) {
	e := newEdge(t, newOrigin(t))
	_, err := New(e.cfg)
	if err == nil || !strings.Contains(err.Error(), "somebody fetches objects into it already (process ") {
		t.Errorf("a second Puller of one store: %v", err)
	}
}

// What no generation of interest has goes, what is on its way stays.
func TestPrune(t *testing.T) {
	o := newOrigin(t)
	e := newEdge(t, o)
	for _, page := range []string{"one", "two", "three", "four"} {
		o.publish(page)
		e.poll()
	}
	count := func() int {
		entries, err := os.ReadDir(filepath.Join(e.cfg.Store, "objects"))
		check(t, err)
		return len(entries)
	}
	before := count()
	e.pruned = time.Now().Add(-time.Hour)
	e.poll()
	e.has(o)
	if after := count(); after != 9 || before <= after { // of two generations four each; and the directory of what comes
		t.Errorf("%d objects, %d before", after, before)
	}
}
