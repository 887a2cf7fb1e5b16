package pull

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index/store"
)

// A trick is what a source does in place of serving an object.
type trick func(w http.ResponseWriter, r *http.Request, content []byte)

// play has o do a trick with every object, or with those that are asked for without a
// query, as a cache does.
func (o *origin) play(do trick, cached bool) {
	o.meddleWith(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/objects/") || cached && r.URL.RawQuery != "" {
			return false
		}
		content, err := os.ReadFile(filepath.Join(o.dir, "objects", filepath.Base(r.URL.Path)))
		if err != nil {
			o.t.Error(err)
		}
		do(w, r, content)
		return true
	})
}

func flip(w http.ResponseWriter, r *http.Request, content []byte) {
	content[len(content)/2] ^= 1
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// cut announces all and sends half of what is asked for.
func cut(w http.ResponseWriter, r *http.Request, content []byte) {
	var from int
	if of := r.Header.Get("Range"); of != "" {
		fmt.Sscanf(of, "bytes=%d-", &from)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
	}
	rest := content[from:]
	w.Header().Set("Content-Length", fmt.Sprint(len(rest)))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	w.Write(rest[:(len(rest)+1)/2])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// endless goes on behind the end of an object, until nobody takes any more.
func endless(w http.ResponseWriter, _ *http.Request, content []byte) {
	w.Write(content)
	for err := error(nil); err == nil; {
		_, err = w.Write(make([]byte, 64<<10))
	}
}

// trickle sends an octet now and then.
func trickle(w http.ResponseWriter, r *http.Request, content []byte) {
	for i := range content {
		w.Write(content[i : i+1])
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(20 * time.Millisecond): // slow is what is tested
		}
	}
}

// swap serves another object.
func swap(w http.ResponseWriter, _ *http.Request, _ []byte) { io.WriteString(w, "something else") }

// status answers with a status and nothing of use.
func answering(code int, header ...string) trick {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// pack serves the object as no one asked for it.
func pack(w http.ResponseWriter, _ *http.Request, content []byte) {
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	z.Write(content)
	z.Close()
}

// with serves the object with another header.
func with(name, value string) trick {
	return func(w http.ResponseWriter, _ *http.Request, content []byte) {
		w.Header().Set(name, value)
		w.Write(content)
	}
}

var tricks = []struct {
	name string
	do   trick
	says string // in the log
}{
	{"flipped", flip, "octets with sha256"},
	{"swapped", swap, "14 octets come, want"},
	{"longer", func(w http.ResponseWriter, _ *http.Request, content []byte) { w.Write(append(content, 'x')) }, "octets come, want"},
	{"shorter", func(w http.ResponseWriter, _ *http.Request, content []byte) { w.Write(content[1:]) }, "octets come, want"},
	{"endless", endless, "more than the"},
	{"cut", cut, "unexpected EOF"},
	{"trickling", trickle, "octets of it, within"},
	{"absent", answering(404), "status 404 Not Found"},
	{"failing", answering(500), "status 500 Internal Server Error"},
	{"elsewhere", answering(302, "Location", "http://192.0.2.1/"), `status 302 Found to \"http://192.0.2.1/\": redirects are not followed`},
	{"packed", pack, "octets come, want"},
	{"of a range", with("Content-Range", "bytes 0-3/4"), "Content-Range is"},
	{"no range", answering(416), "status 416"},
}

// What a source has in the place of objects changes nothing of what is served, and is
// good for nothing: another source helps at once, the same one when it is honest again.
func TestTricks(t *testing.T) {
	for _, trick := range tricks {
		t.Run(trick.name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t)
			was := o.publish("page")
			e := newEdge(t, o)
			e.poll()
			for _, s := range e.sources {
				s.patience = time.Second / 2
			}
			o.play(trick.do, false)
			m := o.publish("another page")
			e.poll()
			e.wants(was.Generation)
			if !strings.Contains(e.log.String(), trick.says) {
				t.Errorf("log lacks %s:\n%s", trick.says, &e.log)
			}
			honest := newOrigin(t)
			honest.dir = o.dir
			cfg := e.cfg
			cfg.Store, cfg.From = t.TempDir(), []string{o.url, honest.url}
			second := startEdge(t, cfg)
			second.sources[0].patience = time.Second / 2
			second.poll()
			second.wants(m.Generation)

			o.meddleWith(nil)
			e.poll()
			e.wants(m.Generation)
		})
	}
}

// A cache with something else in the place of an object is passed by.
func TestBadCache(t *testing.T) {
	for _, trick := range tricks[:5] {
		t.Run(trick.name, func(t *testing.T) {
			o := newOrigin(t)
			o.play(trick.do, true)
			o.publish("page")
			e := newEdge(t, o)
			e.poll()
			e.has(o)
			if got := e.metric("lancred_pull_failures_total", "digest"); got != 3 { // a segment, a list, a page
				t.Errorf("%v objects had another digest, want 3", got)
			}
		})
	}
}

// A source that has the manifest and gives no object is asked for one, and then the next
// source first.
func TestStuckSource(t *testing.T) {
	o := newOrigin(t)
	honest := httptest.NewServer(http.HandlerFunc(o.serve))
	t.Cleanup(honest.Close)
	o.meddleWith(func(w http.ResponseWriter, r *http.Request) bool {
		if filepath.Base(r.URL.Path) == "manifest" {
			return false
		}
		http.Error(w, "", http.StatusServiceUnavailable)
		return true
	})
	m := o.publish("page", "another")
	e := newEdge(t, o)
	e.cfg.From = append(e.cfg.From, honest.URL+"/store")
	e = e.restart()
	e.poll()
	e.wants(m.Generation)
	if got := o.requests(); len(got) != 2 || got[0] != "manifest" {
		t.Errorf("the stuck source is asked for %q, want the manifest and one object", got)
	}
}

