package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"lancre/internal/programs"
)

// publishAuthority makes a CA whose files below dir clients ask about: its
// certificates good and revoked, and unanswered, about which nothing was signed;
// and the store of everything it signed.
func publishAuthority(t *testing.T, signer string) (a *authority, store string) {
	t.Helper()
	programs.Need(t, "openssl")
	dir := t.TempDir()
	newRoot(t, dir)
	a = newAuthority(t, dir, "ca", p256, signer)
	for _, cert := range []string{"good", "revoked", "unanswered"} {
		a.issue(t, cert, "leaf")
	}
	a.revoke(t, "revoked", "keyCompromise")
	sh(t, dir, "mkdir responses")
	if strings.HasPrefix(signer, byLancre) {
		a.sh(t, `grep -v CN=unanswered index.txt >answered.txt`)
		a.lancreSign(t, "openssl:answered.txt", "../responses/signed.der", "--no-store --store ../store")
	} else {
		a.respond(t, "good")
		a.respond(t, "revoked")
		sh(t, dir, "cp ca/*.resp responses/")
	}
	a.publish(t, filepath.Join(dir, "static"))
	sh(t, dir, `
		lancre build --out store --issuer ca/ca.pem --responses responses --static static
	`)
	return a, filepath.Join(dir, "store")
}

// serveAuthority is publishAuthority with a lancred that serves the store.
func serveAuthority(t *testing.T, signer string) (*authority, *programs.Daemon) {
	t.Helper()
	a, store := publishAuthority(t, signer)
	return a, programs.Start(t, store)
}

// forEachSigner runs a test for each kind of signer.
func forEachSigner(t *testing.T, test func(t *testing.T, signer string)) {
	t.Run("direct", func(t *testing.T) { test(t, direct) })
	t.Run("delegated", func(t *testing.T) { test(t, delegated) })
	t.Run("lancre", func(t *testing.T) { test(t, byResponder) })
}

// testdata returns the absolute path of a file in testdata.
func testdata(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
