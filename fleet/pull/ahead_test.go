package pull

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index/store"
)

// announce has the origin say that content is coming, and have it.
func (o *origin) announce(content []byte) store.Object {
	sum := sha256.Sum256(content)
	object := store.Object{Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
	check(o.t, os.WriteFile(store.ObjectPath(o.dir, object.SHA256), content, 0o644))
	o.rewrite(func(m *store.Manifest) { m.Generation++; m.Coming = []store.Object{object} })
	return object
}

// What is coming is fetched beside the polls, and is there when it is needed.
func TestComing(t *testing.T) {
	o := newOrigin(t)
	o.publish("page")
	object := o.announce(bytes.Repeat([]byte("coming"), 100))
	e := newEdge(t, o)
	e.poll()
	<-e.ahead.done
	if got := read(t, store.ObjectPath(e.cfg.Store, object.SHA256)); int64(len(got)) != object.Size {
		t.Errorf("%d octets came, want %d", len(got), object.Size)
	}
	check(t, e.prune(0, nil))
	o.requests()
	e.poll()
	if got := o.requests(); !slices.Equal(got, []string{"manifest"}) {
		t.Errorf("asked for %q, want the manifest", got)
	}
}

// It is fetched slowly, and in nobody's way: what is needed meanwhile is fetched at once,
// beside it.
func TestComingIsSlow(t *testing.T) {
	o := newOrigin(t)
	m := o.publish("page")
	object := o.announce(make([]byte, 1<<20))
	e := newEdge(t, o)
	e.cfg.MaxBandwidth = 1 << 19
	e = e.restart()
	began := time.Now()
	e.poll()
	e.wants(m.Generation + 1)
	part := filepath.Join(e.cfg.Store, "objects", ".tmp-incoming", object.SHA256)
	await(t, "a part of what is coming", func() bool {
		info, err := os.Stat(part)
		return err == nil && info.Size() > 0
	})
	o.meddleWith(nil)
	o.publish("another") // which does not name it any more
	m = o.publish("a third")
	coming := o.manifest()
	o.meddleWith(func(w http.ResponseWriter, r *http.Request) bool {
		if filepath.Base(r.URL.Path) != "manifest" {
			return false
		}
		m, err := store.ParseManifest(coming)
		if err != nil {
			t.Error(err)
		}
		m.Coming = []store.Object{object}
		w.Write(o.sign(m.Encode()))
		return true
	})
	o.requests()
	e.poll()
	e.wants(m.Generation)
	<-e.ahead.done
	if took := time.Since(began); took < time.Second {
		t.Errorf("2 s worth of octets took %v", took)
	}
	if slices.ContainsFunc(o.requests(), func(r string) bool { return strings.HasPrefix(r, "objects/"+object.SHA256) }) {
		t.Error("what is coming already is asked for again")
	}
	if got := read(t, store.ObjectPath(e.cfg.Store, object.SHA256)); int64(len(got)) != object.Size {
		t.Errorf("%d octets came, want %d", len(got), object.Size)
	}
}

// await looks until done, and fails the test if that takes a minute.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
