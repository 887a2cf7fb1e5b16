package faults

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"lancre/index/store"
)

// A feed is an origin whose store an edge pulls, from a source that can be given tricks.
type feed struct {
	*origin
	url    string
	trust  string // file of the public key
	signer note.Signer
	trick  atomic.Pointer[func(w http.ResponseWriter, r *http.Request) (done bool)]
}

func newFeed(t *testing.T, certs uint64) *feed {
	t.Helper()
	f := &feed{origin: newOrigin(t, certs)}
	run(t, exec.CommandContext(t.Context(), "lancre", "keygen", "--name", "faults.example.org", "--out", f.dir))
	keys, err := filepath.Glob(filepath.Join(f.dir, "faults.example.org+*.key"))
	check(t, err)
	f.key, f.trust = keys[0], strings.TrimSuffix(keys[0], ".key")+".pub"
	private, err := os.ReadFile(f.key)
	check(t, err)
	f.signer, err = note.NewSigner(strings.TrimSpace(string(private)))
	check(t, err)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// ServeHTTP implements http.Handler.
func (f *feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if trick := f.trick.Load(); trick == nil || !(*trick)(w, r) {
		http.FileServer(http.Dir(f.store)).ServeHTTP(w, r)
	}
}

// play has the source do a trick from now on; nil has it be honest.
func (f *feed) play(trick func(w http.ResponseWriter, r *http.Request) bool) {
	if trick == nil {
		f.trick.Store(nil)
		return
	}
	f.trick.Store(&trick)
}

// rewrite is a trick: a manifest that change has made of the present one, signed.
func (f *feed) rewrite(t *testing.T, change func(m *store.Manifest)) func(w http.ResponseWriter, r *http.Request) bool {
	t.Helper()
	m, err := store.ReadManifest(f.store)
	check(t, err)
	change(m)
	text := f.sign(t, m)
	return func(w http.ResponseWriter, r *http.Request) bool { return serveManifest(w, r, text) }
}

func (f *feed) sign(t *testing.T, m *store.Manifest) []byte { return signBy(t, m, f.signer) }

func signBy(t *testing.T, m *store.Manifest, by note.Signer) []byte {
	t.Helper()
	text, err := note.Sign(&note.Note{Text: string(m.Encode())}, by)
	check(t, err)
	return text
}

// stranger signs by the name of a feed, with a key that nobody trusts.
func stranger(t *testing.T) note.Signer {
	t.Helper()
	private, _, err := note.GenerateKey(rand.Reader, "faults.example.org")
	check(t, err)
	signer, err := note.NewSigner(private)
	check(t, err)
	return signer
}

func serveManifest(w http.ResponseWriter, r *http.Request, text []byte) bool {
	if r.URL.Path != "/manifest" {
		return false
	}
	w.Write(text)
	return true
}

// pull keeps the store edge like the feed's, by a lancred pull that waits to be started.
func (f *feed) pull(t *testing.T, edge string, flags ...string) *daemon {
	t.Helper()
	return f.pullFrom(t, f.url, edge, flags...)
}

// pullFrom is pull from another source; --from in flags names more.
func (f *feed) pullFrom(t *testing.T, source, edge string, flags ...string) *daemon {
	t.Helper()
	d := newDaemon(t, edge, append([]string{"--from", source, "--trust", f.trust, "--every", "100ms"}, flags...)...)
	d.by = "lancred pull"
	return d
}

// publish makes the next generation, and returns the number that it has in the store.
// Clients' answers are judged by how often was published, as always.
func (f *feed) publish(t *testing.T) uint64 {
	t.Helper()
	f.origin.publish(t)
	return f.number(t)
}

// number is that of the generation that was published last.
func (f *feed) number(t *testing.T) uint64 {
	t.Helper()
	return published(t, f.store)
}

// serve publishes a first generation and has an edge pull and serve it.
func (f *feed) serve(t *testing.T, flags ...string) (puller, server *daemon) {
	t.Helper()
	edge := edgeDir(t)
	server = serve(t, edge, "--trust", f.trust)
	puller = f.pull(t, edge, append(flags, "--health", "http://"+server.admin)...)
	puller.start()
	server.awaitGeneration(t, f.publish(t))
	f.served.Store(f.published.Load())
	return puller, server
}

// follow publishes and waits until the edge serves that.
func (f *feed) follow(t *testing.T, server *daemon) {
	t.Helper()
	server.awaitGeneration(t, f.publish(t))
	f.served.Store(f.published.Load())
}

func (f *feed) object(t *testing.T, r *http.Request) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(f.store, r.URL.Path))
	check(t, err)
	return content
}

// isObject reports whether r asks for one.
func isObject(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/objects/") }

func status(code int) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		http.Error(w, "", code)
		return true
	}
}
