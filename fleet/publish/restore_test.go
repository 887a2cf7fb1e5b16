package publish

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lancre/index/store"
)

// restore makes a store of what source has.
func restore(t *testing.T, source Source, change ...func(*Restoration)) (*originStore, *store.Manifest, error) {
	t.Helper()
	o := newOrigin(t)
	o.created = time.Now() // after all that was published
	r := Restoration{From: source, Store: o.dir, Timeout: 10 * time.Second}
	for _, f := range change {
		f(&r)
	}
	m, err := Restore(t.Context(), r)
	return o, m, err
}

// keyPair makes a key of the origin of tests.
func keyPair(t *testing.T) (*store.Keys, *store.Trust) {
	t.Helper()
	pair, err := store.GenerateKey("origin.example.org", t.TempDir())
	check(t, err)
	keys, err := store.ReadKeys(pair.Private)
	check(t, err)
	trust, err := store.ReadTrust(pair.Public)
	check(t, err)
	return keys, trust
}

// An origin that lost its store goes on with one made of the bucket: with its numbers
// and its history.
func TestRestore(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		keys, trust := keyPair(t)
		lost := newOrigin(t)
		lost.signing.Keys = keys
		lost.add("one")
		m := lost.add("two")
		lost.mustPublish(at.bucket)
		source, err := OpenSource(at.to)
		check(t, err)
		o, got, err := restore(t, source, func(r *Restoration) { r.Trust = trust })
		check(t, err)
		if got.Digest() != m.Digest() {
			t.Errorf("restored %+v, want generation %d", got, m.Generation)
		}
		check(t, store.Verify(o.dir, trust, func(f *store.Fault) { t.Error(f) }))
		o.signing.Keys = keys
		next := o.add("three")
		if next.Generation <= m.Generation || next.Parent != m.Digest() {
			t.Errorf("the next is %d after %s, want one after %d, %s", next.Generation, next.Parent, m.Generation, m.Digest())
		}
		o.mustPublish(at.bucket, func(c *Config) { c.Trust = trust })
		at.whole(t, next)
		_, _, err = restore(t, source, func(r *Restoration) { r.Store = o.dir })
		wantError(t, "over a store", err, "is a store already")
	})
}

// What is not the origin's is not restored, and leaves no store behind.
func TestRestoreRefuses(t *testing.T) {
	_, trust := keyPair(t)
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, at target, m *store.Manifest)
		trust *store.Trust
		want  string
	}{
		{"nothing there", func(t *testing.T, at target, m *store.Manifest) { check(t, os.RemoveAll(at.dir)) }, nil, "manifest: no such file"},
		{"unsigned", func(*testing.T, target, *store.Manifest) {}, trust, "no signature, want one by origin.example.org+"},
		{"an object is lost", func(t *testing.T, at target, m *store.Manifest) {
			check(t, os.Remove(filepath.Join(at.dir, objectName(m.Files[0].SHA256))))
		}, nil, "no such file"},
		{"an object is changed", func(t *testing.T, at target, m *store.Manifest) {
			check(t, os.WriteFile(filepath.Join(at.dir, objectName(m.Files[0].SHA256)), []byte("0ne"), 0o644))
		}, nil, "it is damaged there"},
		{"an object is longer", func(t *testing.T, at target, m *store.Manifest) {
			check(t, os.WriteFile(filepath.Join(at.dir, objectName(m.Files[0].SHA256)), make([]byte, 1<<20), 0o644))
		}, nil, "4 octets with SHA-256"},
		{"the list is changed", func(t *testing.T, at target, m *store.Manifest) {
			check(t, os.WriteFile(filepath.Join(at.dir, objectName(m.List.SHA256)), []byte("lancre files 1\n"), 0o644))
		}, nil, "damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "bucket")
			at, o := openTarget(t, dir, dir), newOrigin(t)
			m := o.add("one")
			o.mustPublish(at.bucket)
			test.spoil(t, at, m)
			restored, _, err := restore(t, dirBucket{dir}, func(r *Restoration) { r.Trust = test.trust })
			wantError(t, test.name, err, test.want)
			if _, err := store.ReadManifest(restored.dir); err == nil {
				t.Error("there is a store")
			}
		})
	}
}

// Over HTTP what fails is tried again.
func TestRestoreByHTTP(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	at, o := openTarget(t, dir, dir), newOrigin(t)
	m := o.add("one")
	o.mustPublish(at.bucket)
	var requests atomic.Int64
	files := http.FileServer(http.Dir(dir))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch requests.Add(1) {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 3:
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte("lancre"))
			panic(http.ErrAbortHandler)
		default:
			http.StripPrefix("/lancre", files).ServeHTTP(w, r)
		}
	}))
	defer srv.Close()
	source, err := OpenSource(srv.URL + "/lancre/")
	check(t, err)
	_, got, err := restore(t, source)
	check(t, err)
	if got.Digest() != m.Digest() {
		t.Errorf("restored %+v", got)
	}
	_, _, err = restore(t, httpSource(srv.URL+"/elsewhere"))
	wantError(t, "elsewhere", err, "/elsewhere/manifest: file does not exist")
}

// What does not name a place is no place.
func TestPlaces(t *testing.T) {
	for to, want := range map[string]string{
		"s3://":                              "want s3://BUCKET/PREFIX",
		"s3://user@bucket":                   "want s3://BUCKET/PREFIX",
		"s3://bucket?x=y":                    "want s3://BUCKET/PREFIX",
		"https://host/lanc":                  "want s3://BUCKET/PREFIX or a directory",
		"gs://bucket/lancre":                 "want s3://BUCKET/PREFIX or a directory",
		filepath.Join(t.TempDir(), "a", "b"): "no such file or directory",
	} {
		_, err := OpenBucket(to)
		wantError(t, to, err, want)
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "s3.example.org")
	_, err := OpenBucket("s3://bucket")
	wantError(t, "endpoint", err, `endpoint "s3.example.org" of AWS_ENDPOINT_URL_S3: want https://HOST`)
	o := newOrigin(t)
	o.add("one")
	_, err = New(Config{Store: o.dir, Parallel: 1, Timeout: 1}, dirBucket{strings.TrimSuffix(o.dir, "/")})
	wantError(t, "itself", err, "is the store itself")
}
