package faults

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
)

// An origin is a CA that signs, and a store that lancre builds of that. Every
// generation has new signatures, so an answer tells which one it is of.
type origin struct {
	ca        *demo.CA
	dir       string
	store     string // dir/store
	edge      string // a copy of store that each generation is brought to; "" for none
	certs     uint64
	questions []question
	at        time.Time // for which lancre build checks times; zero for now
	key       string    // file of the private key by which manifests are signed; "" for none
	expires   string    // after which they are stale; "" for never

	mu   sync.Mutex
	made map[string]mark // every response that was ever signed

	// The generations that an answer may be of, counted from 1: what was published
	// last, from before it could be seen, and what is known to be served.
	published, served atomic.Uint64

	withdrawn uint64 // certificates, by withdraw
}

// A question asks for one certificate under one hash algorithm.
type question struct {
	get, post []byte // HTTP requests without the empty line that ends a header
	body      []byte // of post
}

// A mark says what a response is.
type mark struct {
	question   int
	generation uint64
}

func newOrigin(t *testing.T, certs uint64) *origin {
	t.Helper()
	ca, err := demo.New(demo.Options{})
	check(t, err)
	dir := t.TempDir()
	o := &origin{ca: ca, dir: dir, store: filepath.Join(dir, "store"), certs: certs, made: make(map[string]mark)}
	issuer := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Issuer.Raw})
	check(t, os.WriteFile(filepath.Join(dir, "issuer.pem"), issuer, 0o644))
	o.publishFile(t, demo.PageHost, "index.html", []byte("<!doctype html><title>faults</title>"))
	for i := range certs {
		for _, alg := range ca.Hashes {
			o.questions = append(o.questions, ask(ca, i, alg))
		}
	}
	return o
}

// publishFile makes content part of the generations to come.
func (o *origin) publishFile(t *testing.T, host, name string, content []byte) {
	t.Helper()
	dir := filepath.Join(o.dir, "static", host)
	check(t, os.MkdirAll(dir, 0o755))
	check(t, os.WriteFile(filepath.Join(dir, name), content, 0o644))
}

func ask(ca *demo.CA, cert uint64, alg index.HashAlg) question {
	id, _ := ca.CertID(ca.Certificate(cert), alg) // alg is one of ca.Hashes
	der := id.Request(nil)
	return question{
		get: fmt.Appendf(nil, "GET /%s HTTP/1.1\r\nHost: o.demo.test\r\n", url.PathEscape(base64.StdEncoding.EncodeToString(der))),
		post: fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: o.demo.test\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n",
			len(der)),
		body: der,
	}
}

// sign signs the next generation and writes it to responses.der.
func (o *origin) sign(t *testing.T) {
	t.Helper()
	generation := o.published.Load() + 1
	var all bytes.Buffer
	o.mu.Lock()
	defer o.mu.Unlock()
	for q := range o.questions {
		hashes := len(o.ca.Hashes)
		der, err := o.ca.Sign(o.ca.Certificate(uint64(q/hashes)), o.ca.Hashes[q%hashes])
		check(t, err)
		o.made[string(der)] = mark{q, generation}
		all.Write(der)
	}
	check(t, os.WriteFile(filepath.Join(o.dir, "responses.der"), all.Bytes(), 0o644))
}

// build is the command that publishes what sign wrote.
func (o *origin) build(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "lancre", "build", "--out", o.store, "--issuer", filepath.Join(o.dir, "issuer.pem"),
		"--responses", filepath.Join(o.dir, "responses.der"), "--static", filepath.Join(o.dir, "static"))
	if o.key != "" {
		cmd.Args = append(cmd.Args, "--manifest-key", o.key)
	}
	if o.expires != "" {
		cmd.Args = append(cmd.Args, "--expires", o.expires)
	}
	if !o.at.IsZero() {
		cmd.Args = append(cmd.Args, "--at", o.at.UTC().Format(time.RFC3339))
	}
	return cmd
}

// publish makes the next generation and returns its count.
func (o *origin) publish(t *testing.T) uint64 {
	t.Helper()
	o.sign(t)
	generation := o.published.Add(1)
	run(t, o.build(t))
	if o.edge != "" {
		bring(t, o.store, o.edge)
	}
	return generation
}

// publishTo makes the next generation and waits until d serves it.
func (o *origin) publishTo(t *testing.T, d *daemon) {
	t.Helper()
	o.publish(t)
	d.awaitGeneration(t, published(t, o.store))
	o.served.Store(o.published.Load())
}

// judge says what is wrong with an answer to question q that was asked when
// generation from was served; empty if nothing is.
func (o *origin) judge(q int, body []byte, from uint64) string {
	until := o.published.Load()
	o.mu.Lock()
	m, ok := o.made[string(body)]
	o.mu.Unlock()
	switch {
	case !ok:
		return "octets that were never signed"
	case m.question != q:
		return "the answer to another question"
	case m.generation < from || m.generation > until:
		return fmt.Sprintf("an answer of generation %d, when %d to %d were current", m.generation, from, until)
	}
	return ""
}

// segmentName is the object of the one segment of the store dir.
func segmentName(t *testing.T, dir string) string {
	t.Helper()
	return filepath.Base(segment(t, dir))
}

// segment is the path of the one segment of the store dir.
func segment(t *testing.T, dir string) string {
	t.Helper()
	m, err := store.ReadManifest(dir)
	check(t, err)
	return filepath.Join(dir, "objects", m.Segments[0].SHA256)
}

// published is the number of the generation of the store dir.
func published(t *testing.T, dir string) uint64 {
	t.Helper()
	m, err := store.ReadManifest(dir)
	check(t, err)
	return m.Generation
}

// lostGenerations is 1 unless the store is whole and of one of the generations
// from to until.
func lostGenerations(t *testing.T, dir string, from, until uint64) int {
	t.Helper()
	var faults []string
	if err := store.Verify(dir, nil, func(f *store.Fault) { faults = append(faults, f.Error()) }); err != nil {
		t.Errorf("%v:\n%s", err, strings.Join(faults, "\n"))
		return 1
	}
	if got := published(t, dir); got < from || got > until {
		t.Errorf("%s is of generation %d, want %d to %d", dir, got, from, until)
		return 1
	}
	return 0
}

// run runs a command that must succeed.
func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}
