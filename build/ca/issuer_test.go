package ca_test

import (
	"bytes"
	"math/big"
	"testing"

	"lancre/build/ca"
	"lancre/build/internal/recipe"
)

// Cross-certificates are one issuer, whichever comes first.
func TestCertificatesOfOneKeyAreOneIssuer(t *testing.T) {
	root := recipe.NewCA(t, "Root", recipe.OtherP256())
	self := recipe.NewCA(t, "CA", recipe.P256())
	cross := *self.Cert
	cross.SerialNumber = big.NewInt(77)
	crossed := recipe.Issue(t, &cross, root, recipe.P256())
	all, err := ca.Load([]string{recipe.File(t, "ca", self.Cert.Raw, crossed.Cert.Raw, root.Cert.Raw)})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.List) != 2 || len(all.List[0].Certs) != 2 {
		t.Errorf("%d issuers, the first with %d certificates; want 2 and 2", len(all.List), len(all.List[0].Certs))
	}
}

func TestIssuerFiles(t *testing.T) {
	a, b := recipe.NewCA(t, "A", recipe.P256()), recipe.NewCA(t, "B", recipe.OtherP256())
	pemA, pemB := recipe.PEM("CERTIFICATE", a.Cert.Raw), recipe.PEM("CERTIFICATE", b.Cert.Raw)
	tests := []struct {
		name string
		data []byte
		want int // issuers; -1 an error
	}{
		{"one DER", a.Cert.Raw, 1},
		{"two DER", bytes.Join([][]byte{a.Cert.Raw, b.Cert.Raw}, nil), 2},
		{"one PEM", pemA, 1},
		{"two PEM with words", bytes.Join([][]byte{[]byte("the A\n"), pemA, []byte("the B\n"), pemB}, nil), 2},
		{"the same twice", bytes.Join([][]byte{pemA, pemA}, nil), 1},
		{"empty", nil, -1},
		{"a key", recipe.PEM("PRIVATE KEY", []byte{0x30, 0x00}), -1},
		{"PEM cut", pemA[:len(pemA)-30], -1},
		{"second PEM cut", bytes.Join([][]byte{pemA, pemB[:len(pemB)-30]}, nil), -1},
		{"DER cut", a.Cert.Raw[:100], -1},
		{"words", []byte("hello"), -1},
	}
	for _, tt := range tests {
		all, err := ca.Load([]string{recipe.File(t, "ca", tt.data)})
		got := -1
		if err == nil {
			got = len(all.List)
		}
		if got != tt.want {
			t.Errorf("%s: %d issuers (%v), want %d", tt.name, got, err, tt.want)
		}
	}
}
