package publish

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lancre/index/store"
	"lancre/internal/versity"
)

// A target is a place to publish to, as files.
type target struct {
	bucket Bucket
	dir    string // where its objects are files, of either kind
	to     string // as OpenBucket takes it
}

// targets runs a test on each kind of bucket.
func targets(t *testing.T, test func(t *testing.T, at target)) {
	t.Run("directory", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "bucket")
		test(t, openTarget(t, dir, dir))
	})
	t.Run("s3", func(t *testing.T) {
		g := gateway(t)
		test(t, openTarget(t, "s3://"+versity.Bucket+"/below/here", filepath.Join(g.Dir, "below", "here")))
	})
}

func gateway(t *testing.T) *versity.Gateway {
	t.Helper()
	g := versity.Start(t)
	for _, v := range g.Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	return g
}

func openTarget(t *testing.T, to, dir string) target {
	t.Helper()
	b, err := OpenBucket(to)
	check(t, err)
	return target{b, dir, to}
}

// An originStore is a store that a test publishes.
type originStore struct {
	t       *testing.T
	dir     string
	created time.Time
	signing store.Signing
}

func newOrigin(t *testing.T) *originStore {
	return &originStore{t: t, dir: filepath.Join(t.TempDir(), "store"), created: time.Now().Add(-time.Hour)}
}

// add makes the next generation, with a file of its own and those of before.
func (o *originStore) add(text string) *store.Manifest {
	o.t.Helper()
	p, err := store.Begin(o.dir)
	check(o.t, err)
	defer p.Close()
	check(o.t, p.SignWith(o.signing))
	var m store.Manifest
	if p.Previous() != nil {
		m = *p.Previous()
	}
	o.created = o.created.Add(time.Second)
	m.Origin, m.Created = "test", o.created
	sum, size, err := p.AddObject(strings.NewReader(text))
	check(o.t, err)
	m.Files = append(m.Files, store.FileLine{
		Host: "a.example", Path: fmt.Sprintf("/%d", len(m.Files)), ContentType: "text/plain",
		Size: size, SHA256: sum, LastModified: o.created,
	})
	check(o.t, p.Commit(&m))
	return &m
}

// publish publishes it by a Publisher of its own, with what change makes of its
// configuration.
func (o *originStore) publish(b Bucket, change ...func(*Config)) (*Result, error) {
	o.t.Helper()
	c := DefaultConfig()
	c.Store = o.dir
	for _, f := range change {
		f(&c)
	}
	p, err := New(c, b)
	check(o.t, err)
	return p.Publish(o.t.Context())
}

func (o *originStore) mustPublish(b Bucket, change ...func(*Config)) *Result {
	o.t.Helper()
	r, err := o.publish(b, change...)
	check(o.t, err)
	return r
}

// whole wants the bucket to have m, with all that it names and not a damaged octet.
func (at target) whole(t *testing.T, m *store.Manifest) {
	t.Helper()
	got := at.manifest(t)
	if got == nil || got.Digest() != m.Digest() {
		t.Errorf("the bucket has %+v, want generation %d", got, m.Generation)
		return
	}
	at.sound(t, got)
}

// manifest is that of the bucket, nil if it has none.
func (at target) manifest(t *testing.T) *store.Manifest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(at.dir, manifestName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	check(t, err)
	m, err := store.ParseManifest(text)
	check(t, err)
	return m
}

// sound wants the bucket to have all that m, its manifest or an older one, names.
func (at target) sound(t *testing.T, m *store.Manifest) {
	t.Helper()
	check(t, m.ReadFiles(at.dir, nil))
	for _, o := range m.Objects() {
		content, err := os.ReadFile(filepath.Join(at.dir, objectName(o.SHA256)))
		sum := sha256.Sum256(content)
		if err != nil || hex.EncodeToString(sum[:]) != o.SHA256 {
			t.Errorf("generation %d: object %s is not whole: %v", m.Generation, o.SHA256, err)
		}
	}
}

// Each generation follows the one before; what two share is put once, what was replaced
// stays to be had, and where nothing is new nothing is done.
func TestPublish(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		o := newOrigin(t)
		first := o.add("one")
		if r := o.mustPublish(at.bucket); !r.Published || r.Objects != 2 || r.Replaced != 0 {
			t.Errorf("the first: %+v, want a list and a file put", r)
		}
		at.whole(t, first)
		second := o.add("two")
		if r := o.mustPublish(at.bucket); !r.Published || r.Objects != 2 || r.Replaced != first.Generation || r.Removed != 0 {
			t.Errorf("the second: %+v, want a list and a file put", r)
		}
		at.whole(t, second)
		at.sound(t, first)
		past, err := os.ReadFile(filepath.Join(at.dir, historyDir, fmt.Sprint(first.Generation)))
		if err != nil || !bytes.Equal(past, first.Encode()) {
			t.Errorf("the history has %q, %v", past, err)
		}
		if r := o.mustPublish(at.bucket); r.Published || r.Objects != 0 {
			t.Errorf("again: %+v, want nothing done", r)
		}
		o.add("three")
		last := o.add("four") // one that was never published lies between
		o.mustPublish(at.bucket)
		at.whole(t, last)
	})
}