// What came is gone on with, by the same process and by the next one.
func TestResume(t *testing.T) {
	o := newOrigin(t)
	page := strings.Repeat("x", 1<<20)
	m := o.publish(page)
	e := newEdge(t, o)
	sum := m.Files[0].SHA256
	o.meddleWith(func(w http.ResponseWriter, r *http.Request) bool {
		if filepath.Base(r.URL.Path) == sum {
			cut(w, r, []byte(page))
		}
		return false
	})
	e.poll()
	e.poll()
	e = e.restart()
	e.poll()
	e.wants(0)
	o.meddleWith(nil)
	e.poll()
	e.has(o)
	of := fmt.Sprintf("objects/%s", sum)
	var got []string
	for _, request := range o.requests() {
		if strings.HasPrefix(request, of) {
			got = append(got, strings.TrimPrefix(request, of))
		}
	}
	if want := []string{"", " bytes=524288-", " bytes=786432-", " bytes=917504-"}; !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
}

// A large object that comes in pieces comes all the same, at one poll.
func TestPieces(t *testing.T) {
	o := newOrigin(t)
	page := bytes.Repeat([]byte("0123456789abcde\n"), 1<<18) // 4 MiB
	o.publish(string(page))
	o.play(func(w http.ResponseWriter, r *http.Request, content []byte) {
		if len(content) < len(page) {
			w.Write(content)
			return
		}
		cut(w, r, content)
	}, false)
	e := newEdge(t, o)
	e.poll() // 2 MiB, 1 MiB, and then less than is worthwhile
	if got := len(o.requests()); got != 6 {
		t.Errorf("%d requests, want 6", got)
	}
	o.meddleWith(nil)
	e.poll()
	e.has(o)
}

// A manifest that names what is gone is asked for again: what a newer one still names is
// kept.
func TestGone(t *testing.T) {
	o := newOrigin(t)
	old := o.publish("one", "both")
	stale := o.manifest()
	m := o.publish("two", "both")
	for _, f := range old.Files[:1] {
		check(t, os.Remove(store.ObjectPath(o.dir, f.SHA256)))
	}
	o.meddleWith(func(w http.ResponseWriter, r *http.Request) bool {
		if filepath.Base(r.URL.Path) != "manifest" || r.URL.RawQuery != "" {
			return false
		}
		w.Write(stale) // as a cache that was not purged
		return true
	})
	e := newEdge(t, o)
	e.poll()
	e.wants(m.Generation)
	if got := e.metric("lancred_pull_failures_total", "absent"); got != 1 {
		t.Errorf("%v objects were absent, want 1", got)
	}
}

// A manifest without end, or one that does not come, ends a poll and nothing else.
func TestManifestTricks(t *testing.T) {
	for _, test := range []struct {
		name string
		do   http.HandlerFunc
		says string
	}{
		{"endless", func(w http.ResponseWriter, _ *http.Request) { endless(w, nil, []byte("lancre store 2\n")) }, "manifest of more than"},
		{"trickling", func(w http.ResponseWriter, r *http.Request) { trickle(w, r, make([]byte, 1<<20)) }, "within 500ms"},
		{"silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "within 500ms"},
		{"unchanged, though nothing was asked", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, "status 304"},
		{"empty", func(http.ResponseWriter, *http.Request) {}, "no signature, want one by test+"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOrigin(t)
			m := o.publish("page")
			e := newEdge(t, o)
			e.sources[0].patience = time.Second / 2
			o.meddleWith(func(w http.ResponseWriter, r *http.Request) bool { test.do(w, r); return true })
			e.poll()
			e.wants(0)
			if !strings.Contains(e.log.String(), test.says) {
				t.Errorf("log lacks %s:\n%s", test.says, &e.log)
			}
			o.meddleWith(nil)
			e.poll()
			e.wants(m.Generation)
		})
	}
}

// Objects that vanish or change here come again.
func TestRepair(t *testing.T) {
	o := newOrigin(t)
	m := o.publish("page", "another")
	e := newEdge(t, o)
	e.poll()
	damage := func(sum string, do func(path string) error) {
		t.Helper()
		path := store.ObjectPath(e.cfg.Store, sum)
		check(t, os.Chmod(path, 0o644))
		check(t, do(path))
	}
	damage(m.Files[0].SHA256, os.Remove)
	damage(m.Files[1].SHA256, func(path string) error { return os.Truncate(path, 1) })
	damage(m.List.SHA256, os.Remove)
	e.poll()
	e.has(o)
	damage(m.Segments[0].SHA256, func(path string) error {
		content := read(t, path)
		content[100] ^= 1
		return os.WriteFile(path, content, 0o644)
	})
	e.poll() // which looks at sizes only
	e.cared = time.Now().Add(-careEvery)
	e.poll()
	<-e.care.done
	e.poll()
	e.has(o)
	if got := e.metric("lancred_pull_damaged_objects_total", ""); got != 1 {
		t.Errorf("%v objects were damaged, want 1", got)
	}
}

// A store whose manifest is damaged or from elsewhere is made good.
func TestRepairManifest(t *testing.T) {
	o := newOrigin(t)
	o.publish("page")
	e := newEdge(t, o)
	e.poll()
	check(t, os.WriteFile(filepath.Join(e.cfg.Store, "manifest"), []byte("lancre store 2\n"), 0o644))
	e = e.restart()
	e.poll()
	e.has(o)
}
