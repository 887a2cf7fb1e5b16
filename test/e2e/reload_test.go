package e2e

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lancre/internal/programs"
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

// TestReload follows an edge from an empty store through three generations to its
// end. The copy of the third is cut short at first.
func TestReload(t *testing.T) {
	programs.Need(t, "openssl", "curl")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, direct)
	a.issue(t, "one", "leaf")
	a.issue(t, "two", "leaf")

	a.sh(t, `mkdir edge`)
	d := programs.Start(t, filepath.Join(a.dir, "edge"))
	checkReady(t, d, "503")

	buildGeneration(t, a)
	a.sh(t, copyObjects+replaceManifest)
	d.Await(t, "generation served")
	checkReady(t, d, "200")
	checkStatus(t, d, a, "one", "good")
	checkStatus(t, d, a, "two", "good")

	a.revoke(t, "one", "keyCompromise")
	buildGeneration(t, a)
	a.sh(t, copyObjects+replaceManifest)
	d.Await(t, "generation served")
	checkStatus(t, d, a, "one", "revoked")
	checkStatus(t, d, a, "two", "good")

	a.revoke(t, "two", "superseded")
	buildGeneration(t, a)
	a.sh(t, copyObjects+`truncate -s -1 $SEGMENT`+replaceManifest)
	d.Await(t, "generation refused")
	checkReady(t, d, "200")
	checkStatus(t, d, a, "one", "revoked")
	checkStatus(t, d, a, "two", "good") // as the generation before it says

	a.sh(t, copyObjects+`rm $SEGMENT`+copyObjects)
	if err := d.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.Await(t, "generation served")
	checkStatus(t, d, a, "two", "revoked")

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
		# The status changes within the second that openssl has for a time.
		lancre build --out store --issuer ca.pem --responses responses --force ocsp.previous-conflict
	`)
}

// checkReady wants that HTTP status of /readyz.
func checkReady(t *testing.T, d *programs.Daemon, status string) {
	t.Helper()
	got := sh(t, t.TempDir(), `curl -sS -o /dev/null -w '%{http_code}' http://$ADMIN/readyz`, "ADMIN="+d.Admin)
	if got != status {
		t.Errorf("/readyz answers %s, want %s", got, status)
	}
}

// checkStatus wants openssl to believe the answer about a certificate, and the
// answer to be that status.
func checkStatus(t *testing.T, d *programs.Daemon, a *authority, cert, status string) {
	t.Helper()
	out := a.sh(t, `
		openssl ocsp -issuer ca.pem -cert $CERT.pem -CAfile chain.pem -url http://$ADDR 2>&1
	`, "CERT="+cert, "ADDR="+d.Addr)
	for _, want := range []string{"Response verify OK\n", cert + ".pem: " + status + "\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("openssl ocsp prints no %q:\n%s", want, out)
		}
	}
}