// What the bucket has lost is put again, whatever it is.
func TestPublishMakesGood(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		o := newOrigin(t)
		o.add("one")
		m := o.add("two")
		o.mustPublish(at.bucket)
		for _, lost := range []string{objectName(m.List.SHA256), objectName(m.Files[0].SHA256), manifestName, ""} {
			if lost == "" {
				for _, dir := range []string{manifestName, objectsDir, historyDir, probeName} {
					check(t, os.RemoveAll(filepath.Join(at.dir, dir)))
				}
				if d, ok := at.bucket.(dirBucket); ok {
					check(t, d.make())
				}
			} else {
				check(t, os.Remove(filepath.Join(at.dir, lost)))
			}
			o.mustPublish(at.bucket)
			at.whole(t, m)
		}
		cut := filepath.Join(at.dir, objectName(m.Files[1].SHA256))
		check(t, os.Chmod(cut, 0o644))
		check(t, os.Truncate(cut, 1))
		o.mustPublish(at.bucket)
		at.whole(t, m)
	})
}

// What is damaged in the store does not reach the bucket, nor what names it: not even
// where the damage has its size. Once it is good again it does.
func TestDamagedObjectIsNotPublished(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		o := newOrigin(t)
		before := o.add("one")
		o.mustPublish(at.bucket)
		for _, size := range []int{3, 1 << 20, 17 << 20} { // in one part and in several
			m := o.add(strings.Repeat("x", size))
			object := m.Files[len(m.Files)-1]
			path := store.ObjectPath(o.dir, object.SHA256)
			good, err := os.ReadFile(path)
			check(t, err)
			check(t, os.Chmod(path, 0o644))
			check(t, os.WriteFile(path, append(good[:size-1:size-1], 'y'), 0o644))
			_, err = o.publish(at.bucket)
			wantError(t, "damaged", err, path+" has sha256 ")
			at.whole(t, before)
			if _, err := os.Stat(filepath.Join(at.dir, objectName(object.SHA256))); err == nil {
				t.Errorf("the damaged object of %d octets is in the bucket", size)
			}
			check(t, os.WriteFile(path, good, 0o644))
			o.mustPublish(at.bucket)
			at.whole(t, m)
			before = m
		}
	})
}

// Of two origins one publishes, and the other is told so, and loses nothing; unless it
// is forced. A copy of the store that was put back is such another one.
func TestTwoOrigins(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		a, b := newOrigin(t), newOrigin(t)
		first := a.add("a")
		a.mustPublish(at.bucket)
		b.add("b")
		_, err := b.publish(at.bucket)
		wantError(t, "the same number", err, "not of the history of this store")
		b.add("b2")
		_, err = b.publish(at.bucket)
		wantError(t, "a higher number", err, "another origin publishes there")
		at.whole(t, first)
		for range 3 {
			first = a.add("more")
		}
		a.mustPublish(at.bucket)
		_, err = b.publish(at.bucket)
		wantError(t, "a lower number", err, "is published there, the store has 2")
		at.whole(t, first)
		m := b.add("b3")
		b.mustPublish(at.bucket, func(c *Config) { c.Force = true })
		at.whole(t, m)
		_, err = a.publish(at.bucket)
		wantError(t, "the one that was pushed out", err, "another origin publishes there")
	})
}

// Many publish at the same time: the origin itself, in several processes, and another
// one. Whatever comes of it, what is there is whole, and one of theirs.
func TestRace(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		a, b := newOrigin(t), newOrigin(t)
		a.add("a")
		b.add("b")
		published := make(map[*originStore]int)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 8 {
			o := []*originStore{a, b}[i%2]
			wg.Go(func() {
				r, err := o.publish(at.bucket)
				if err != nil && !strings.Contains(err.Error(), "another origin") {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if r.Published {
					published[o]++
				}
			})
		}
		wg.Wait()
		if len(published) != 1 {
			t.Errorf("%d origins have published, want one", len(published))
		}
		at.sound(t, at.manifest(t))
	})
}

// What is announced is put into the bucket before the manifest that announces it; what the
// store has not, as after a restore, holds nothing up.
func TestComing(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		o := newOrigin(t)
		o.add("one")
		objects, err := store.OpenObjects(o.dir)
		check(t, err)
		sum, _, err := objects.AddObject(strings.NewReader("to come"))
		check(t, err)
		check(t, objects.Announce(time.Now()))
		o.mustPublish(at.bucket)
		object := filepath.Join(at.dir, "objects", sum)
		if got, err := os.ReadFile(object); err != nil || string(got) != "to come" {
			t.Errorf("the bucket has %q of what is coming, %v", got, err)
		}
		check(t, os.Remove(object))
		check(t, os.Remove(store.ObjectPath(o.dir, sum)))
		m := o.add("two")
		o.mustPublish(at.bucket)
		at.whole(t, m)
	})
}

