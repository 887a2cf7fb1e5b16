package server

import (
	"bytes"
	"context"
	"crypto"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/index/store"
)

func TestReload(t *testing.T) {
	first := content{segments: [][]entry{good("05")}}
	e := newEdge(t, first)
	manifest := filepath.Join(e.dir, "manifest")
	one := readFile(t, manifest)
	wantReload(t, e, Unchanged, "")

	second := content{segments: [][]entry{good("06")}}
	publish(t, e.dir, second)
	two := readFile(t, manifest)
	wantReload(t, e, Swapped, "")
	wantReload(t, e, Unchanged, "")

	writeFile(t, manifest, one)
	wantReload(t, e, Refused, "generation 1 is older than 2")
	changed, err := store.ParseManifest(two)
	if err != nil {
		t.Fatal(err)
	}
	changed.Origin = "another"
	writeFile(t, manifest, changed.Encode())
	wantReload(t, e, Refused, "generation 2 is being served with another content")
	writeFile(t, manifest, two[:len(two)-1])
	wantReload(t, e, Refused, "")
	if err := os.Remove(manifest); err != nil {
		t.Fatal(err)
	}
	wantReload(t, e, Refused, "lancre build publishes one, lancred pull fetches one")

	// All the while the second is served.
	if snap := e.current.Load(); snap.generation != 2 {
		t.Errorf("generation %d is served, want 2", snap.generation)
	}
	if got := e.log.String(); strings.Count(got, "generation refused") != 4 {
		t.Errorf("four refusals want four lines: %s", got)
	}
}

// A generation of nothing would take everything away.
func TestReloadRefusesEmptyGeneration(t *testing.T) {
	e := newEdge(t, files())
	publish(t, e.dir, content{})
	wantReload(t, e, Refused, "generation 2 names nothing to serve")
	if snap := e.current.Load(); snap.generation != 1 {
		t.Errorf("generation %d is served, want 1", snap.generation)
	}
}

// wantReload wants that result and, where it is Refused, that reason.
func wantReload(t *testing.T, e *edge, want ReloadResult, reason string) {
	t.Helper()
	got, err := e.Reload()
	if got != want || (err != nil) != (want == Refused) {
		t.Fatalf("reload: %s, %v, want %s", got, err, want)
	}
	if err != nil && !strings.Contains(err.Error(), reason) {
		t.Errorf("reload is refused with %q, want %q", err, reason)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// writeFile replaces path, as a publication does.
func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	temp := filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(temp, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, path); err != nil {
		t.Fatal(err)
	}
}

// Objects that were cut or changed on the way are refused; what was served before is.
func TestReloadRefusesDamage(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, object string){
		"missing":   func(t *testing.T, object string) { remove(t, object) },
		"empty":     func(t *testing.T, object string) { remove(t, object); writeFile(t, object, nil) },
		"truncated": func(t *testing.T, object string) { b := readFile(t, object); writeFile(t, object, b[:len(b)-1]) },
		"header": func(t *testing.T, object string) {
			b := readFile(t, object)
			b[0] ^= 1
			writeFile(t, object, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEdge(t, content{segments: [][]entry{good("05")}})
			m := publish(t, e.dir, content{segments: [][]entry{good("06")}})
			damage(t, filepath.Join(e.dir, "objects", m.Segments[0].SHA256))
			wantReload(t, e, Refused, "")
			if got := e.probe(ask("05", crypto.SHA1)); got != served {
				t.Errorf("the generation before answers %s", defaultOutcomes[got].name)
			}
		})
	}
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// The first record of a segment is read before the segment is served.
func TestReloadRefusesCorruptRecord(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	m := publish(t, e.dir, content{segments: [][]entry{good("06")}})
	object := filepath.Join(e.dir, "objects", m.Segments[0].SHA256)
	flipRecord(t, e.dir, object)
	wantReload(t, e, Refused, "checksum")
}

// flipRecord changes one octet within the first record of a segment.
func flipRecord(t testing.TB, dir, object string) {
	t.Helper()
	g, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	b := readFile(t, object)
	for rec := range records(g) {
		b[rec.Offset()+int64(rec.Size())-1] ^= 1
		break
	}
	writeFile(t, object, b)
}

func TestStartWithoutGeneration(t *testing.T) {
	dir := t.TempDir()
	e := newEdgeOver(t, dir).serve(t)
	request := ask("05", crypto.SHA1)
	for _, a := range []answer{e.post(t, request), e.get(t, target(request)), e.get(t, "/")} {
		a.is(t, 503, ocspTryLater)
		if got := a.Header.Get("Retry-After"); got != retryAfter {
			t.Errorf("Retry-After is %q", got)
		}
	}
	if e.notReady() == "" || e.stale() == "" {
		t.Error("ready or fresh without a generation")
	}
	publish(t, dir, content{segments: [][]entry{good("05")}})
	awaitGeneration(t, e, 1) // the store is watched
	e.post(t, request).isServed(t, respondedFor(t, e, request))
}

// awaitGeneration waits until generation n is served.
func awaitGeneration(t testing.TB, e *edge, n uint64) {
	t.Helper()
	await(t, e, func() bool { return e.current.Load().number() == n })
}

// await waits until something has happened to e.
func await(t testing.TB, e *edge, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("generation %d is served after %v: %s", e.current.Load().number(), patience, e.log)
		}
	}
}

func TestStoreMustBeADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, nil)
	for path, want := range map[string]string{
		filepath.Join(t.TempDir(), "absent"): "no such file or directory",
		file:                                 "is a file",
	} {
		cfg := DefaultConfig()
		cfg.Store = path
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// A store that was exchanged for another directory is named as that, for nothing else in
// the error would say why it cannot be read.
func TestExchangedDirectoryIsNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	publish(t, dir, content{segments: [][]entry{good("05")}})
	e := newEdgeOver(t, dir)
	writeFile(t, filepath.Join(dir, "manifest"), nil)
	if _, err := e.Reload(); err == nil || strings.Contains(err.Error(), "another directory") {
		t.Errorf("a bad manifest in the same directory: %v", err)
	}
	for _, step := range []error{os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o755)} {
		if step != nil {
			t.Fatal(step)
		}
	}
	if _, err := e.Reload(); err == nil || !strings.Contains(err.Error(), dir+" is another directory than when lancred started") {
		t.Errorf("another directory: %v", err)
	}
	if e.notReady() != "" {
		t.Errorf("not ready: %s", e.notReady())
	}
}

// Requests go on while generations follow one another: each is answered, by the
// octets of one generation that was current while it was under way, and the
// mappings of the generations before go.
func TestReloadUnderLoad(t *testing.T) {
	const generations, clients = 30, 4
	var bodies [generations + 1][]byte
	dir := t.TempDir()
	generate := func(g int) {
		bodies[g] = respond("05", crypto.SHA1, ocsp.Good, start.Add(time.Duration(g)*time.Second))
		publish(t, dir, content{segments: [][]entry{{{DER: bodies[g]}}}})
	}
	generate(1)
	e := newEdgeOver(t, dir).serve(t)
	var current atomic.Int64 // the generation being served at least
	current.Store(1)
	stop, done := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			c, err := net.Dial("tcp", e.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			follow(t, stop, c, &current, bodies[:])
		})
	}
	for g := 2; g <= generations; g++ {
		generate(g)
		wantNewest(t, e, uint64(g))
		current.Store(int64(g))
	}
	done()
	wg.Wait()
	awaitUnmapped(t, filepath.Join(dir, "objects"))
}

// wantNewest makes e serve generation g, which the watcher may have done.
func wantNewest(t testing.TB, e *edge, g uint64) {
	t.Helper()
	if result, err := e.Reload(); err != nil || e.current.Load().generation != g {
		t.Fatalf("reload: %s, %v; generation %d is served, want %d", result, err, e.current.Load().generation, g)
	}
}

// follow asks again and again, and wants each answer to be of a generation no
// older than the one current before it asked.
func follow(t *testing.T, stop context.Context, c net.Conn, current *atomic.Int64, bodies [][]byte) {
	buf := make([]byte, 4096)
	request := postRequest("/", ask("05", crypto.SHA1))
	for stop.Err() == nil {
		oldest := current.Load()
		if _, err := io.WriteString(c, request); err != nil {
			t.Error(err)
			return
		}
		n, err := c.Read(buf)
		if err != nil {
			t.Error(err)
			return
		}
		_, body, _ := bytes.Cut(buf[:n], []byte("\r\n\r\n"))
		found := false
		for g := oldest; g <= current.Load()+1 && g < int64(len(bodies)); g++ {
			found = found || bytes.Equal(body, bodies[g])
		}
		if !found {
			t.Errorf("after generation %d was served came %q", oldest, buf[:n])
			return
		}
	}
}

// awaitUnmapped waits until no more than the current segment below dir is mapped.
func awaitUnmapped(t testing.TB, dir string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		runtime.GC()
		maps := string(readFile(t, "/proc/self/maps"))
		if strings.Count(maps, dir) <= 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("old generations are still mapped:\n%s", maps)
		}
	}
}

// A segment that was damaged while it was served, and for which a good one was put in
// place, is served from that, though the generation is the same.
func TestReloadTakesWhatWasRepaired(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	m := e.current.Load().store.Manifest()
	object := filepath.Join(e.dir, "objects", m.Segments[0].SHA256)
	whole := readFile(t, object)
	if err := os.Chmod(object, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(object, make([]byte, len(whole)), 0o644); err != nil { // in place
		t.Fatal(err)
	}
	wantReload(t, e, Unchanged, "")
	if e.notReady() == "" {
		t.Fatal("the damage is not noticed")
	}
	writeFile(t, object+".new", whole)
	if err := os.Rename(object+".new", object); err != nil {
		t.Fatal(err)
	}
	wantReload(t, e, Swapped, "")
	if why := e.notReady(); why != "" {
		t.Errorf("after the repair: %s", why)
	}
	wantReload(t, e, Unchanged, "")
}
