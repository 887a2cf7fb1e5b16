package e2e

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What an origin does to bring the generation in store to an edge: every object
// is there before the manifest that names it. $SEGMENT is the segment's object.
const (
	copyObjects = `
		mkdir -p edge/objects
		cp -n store/objects/* edge/objects/
		SEGMENT=edge/objects/$(awk '$1 == "segment" { print $6 }' store/manifest)
	`
	replaceManifest = `
		cp store/manifest edge/manifest.new
		mv edge/manifest.new edge/manifest
	`
)

// TestReload brings three generations to a running edge: two good ones, and one
// whose segment is cut short in the copy and then copied again.
func TestReload(t *testing.T) {
	need(t, "openssl")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, direct)
	a.issue(t, "one", "leaf")
	a.issue(t, "two", "leaf")

	buildGeneration(t, a)
	a.sh(t, copyObjects+replaceManifest)
	d := serve(t, filepath.Join(a.dir, "edge"))
	checkStatus(t, d, a, "one", "good")
	checkStatus(t, d, a, "two", "good")

	a.revoke(t, "one", "keyCompromise")
	buildGeneration(t, a)
	a.sh(t, copyObjects+replaceManifest)
	d.await(t, "generation served")
	checkStatus(t, d, a, "one", "revoked")
	checkStatus(t, d, a, "two", "good")

	a.revoke(t, "two", "superseded")
	buildGeneration(t, a)
	a.sh(t, copyObjects+`truncate -s -1 $SEGMENT`+replaceManifest)
	d.await(t, "generation refused")
	checkStatus(t, d, a, "one", "revoked")
	checkStatus(t, d, a, "two", "good") // as the generation before it says

	a.sh(t, copyObjects+`rm $SEGMENT`+copyObjects)
	d.signal(t, syscall.SIGHUP)
	d.await(t, "generation served")
	checkStatus(t, d, a, "two", "revoked")
}

// TestStop wants SIGTERM to end an edge with exit status 0.
func TestStop(t *testing.T) {
	d := serve(t, t.TempDir())
	d.signal(t, syscall.SIGTERM)
	if status := d.wait(t); status != 0 {
		t.Errorf("lancred exits with status %d on SIGTERM, want 0", status)
	}
}

// buildGeneration lets a answer for its certificates as index.txt has them now,
// and publishes that as the next generation of store.
func buildGeneration(t *testing.T, a *authority) {
	t.Helper()
	a.respond(t, "one")
	a.respond(t, "two")
	a.sh(t, `
		mkdir -p responses
		cp *.resp responses/
		lancre build --out store --issuer ca.pem --responses responses
	`)
}

// checkStatus wants openssl to believe the answer about a certificate, and the
// answer to be that status.
func checkStatus(t *testing.T, d *daemon, a *authority, cert, status string) {
	t.Helper()
	out := a.sh(t, `
		openssl ocsp -issuer ca.pem -cert $CERT.pem -CAfile chain.pem -url http://$ADDR 2>&1
	`, "CERT="+cert, "ADDR="+d.addr)
	for _, want := range []string{"Response verify OK\n", cert + ".pem: " + status + "\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("openssl ocsp prints no %q:\n%s", want, out)
		}
	}
}
