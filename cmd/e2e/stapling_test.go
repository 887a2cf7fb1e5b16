package e2e

import (
	"net"
	"testing"
)

// What s_client prints of a handshake without a staple.
const unstapled = "OCSP response: no response sent"

// TestNginxStaples lets nginx fetch and verify the status of its certificates. It
// fetches after the first handshake, which goes without, and staples only good.
func TestNginxStaples(t *testing.T) {
	need(t, "nginx")
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		a.sh(t, chainFiles)
		startNginx(t, a.dir, testdata(t, "nginx-stapling.conf"), "s|@ADDR@|"+d.addr+"|")
		tls := "-unix tls.sock"
		awaitHandshake(t, a, tls, "good", "OCSP Response Status: successful", "Cert Status: good")
		awaitHandshake(t, a, tls, "revoked", `certificate status "revoked" in the OCSP response`, unstapled)
		awaitHandshake(t, a, tls, "unanswered", "OCSP response not successful (6: unauthorized)", unstapled)
	})
}

// TestApacheStaples lets Apache httpd do the same. It fetches during the handshake
// and staples whatever the answer is.
func TestApacheStaples(t *testing.T) {
	need(t, "apache2")
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		addr := freeAddr(t)
		a.sh(t, chainFiles)
		start(t, a.dir, `exec apache2 -d . -f $CONF -D FOREGROUND`,
			"CONF="+testdata(t, "apache-stapling.conf"), "ADDR="+d.addr, "TLS="+addr)
		tls := "-connect " + addr
		awaitHandshake(t, a, tls, "good", "OCSP Response Status: successful", "Cert Status: good")
		awaitHandshake(t, a, tls, "revoked", "OCSP Response Status: successful", "Cert Status: revoked")
		awaitHandshake(t, a, tls, "unanswered", "OCSP Response Status: unauthorized")
	})
}

// chainFiles writes what a server sends: the certificate and its issuer. nginx
// needs the issuer there to verify a response that carries no certificate.
const chainFiles = `
	for cert in good revoked unanswered; do cat $cert.pem ca.pem >$cert.chain.pem; done
`

// awaitHandshake shakes hands until the server's log before the handshake, and
// what s_client says of it, contain all of want.
func awaitHandshake(t *testing.T, a *authority, tls, cert string, want ...string) {
	t.Helper()
	await(t, a.dir, `
		cat error.log
		openssl s_client $TLS -servername $CERT -status -CAfile chain.pem </dev/null 2>&1
	`, []string{"TLS=" + tls, "CERT=" + cert}, append(want, "Verify return code: 0 (ok)")...)
}

// freeAddr returns an address on loopback with a port that the kernel just chose,
// for a program that cannot be told to let it choose.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