// ignorant is storage that takes the headers of preconditions and does not heed them.
func ignorant(t *testing.T) Bucket {
	objects := make(map[string][]byte)
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodPut:
			objects[r.URL.Path], _ = io.ReadAll(r.Body)
			w.Header().Set("ETag", `"1"`)
		case r.URL.Query().Has("list-type"):
			io.WriteString(w, "<ListBucketResult></ListBucketResult>")
		case objects[r.URL.Path] == nil:
			w.WriteHeader(http.StatusNotFound)
		default:
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.Write(objects[r.URL.Path])
		}
	}))
	t.Cleanup(srv.Close)
	t.Setenv("AWS_ENDPOINT_URL_S3", srv.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "y")
	b, err := OpenBucket("s3://status")
	check(t, err)
	return b
}

// Storage that does not heed If-Match is not published to, before anything is there that
// an edge could see; unless somebody says that there is one origin.
func TestPreconditionsAreProven(t *testing.T) {
	b, o := ignorant(t), newOrigin(t)
	o.add("one")
	_, err := o.publish(b)
	wantError(t, "ignorant storage", err, "although If-Match or If-None-Match forbid it")
	if _, _, err := b.Open(t.Context(), manifestName); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a manifest: %v", err)
	}
	if r, err := o.publish(b, func(c *Config) { c.SingleWriter = true }); !r.Published {
		t.Errorf("single writer: %+v, %v", r, err)
	}
}

// Where the storage cannot be reached, or is out of order, it is said why: and not only
// that the time was over.
func TestStorageThatFails(t *testing.T) {
	g, o := gateway(t), newOrigin(t)
	o.add("one")
	at := openTarget(t, "s3://"+versity.Bucket, g.Dir)
	g.Break(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) })
	soon := func(c *Config) { c.Timeout = 500 * time.Millisecond }
	_, err := o.publish(at.bucket, soon)
	wantError(t, "out of order", err, ": 502 Bad Gateway")
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
	at = openTarget(t, "s3://"+versity.Bucket, g.Dir)
	_, err = o.publish(at.bucket, soon)
	wantError(t, "nobody there", err, "the last attempt: dial tcp 127.0.0.1:1: connect: connection refused")
	g.Break(nil)
	t.Setenv("AWS_ENDPOINT_URL_S3", g.URL)
	at = openTarget(t, "s3://elsewhere", g.Dir)
	_, err = o.publish(at.bucket)
	wantError(t, "no such bucket", err, "bucket does not exist")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
	at = openTarget(t, "s3://"+versity.Bucket, g.Dir)
	_, err = o.publish(at.bucket)
	wantError(t, "another secret", err, "signature")
}

// What networks and servers do on the way of the one request that counts.
func TestSwapOnABadNetwork(t *testing.T) {
	g := gateway(t)
	swaps := 0
	swap := func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/"+manifestName)
	}
	for _, test := range []struct {
		name  string
		fault versity.Fault
		want  string // of the error; empty for none
	}{
		{"the answer is lost", func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if swaps++; swaps == 1 {
				forward.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler)
			}
			forward.ServeHTTP(w, r)
		}, ""},
		{"the request is lost", func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if swaps++; swaps == 1 {
				panic(http.ErrAbortHandler)
			}
			forward.ServeHTTP(w, r)
		}, ""},
		{"busy", func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if swaps++; swaps < 3 {
				w.WriteHeader(http.StatusConflict)
				io.WriteString(w, "<Error><Code>ConditionalRequestConflict</Code></Error>")
				return
			}
			forward.ServeHTTP(w, r)
		}, ""},
		{"unavailable", func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if swaps++; swaps < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			forward.ServeHTTP(w, r)
		}, ""},
		{"no answer, and done", func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if swaps++; swaps == 1 {
				forward.ServeHTTP(httptest.NewRecorder(), r)
			}
			versity.Hang(r)
		}, ""},
		{"no answer, and not done", func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
			versity.Hang(r)
		}, "replacing the manifest: "},
		{"forbidden", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>")
		}, "Access Denied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			at := openTarget(t, "s3://"+versity.Bucket+"/"+strings.ReplaceAll(test.name, " ", "-"), filepath.Join(g.Dir, strings.ReplaceAll(test.name, " ", "-")))
			o := newOrigin(t)
			before := o.add("one")
			o.mustPublish(at.bucket)
			m := o.add("two")
			swaps = 0
			var mu sync.Mutex
			g.Break(func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
				if !swap(r) {
					forward.ServeHTTP(w, r)
					return
				}
				if !strings.HasPrefix(test.name, "no answer") {
					mu.Lock()
					defer mu.Unlock()
				}
				test.fault(w, r, forward)
			})
			defer g.Break(nil)
			r, err := o.publish(at.bucket, func(c *Config) {
				if strings.HasPrefix(test.name, "no answer") {
					c.Timeout = 500 * time.Millisecond
				}
			})
			if test.want == "" {
				check(t, err)
				if !r.Published {
					t.Error("it is not said to be published")
				}
				at.whole(t, m)
				return
			}
			wantError(t, test.name, err, test.want)
			at.whole(t, before)
			g.Break(nil)
			o.mustPublish(at.bucket)
			at.whole(t, m)
		})
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error is %v, want one with %q", what, err, want)
	}
}
