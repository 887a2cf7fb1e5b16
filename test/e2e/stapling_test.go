package e2e

import "testing"

// What s_client prints of a handshake without a staple.
const unstapled = "OCSP response: no response sent"

// TestNginxStaples lets nginx fetch and verify the status of its certificates. It
// fetches after the first handshake, which goes without, and staples only good.
func TestNginxStaples(t *testing.T) {
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		a.sh(t, chainFiles)
		startNginx(t, a.dir, testdata(t, "nginx-stapling.conf"), "s|@ADDR@|"+d.Addr+"|")
		tls := "-unix tls.sock"
		awaitHandshake(t, a, tls, "good", "OCSP Response Status: successful", "Cert Status: good")
		awaitHandshake(t, a, tls, "revoked", `certificate status "revoked" in the OCSP response`, unstapled)
		awaitHandshake(t, a, tls, "unanswered", "OCSP response not successful (6: unauthorized)", unstapled)
	})
}

// TestApacheStaples lets Apache httpd do the same. It fetches during the handshake
// and staples whatever the answer is.
func TestApacheStaples(t *testing.T) {
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		a.sh(t, chainFiles)
		tls := "-connect " + startApache(t, a.dir, "apache-stapling.conf", "ADDR="+d.Addr)
		awaitHandshake(t, a, tls, "good", "OCSP Response Status: successful", "Cert Status: good")
		awaitHandshake(t, a, tls, "revoked", "OCSP Response Status: successful", "Cert Status: revoked")
		awaitHandshake(t, a, tls, "unanswered", "OCSP Response Status: unauthorized")
	})
}

// TestModMDStaples lets mod_md, Apache httpd's other way, do it. It fetches before it is
// asked, and staples what says good or revoked.
func TestModMDStaples(t *testing.T) {
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		a.sh(t, chainFiles)
		tls := "-connect " + startApache(t, a.dir, "apache-md.conf", "ADDR="+d.Addr)
		awaitHandshake(t, a, tls, "good", "OCSP Response Status: successful", "Cert Status: good")
		awaitHandshake(t, a, tls, "revoked", "OCSP Response Status: successful", "Cert Status: revoked")
		awaitHandshake(t, a, tls, "unanswered", unstapled)
	})
}

// chainFiles writes what a server sends: the certificate and its issuer. nginx
// needs the issuer there to verify a response that carries no certificate.
const chainFiles = `
	for cert in good revoked unanswered; do cat $cert.pem ca.pem >$cert.chain.pem; done
`

// awaitHandshake shakes hands until the end of the server's log before that, and
// what s_client says of it, contain all of want.
func awaitHandshake(t *testing.T, a *authority, tls, cert string, want ...string) {
	t.Helper()
	await(t, a.dir, `
		tail -n 20 error.log
		openssl s_client $TLS -servername $CERT -status -CAfile chain.pem </dev/null 2>&1
	`, []string{"TLS=" + tls, "CERT=" + cert}, append(want, "Verify return code: 0 (ok)")...)
}
