package e2e

import (
	"testing"

	"lancre/internal/programs"
)

// TestNginxChecksClients lets nginx ask about the certificates of those who log in.
func TestNginxChecksClients(t *testing.T) {
	programs.Need(t, "curl")
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		a.sh(t, chainFiles)
		startNginx(t, a.dir, testdata(t, "nginx-clients.conf"), "s|@ADDR@|"+d.Addr+"|")
		url := "https://localhost/ --unix-socket tls.sock"
		awaitLogin(t, a, url, "good", "status 204")
		awaitLogin(t, a, url, "revoked", "status 400")
		awaitLogin(t, a, url, "unanswered", "OCSP response not successful (6: unauthorized)", "status 400")
	})
}

// TestApacheChecksClients lets Apache httpd do the same.
func TestApacheChecksClients(t *testing.T) {
	programs.Need(t, "curl")
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		url := startApacheClients(t, a, d, "off")
		awaitLogin(t, a, url, "good", "status 204")
		awaitLogin(t, a, url, "revoked", "certificate status: revoked", "status 000")
		awaitLogin(t, a, url, "unanswered", "OCSP response not successful: 6", "status 000")
	})
}

// TestApacheInsistsOnNonce wants Apache httpd to refuse everybody unless it is
// told to do without a nonce, or README.md gives needless advice.
func TestApacheInsistsOnNonce(t *testing.T) {
	programs.Need(t, "curl")
	a, d := serveAuthority(t, direct)
	awaitLogin(t, a, startApacheClients(t, a, d, "on"), "good", "bad nonce", "status 000")
}

// startApacheClients runs apache-clients.conf and returns its URL.
func startApacheClients(t *testing.T, a *authority, d *programs.Daemon, nonce string) (url string) {
	t.Helper()
	a.sh(t, chainFiles)
	return "https://" + startApache(t, a.dir, "apache-clients.conf", "ADDR="+d.Addr, "NONCE="+nonce)
}

// awaitLogin logs in until the end of the server's log before that, and what comes
// of it, contain all of want. The status is 000 if the handshake fails.
func awaitLogin(t *testing.T, a *authority, url, cert string, want ...string) {
	t.Helper()
	await(t, a.dir, `
		tail -n 20 error.log
		curl -sSk -w 'status %{http_code}\n' --cert $CERT.pem --key $CERT.key $URL 2>&1 || true
	`, []string{"URL=" + url, "CERT=" + cert}, want...)
}
