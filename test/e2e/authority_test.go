package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// An authority is an intermediate CA run by openssl in a directory of its own:
// ca.pem and ca.key, chain.pem (itself and the root), index.txt, and for each
// certificate NAME it issued NAME.pem, and what is asked and answered about it:
// NAME.sha1.req and .resp, NAME.sha256.req and .resp.
type authority struct {
	dir  string
	vars []string // $NAME, $KEY, $CNF and $SIGNER of its scripts
}

// What $KEY can be: arguments of openssl req -newkey.
const (
	rsa2048 = "rsa:2048"
	p256    = "ec -pkeyopt ec_paramgen_curve:P-256"
	ed25519 = "ed25519"
)

// What $SIGNER can be: arguments of openssl ocsp. A direct signer is the CA
// itself; a delegated one adds its certificate to every response.
const (
	direct    = "-rsigner ca.pem -rkey ca.key -resp_no_certs -resp_key_id"
	delegated = "-rsigner responder.pem -rkey responder.key"
)

// Signers that are lancre sign: as in the others, the second word is the signer's
// certificate; the options for certificate and key follow.
const (
	byLancre    = "lancre "
	byCA        = byLancre + "ca.pem --key ca.key"
	byResponder = byLancre + "responder.pem --responder responder.pem --key responder.key"
)

// hashes are the CertID hash algorithms clients ask with.
var hashes = []string{"sha1", "sha256"}

// newRoot makes root.pem and root.key in dir.
func newRoot(t *testing.T, dir string) {
	t.Helper()
	sh(t, dir, `
		openssl req -x509 -newkey $KEY -nodes -keyout root.key -out root.pem -days 90 -subj /CN=root
	`, "KEY="+p256)
}

// newAuthority makes the intermediate CA dir/name under the root in dir.
func newAuthority(t *testing.T, dir, name, key, signer string) *authority {
	t.Helper()
	cnf, err := filepath.Abs("testdata/openssl.cnf")
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{filepath.Join(dir, name), []string{"NAME=" + name, "KEY=" + key, "CNF=" + cnf, "SIGNER=" + signer}}
	if err := os.Mkdir(a.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	a.sh(t, `
		openssl req -newkey $KEY -nodes -keyout ca.key -out ca.csr -subj /CN=$NAME
		openssl x509 -req -in ca.csr -CA ../root.pem -CAkey ../root.key -days 90 \
			-extfile $CNF -extensions intermediate -out ca.pem
		cat ca.pem ../root.pem >chain.pem
		: >index.txt
		echo 01 >crlnumber
	`)
	a.issue(t, "responder", "responder")
	return a
}

// sh runs a script in the authority's directory.
func (a *authority) sh(t *testing.T, script string, vars ...string) string {
	t.Helper()
	return sh(t, a.dir, script, slices.Concat(a.vars, vars)...)
}

// issue makes a certificate with the extensions of that section of openssl.cnf,
// and enters it in index.txt.
func (a *authority) issue(t *testing.T, cert, extensions string) {
	t.Helper()
	a.sh(t, `
		openssl req -newkey $KEY -nodes -keyout $CERT.key -out $CERT.csr -subj /CN=$CERT
		openssl ca -config $CNF -batch -notext -keyfile ca.key -cert ca.pem \
			-extensions $EXTENSIONS -in $CERT.csr -out $CERT.pem
	`, "CERT="+cert, "EXTENSIONS="+extensions)
}

// issueUnrecorded makes a certificate that index.txt does not hear of.
func (a *authority) issueUnrecorded(t *testing.T, cert string) {
	t.Helper()
	a.sh(t, `
		openssl req -newkey $KEY -nodes -keyout $CERT.key -out $CERT.csr -subj /CN=$CERT
		openssl x509 -req -in $CERT.csr -CA ca.pem -CAkey ca.key -days 90 \
			-extfile $CNF -extensions leaf -out $CERT.pem
	`, "CERT="+cert)
}

// revoke enters a revocation in index.txt. A reason is one of openssl's names; ""
// gives none.
func (a *authority) revoke(t *testing.T, cert, reason string) {
	t.Helper()
	a.sh(t, `
		openssl ca -config $CNF -keyfile ca.key -cert ca.pem -revoke $CERT.pem ${REASON:+-crl_reason $REASON}
	`, "CERT="+cert, "REASON="+reason)
}

// respond asks about a certificate, once with each hash algorithm, and lets the
// authority answer from index.txt. The answers are valid for four days.
func (a *authority) respond(t *testing.T, cert string) {
	t.Helper()
	for _, hash := range hashes {
		a.sh(t, `
			openssl ocsp -$HASH -issuer ca.pem -cert $CERT.pem -no_nonce -reqout $CERT.$HASH.req
			openssl ocsp -index index.txt -CA ca.pem $SIGNER -ndays 4 \
				-reqin $CERT.$HASH.req -respout $CERT.$HASH.resp
		`, "CERT="+cert, "HASH="+hash)
	}
}

// publish writes what the authority's other URLs serve into static: its CRL, its
// certificate, and the certificate with the root's as certs-only CMS.
func (a *authority) publish(t *testing.T, static string) {
	t.Helper()
	a.sh(t, `
		mkdir -p $STATIC/$NAME.c.example.test $STATIC/$NAME.i.example.test
		openssl ca -config $CNF -keyfile ca.key -cert ca.pem -gencrl -out crl.pem
		openssl crl -in crl.pem -outform DER -out $STATIC/$NAME.c.example.test/1.crl
		openssl x509 -in ca.pem -outform DER -out $STATIC/$NAME.i.example.test/index.der
		openssl crl2pkcs7 -nocrl -certfile chain.pem -outform DER -out $STATIC/$NAME.i.example.test/chain.p7c
	`, "STATIC="+static)
}
