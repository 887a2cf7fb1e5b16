package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lancre/internal/programs"
)

// nextSecond waits for one: openssl signs times in whole seconds, and of two responses
// of one second nobody can tell which is newer.
func nextSecond() { time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) }

// TestFollowOpenssl has lancre follow publish what an authority run with openssl puts
// into a spool and a static tree, and openssl believe what lancred makes of it.
func TestFollowOpenssl(t *testing.T) {
	programs.Need(t, "openssl")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "followed", p256, delegated)
	a.issue(t, "leaf", "leaf")
	write(t, filepath.Join(dir, "lancre.toml"), `
		store = "store"
		issuers = ["followed/ca.pem"]
		admin = "127.0.0.1:0"
		[[spool]]
		dir = "spool"
		[[static]]
		dir = "www"
	`)
	for _, name := range []string{"spool", "www", "store"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	follow := programs.Follow(t, filepath.Join(dir, "lancre.toml"))
	put := func() {
		a.respond(t, "leaf")
		a.sh(t, `cat leaf.*.resp >../spool/.new; mv ../spool/.new ../spool/leaf.der`)
		follow.Await(t, "published", "source", "spool")
	}
	put()
	d := programs.Start(t, filepath.Join(dir, "store"))
	asks := func(want string) {
		t.Helper()
		await(t, a.dir, `openssl ocsp -issuer ca.pem -cert leaf.pem -CAfile chain.pem -no_nonce -url http://$ADDR 2>&1`,
			[]string{"ADDR=" + d.Addr}, "Response verify OK", "leaf.pem: "+want)
	}
	asks("good")
	a.publish(t, filepath.Join(dir, "www")) // several files, one after another
	crl := func(want string) {
		t.Helper()
		await(t, a.dir, `curl -sS --fail --connect-to ::$ADDR http://followed.c.example.test/1.crl | openssl crl -inform DER -CAfile chain.pem -noout -text 2>&1`,
			[]string{"ADDR=" + d.Addr}, "verify OK", want)
	}
	crl("No Revoked Certificates")
	nextSecond()
	a.revoke(t, "leaf", "keyCompromise")
	put()
	asks("revoked")
	a.publish(t, filepath.Join(dir, "www"))
	crl("Key Compromise")
}

// TestFollowCfssl has lancre follow read the table that cfssl ocsprefresh fills.
func TestFollowCfssl(t *testing.T) {
	addInstalled(t)
	programs.Need(t, "cfssl", "cfssljson", "openssl")
	dir := t.TempDir()
	makeCfsslDatabase(t, filepath.Join(dir, "certs.db"))
	makeCfsslCA(t, dir)
	write(t, filepath.Join(dir, "lancre.toml"), `
		store = "store"
		issuers = ["ca.pem"]
		admin = "127.0.0.1:0"
		[[database]]
		name = "cfssl"
		url = "sqlite:certs.db"
		query = "SELECT body, CAST(expiry AS TEXT) FROM ocsp_responses WHERE expiry > :since ORDER BY expiry"
	`)
	refresh := func() {
		t.Helper()
		sh(t, dir, `cfssl ocsprefresh -loglevel 3 -db-config db.json -ca ca.pem -responder responder.pem -responder-key responder-key.pem -interval 96h`)
	}
	follow := programs.Follow(t, filepath.Join(dir, "lancre.toml"))
	refresh()
	follow.Await(t, "published", "source", "cfssl")
	d := programs.Start(t, filepath.Join(dir, "store"))
	asks := func(cert, want string) {
		t.Helper()
		await(t, dir, `openssl ocsp -issuer ca.pem -cert $CERT.pem -CAfile ca.pem -no_nonce -url http://$ADDR 2>&1`,
			[]string{"ADDR=" + d.Addr, "CERT=" + cert}, fmt.Sprintf("Response verify OK\n%s.pem: %s\n", cert, want))
	}
	asks("leaf", "good")
	// Another certificate, for cfssl signs in whole minutes: of one revoked in the minute
	// of its first response nobody could tell which is newer.
	sh(t, dir, cfsslFunctions+"issue late server -db-config db.json")
	sh(t, dir, revokeCfssl, "CERT=late")
	refresh()
	asks("late", "revoked")
	asks("leaf", "good")
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
