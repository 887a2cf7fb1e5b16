package origin

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
)

// A world is a CA, a directory with a configuration, and who follows it.
type world struct {
	*testing.T
	dir     string
	ca      *demo.CA
	began   time.Time
	version int // of what was signed last

	lines chan line
	stop  func() // waits until it has ended
}

// A line is one of the log.
type line map[string]any

func newWorld(t *testing.T, config string) *world {
	t.Helper()
	ca, err := demo.New(demo.Options{Hashes: []index.HashAlg{index.SHA256}})
	check(t, err)
	w := &world{T: t, dir: t.TempDir(), ca: ca, began: time.Now().Add(-time.Hour).UTC().Truncate(time.Second)}
	w.write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Issuer.Raw}))
	w.write("lancre.toml", []byte("store = \"store\"\nissuers = [\"ca.pem\"]\n"+config))
	for _, dir := range []string{"spool", "www"} {
		check(t, os.MkdirAll(w.path(dir), 0o755))
	}
	return w
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) path(name ...string) string { return filepath.Join(w.dir, filepath.Join(name...)) }

// write writes a file by a rename.
func (w *world) write(name string, content []byte) {
	w.Helper()
	check(w, os.MkdirAll(filepath.Dir(w.path(name)), 0o755))
	temp := filepath.Join(filepath.Dir(w.path(name)), ".tmp")
	check(w, os.WriteFile(temp, content, 0o644))
	check(w, os.Rename(temp, w.path(name)))
}

func (w *world) read(name string) []byte {
	w.Helper()
	content, err := os.ReadFile(w.path(name))
	check(w, err)
	return content
}

// makeKey makes NAME.key and NAME.pub, which sign manifests of NAME.test.
func (w *world) makeKey(name string) {
	w.Helper()
	pair, err := store.GenerateKey(name+".test", w.dir)
	check(w, err)
	check(w, os.Rename(pair.Private, w.path(name+".key")))
	check(w, os.Rename(pair.Public, w.path(name+".pub")))
}

// sign signs for certificate i, a second later than whatever was signed before.
func (w *world) sign(i uint64, status index.Status) []byte {
	w.Helper()
	w.version++
	return w.signAs(i, status, w.version)
}

// signAs signs what has that version.
func (w *world) signAs(i uint64, status index.Status, version int) []byte {
	w.Helper()
	w.ca.ThisUpdate = w.began.Add(time.Duration(version) * time.Second)
	w.ca.ProducedAt = w.ca.ThisUpdate
	c := w.ca.Certificate(i)
	if c.Status = status; status == index.Revoked {
		c.RevokedAt = w.began.Add(-time.Hour)
	}
	der, err := w.ca.Sign(c, index.SHA256)
	check(w, err)
	return der
}

// answer is what the store answers for certificate i: good, revoked, tombstone or none.
func (w *world) answer(i uint64) string {
	w.Helper()
	g, err := store.OpenAnswers(w.path("store"), nil)
	check(w, err)
	defer g.Close()
	id, _ := w.ca.CertID(w.ca.Certificate(i), index.SHA256)
	rec, found, err := g.Lookup(id.Key(), &id)
	check(w, err)
	switch {
	case !found:
		return "none"
	case rec.Tombstone():
		return "tombstone"
	}
	return rec.Status().String()
}

func (w *world) answers(want ...string) {
	w.Helper()
	for i := range want {
		if got := w.answer(uint64(i)); got != want[i] {
			w.Errorf("certificate %d is %s, want %s", i, got, want[i])
		}
	}
}

func (w *world) manifest() *store.Manifest {
	w.Helper()
	m, err := store.ReadManifest(w.path("store"))
	check(w, err)
	return m
}

func (w *world) mark(name string) string {
	w.Helper()
	for _, m := range w.manifest().Marks {
		if m.Source == name {
			return m.Value
		}
	}
	return ""
}

// follow follows until stop is called, or the test ends.
func (w *world) follow() *Follower {
	w.Helper()
	c, err := Load(w.path("lancre.toml"))
	check(w, err)
	in, out := io.Pipe()
	f := New(c, slog.New(slog.NewJSONHandler(out, nil)))
	lines := make(chan line, 10_000) // of this one: another may follow after it
	w.lines = lines
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			var l line
			_ = json.Unmarshal(s.Bytes(), &l) // the handler writes nothing else
			lines <- l
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx); out.Close() }()
	stopped := false
	w.stop = func() {
		w.Helper()
		if cancel(); !stopped {
			stopped = true
			check(w, <-ended)
		}
	}
	w.Cleanup(w.stop)
	w.await("following")
	return f
}

// patience is how long a line of the log is waited for.
const testPatience = time.Minute

// await waits for a line of the log with that message and attributes, by name and value.
func (w *world) await(msg string, attrs ...any) line {
	w.Helper()
	var seen []line
	for timeout := time.After(testPatience); ; {
		select {
		case l, ok := <-w.lines:
			if !ok {
				w.Fatalf("it ended before it logged %q %v; it logged %v", msg, attrs, seen)
			}
			if seen = append(seen, l); l["msg"] == msg && l.has(attrs) {
				return l
			}
		case <-timeout:
			w.Fatalf("%s passed before it logged %q %v; it logged %v", testPatience, msg, attrs, seen)
		}
	}
}

// awaitGeneration waits until the spool is published, and returns the number of the
// generation.
func (w *world) awaitGeneration() string {
	w.Helper()
	return strconv.FormatFloat(w.await("published", "source", "spool")["generation"].(float64), 'f', 0, 64)
}

// until waits for what is not logged.
func (w *world) until(what string, true func() bool) {
	w.Helper()
	for give := time.Now().Add(testPatience); !true(); time.Sleep(time.Millisecond) {
		if time.Now().After(give) {
			w.Fatalf("%s passed before %s", testPatience, what)
		}
	}
}

func (l line) has(attrs []any) bool {
	for i := 0; i < len(attrs); i += 2 {
		if l[attrs[i].(string)] != attrs[i+1] {
			return false
		}
	}
	return true
}

// files are the names of those below a directory.
func (w *world) files(dir string) (list []string) {
	w.Helper()
	check(w, filepath.WalkDir(w.path(dir), func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(w.path(dir), path)
			list = append(list, name)
		}
		return err
	}))
	return list
}

func (w *world) hasFiles(dir string, want ...string) {
	w.Helper()
	if got := w.files(dir); !slices.Equal(got, want) {
		w.Errorf("%s has %q, want %q", dir, got, want)
	}
}
