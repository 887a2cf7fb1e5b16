package key

import (
	"crypto"
	"crypto/x509"
	"strings"
	"testing"

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
