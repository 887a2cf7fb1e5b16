package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lancre/index/store"
)

// Of a signed generation it is said when it is stale, also when it is; and it is served.
func TestManifestExpires(t *testing.T) {
	pair, err := store.GenerateKey("origin.example.org", t.TempDir())
	check(t, err)
	keys, err := store.ReadKeys(pair.Private)
	check(t, err)
	trust, err := store.ReadTrust(pair.Public)
	check(t, err)
	dir := t.TempDir()
	p, err := store.Begin(dir)
	check(t, err)
	defer p.Close()
	check(t, p.SignWith(store.Signing{Keys: keys, Expires: time.Hour}))
	sum, size, err := p.AddObject(strings.NewReader("page"))
	check(t, err)
	check(t, p.Commit(&store.Manifest{Created: start, Files: []store.FileLine{{
		Host: "_", Path: "/page", ContentType: "text/plain", Size: size, SHA256: sum, LastModified: start,
	}}}))
	e := newEdgeOver(t, dir, func(c *Config) { c.Trust = trust }).serve(t)
	for _, after := range []time.Duration{0, time.Hour - time.Second, time.Hour, 48 * time.Hour} {
		e.time.Store(start.Add(after).Unix())
		wantReload(t, e, Unchanged, "")
		_, text := e.admin("GET", "/metrics")
		if want := fmt.Sprintf("lancred_manifest_expires_timestamp_seconds %v\n", float64(start.Add(time.Hour).Unix())); !strings.Contains(text, want) {
			t.Errorf("%v after it was made: no %q", after, want)
		}
		wantAdmin(t, e, "GET", "/readyz", 200, "")
	}
	restarted := newEdgeOver(t, dir, func(c *Config) { c.Trust = trust }) // an hour after it was made, when it is stale
	wantAdmin(t, restarted, "GET", "/readyz", 200, "")
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
