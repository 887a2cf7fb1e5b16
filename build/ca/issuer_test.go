package ca_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lancre/build/ca"
	"lancre/build/internal/recipe"
	"lancre/internal/programs"
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

// An issuer is a CA: what anybody else signed must not be published.
func TestIssuersAreCAs(t *testing.T) {
	root := recipe.NewCA(t, "Root", recipe.P256())
	issued := func(name string, change func(*x509.Certificate)) []byte {
		template := x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotBefore: recipe.Now, NotAfter: recipe.Now.Add(recipe.Day)}
		change(&template)
		return recipe.Issue(t, &template, root, recipe.OtherP256()).Cert.Raw
	}
	for _, tt := range []struct {
		name   string
		change func(*x509.Certificate)
		want   string // in the error; "" for none
	}{
		{"leaf", func(*x509.Certificate) {}, "it has no basicConstraints"},
		{"leaf with CA:FALSE", func(c *x509.Certificate) { c.BasicConstraintsValid = true }, "its basicConstraints say that it is none"},
		{"CA for CRLs alone", func(c *x509.Certificate) {
			c.BasicConstraintsValid, c.IsCA, c.KeyUsage = true, true, x509.KeyUsageCRLSign
		}, "its key usage lacks keyCertSign"},
		{"CA without key usage", func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = true, true }, ""},
		{"CA", func(c *x509.Certificate) {
			c.BasicConstraintsValid, c.IsCA, c.KeyUsage = true, true, x509.KeyUsageCertSign
		}, ""},
	} {
		for _, files := range [][]string{
			{recipe.File(t, "leaf.pem", issued(tt.name, tt.change)), recipe.File(t, "root", root.Cert.Raw)},
			{recipe.File(t, "leaf.pem", root.Cert.Raw, issued(tt.name, tt.change))},
		} {
			_, err := ca.Load(files)
			if tt.want == "" && err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if tt.want == "" {
				continue
			}
			for _, want := range []string{"leaf.pem", "CN=" + tt.name, "issued by CN=Root", tt.want, "among --issuer: CN=Root)"} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v, want %q in it", tt.name, err, want)
				}
			}
		}
	}
}

// A certificate of version 1 cannot say that it is a CA's. Old roots are of that kind; and
// it is what openssl x509 makes of a request if it is told nothing of extensions.
func TestIssuersOfVersion1(t *testing.T) {
	programs.Need(t, "openssl")
	dir := t.TempDir()
	openssl := func(args ...string) {
		t.Helper()
		c := exec.Command("openssl", args...)
		c.Dir = dir
		if text, err := c.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v: %s", args, err, text)
		}
	}
	for _, name := range []string{"root", "leaf"} {
		openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN="+name, "-keyout", name+".key", "-out", name+".csr")
	}
	openssl("x509", "-req", "-in", "root.csr", "-signkey", "root.key", "-out", "root.pem")
	openssl("x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-out", "leaf.pem")
	root, leaf := filepath.Join(dir, "root.pem"), filepath.Join(dir, "leaf.pem")
	if all, err := ca.Load([]string{root}); err != nil || all.List[0].Cert.Version != 1 {
		t.Errorf("%v, %+v", err, all)
	}
	if _, err := ca.Load([]string{root, leaf}); err == nil || !strings.Contains(err.Error(), "leaf.pem: the certificate of CN=leaf, issued by CN=root, is no CA certificate: it is of version 1") {
		t.Errorf("%v", err)
	}
}

// A key that costs seconds to verify by, or by which anything would be a signature, is
// no issuer's, and nothing is verified by it.
func TestUnfitKeys(t *testing.T) {
	root := recipe.NewCA(t, "Root", recipe.P256())
	for _, tt := range []struct {
		bits     uint
		exponent int
		want     string // "" if the key will do
	}{
		{2048, 65537, ""},
		{2048, 3, ""},
		{8192, 1<<31 - 1, ""},
		{8193, 65537, "CN=CA: RSA key of 8193 bits, want at most 8192"},
		{390_000, 65537, "CN=CA: RSA key of 390000 bits, want at most 8192"},
		{2048, 1, "RSA key with the exponent 1, want an odd one from 3 to 2147483647"},
		{2048, 2, "RSA key with the exponent 2,"},
		{2048, 65536, "RSA key with the exponent 65536,"},
		{2048, 1<<31 + 1, "RSA key with the exponent 2147483649,"},
		{2048, 1<<62 + 1, "RSA key with the exponent 4611686018427387905,"},
	} {
		template := *root.Cert
		template.RawSubject, template.Subject = nil, pkix.Name{CommonName: "CA"}
		unfit := recipe.Issue(t, &template, root, recipe.AnyRSA(tt.bits, tt.exponent))
		file := recipe.File(t, "ca", unfit.Cert.Raw)
		_, err := ca.Load([]string{file})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), "issuer "+file+": ") || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%d bits, exponent %d: %v, want %q", tt.bits, tt.exponent, err, tt.want)
		}
		s := recipe.Must(ca.NewSigner(unfit.Cert))
		if err := s.Verify(ca.Algorithm{X509: x509.SHA256WithRSA}, nil, make([]byte, 256)); err == nil || tt.want != "" && err.Error() != s.Unfit {
			t.Errorf("%d bits, exponent %d: the signature is judged by %v, not by the key", tt.bits, tt.exponent, err)
		}
	}
}
