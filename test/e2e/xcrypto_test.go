package e2e

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"testing"

	"golang.org/x/crypto/ocsp"

	"lancre/internal/programs"
)

// TestGo asks as Go programs do: golang.org/x/crypto/ocsp makes the requests, and
// verifies the responses.
func TestGo(t *testing.T) {
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			checkParsed(t, a, d, "good", hash, ocsp.Good)
			checkParsed(t, a, d, "revoked", hash, ocsp.Revoked)
			for method, answer := range askBoth(t, d, a.request(t, "unanswered", hash)) {
				_, err := ocsp.ParseResponse(answer, nil)
				if want := (ocsp.ResponseError{Status: ocsp.Unauthorized}); err != want {
					t.Errorf("%s about unanswered by %s: %v, want %v", method, hash, err, want)
				}
			}
		}
	})
}

// checkParsed wants that status, in a response signed for that CertID hash.
func checkParsed(t *testing.T, a *authority, d *programs.Daemon, cert string, hash crypto.Hash, status int) {
	t.Helper()
	for method, answer := range askBoth(t, d, a.request(t, cert, hash)) {
		r, err := ocsp.ParseResponseForCert(answer, a.keyPair(t, cert).Leaf, a.keyPair(t, "ca").Leaf)
		if err != nil {
			t.Errorf("%s about %s by %s: %v", method, cert, hash, err)
			continue
		}
		if r.Status != status || r.IssuerHash != hash {
			t.Errorf("%s about %s by %s: status %d by %s, want %d", method, cert, hash, r.Status, r.IssuerHash, status)
		}
	}
}

// request returns a request about a certificate.
func (a *authority) request(t *testing.T, cert string, hash crypto.Hash) []byte {
	t.Helper()
	der, err := ocsp.CreateRequest(a.keyPair(t, cert).Leaf, a.keyPair(t, "ca").Leaf, &ocsp.RequestOptions{Hash: hash})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// askBoth returns the answers by method, as net/http reads them.
func askBoth(t *testing.T, d *programs.Daemon, request []byte) map[string][]byte {
	t.Helper()
	answers := map[string][]byte{}
	read := func(resp *http.Response, err error) {
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		answers[resp.Request.Method] = body
	}
	base := "http://" + d.Addr + "/"
	read(http.Get(base + url.PathEscape(base64.StdEncoding.EncodeToString(request))))
	read(http.Post(base, "application/ocsp-request", bytes.NewReader(request)))
	return answers
}
