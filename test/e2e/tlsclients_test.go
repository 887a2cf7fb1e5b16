package e2e

import (
	"strings"
	"testing"

	"lancre/internal/programs"
)

// serveTLS runs a TLS server with that certificate of a, and returns its address.
func serveTLS(t *testing.T, a *authority, cert string) (addr string) {
	t.Helper()
	addr = freeAddr(t)
	start(t, a.dir, `exec openssl s_server -quiet -www -accept $TLS -cert $CERT.pem -key $CERT.key -cert_chain ca.pem`, "TLS="+addr, "CERT="+cert)
	await(t, a.dir, `openssl s_client -connect $TLS -CAfile chain.pem </dev/null 2>&1`, []string{"TLS=" + addr}, "Verify return code: 0 (ok)")
	return addr
}

// vouch adds the root's response about the CA itself to the store.
func vouch(t *testing.T, a *authority, store string) {
	t.Helper()
	a.sh(t, `
		serial=$(openssl x509 -in ca.pem -noout -serial | cut -d= -f2)
		printf 'V\t%s\t\t%s\tunknown\t/CN=ca\n' $(date -u -d '+90 days' +%y%m%d%H%M%SZ) $serial >root.txt
		openssl ocsp -sha1 -issuer ../root.pem -cert ca.pem -no_nonce -reqout ca.req
		openssl ocsp -index root.txt -CA ../root.pem -rsigner ../root.pem -rkey ../root.key -resp_no_certs -resp_key_id \
			-ndays 4 -reqin ca.req -respout ca.resp
		lancre add $STORE --issuer ca.pem --issuer ../root.pem --responses ca.resp
	`, "STORE="+store)
}

// TestStunnel wants a client's stunnel, which also asks about the CA's certificate, to
// connect to a server whose certificate is good, and to no other.
func TestStunnel(t *testing.T) {
	programs.Need(t, "stunnel", "curl")
	forEachSigner(t, func(t *testing.T, signer string) {
		a, store := publishAuthority(t, signer)
		vouch(t, a, store)
		d := programs.Start(t, store)
		for cert, want := range map[string]string{
			"good": "200 ok", "revoked": "OCSP: Status: revoked", "unanswered": "OCSP: Responder error: 6: unauthorized",
		} {
			tunnel, tls := freeAddr(t), serveTLS(t, a, cert)
			start(t, a.dir, `
				sed "s|@ADDR@|$ADDR|; s|@TLS@|$TLS|; s|@ACCEPT@|$TUNNEL|" $CONF >$CERT.stunnel
				exec stunnel $CERT.stunnel 2>$CERT.log
			`, "ADDR="+d.Addr, "TLS="+tls, "TUNNEL="+tunnel, "CERT="+cert, "CONF="+testdata(t, "stunnel.conf"))
			await(t, a.dir, `curl -si http://$TUNNEL/ || true; cat $CERT.log`, []string{"TUNNEL=" + tunnel, "CERT=" + cert}, want)
			if out, _ := try(t, a.dir, `curl -si http://$TUNNEL/`, "TUNNEL="+tunnel); strings.Contains(out, "200 ok") != (cert == "good") {
				t.Errorf("%s: through the tunnel came %q", cert, out)
			}
		}
	})
}

// TestErlang wants Erlang's ssl_crl_cache to fetch the CRL that a certificate names, and
// to refuse the certificate that it lists.
func TestErlang(t *testing.T) {
	programs.Need(t, "escript")
	a, d := serveAuthority(t, direct)
	for cert, want := range map[string]string{"good": "connected", "revoked": "certificate_revoked"} {
		got := a.sh(t, `escript $SCRIPT $TLS $ADDR chain.pem 2>&1 || true`,
			"SCRIPT="+testdata(t, "crl.escript"), "TLS="+serveTLS(t, a, cert), "ADDR="+d.Addr)
		if !strings.Contains(got, want) {
			t.Errorf("%s: Erlang says %q, want %q", cert, got, want)
		}
	}
}
