package key

import (
	"crypto"
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"

	"lancre/build/certs"
	"lancre/internal/programs"
	"lancre/internal/signtest"
)

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		what string
		key  crypto.Signer
		cert *x509.Certificate
		want string
	}{
		{"the same key", signtest.P256(), signtest.NewCA(t, signtest.P256()), ""},
		{"another key", signtest.P256(), signtest.NewCA(t, signtest.Other()), "not that of the certificate of CN=CA,O=Lancre test: its SHA-256 begins "},
		{"a key of another kind", signtest.P256(), signtest.NewCA(t, signtest.RSA()), "not that of the certificate of CN=CA"},
	} {
		err := Match(tt.key, tt.cert)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error %v, want %q", tt.what, err, tt.want)
		}
	}
}

// A certificate may say that its key signs by RSA-PSS alone, which is not done here.
func TestMatchRefusesPSS(t *testing.T) {
	programs.Need(t, "openssl")
	dir := t.TempDir()
	cert, file := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	openssl(t, "req", "-x509", "-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-nodes", "-keyout", file, "-out", cert, "-subj", "/CN=PSS")
	list, err := certs.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	if err := Match(signtest.RSA(), list[0]); err == nil || !strings.Contains(err.Error(), "the key of CN=PSS is for RSA-PSS alone") {
		t.Errorf("error %v", err)
	}
	if _, err := Open(file, Options{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("the key is opened: %v", err)
	}
}
