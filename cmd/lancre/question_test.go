package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lancre/index"
)

func TestParseSerial(t *testing.T) {
	for _, tt := range []struct{ in, want string }{ // want is the content octets in hex; "" an error
		{"01", "01"},
		{"1", "01"},
		{"0", "00"},
		{"7f", "7f"},
		{"80", "0080"},
		{"0080", "0080"},
		{"0000007F", "7f"},
		{"0xAbC", "0abc"},
		{"03:F1:c2", "03f1c2"},
		{strings.Repeat("f", 40), "00" + strings.Repeat("f", 40)},
		{"", ""},
		{"0x", ""},
		{":", ""},
		{"-1", ""},
		{"12 34", ""},
		{"serial=01", ""},
	} {
		got, err := parseSerial(tt.in)
		if fmt.Sprintf("%x", got) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: %x, error %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

// The content octets must be those that encoding/asn1 gives the same number.
func FuzzParseSerial(f *testing.F) {
	for _, s := range []string{"01", "0", "0x80", "03:F1:c2", "0000", "-1", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseSerial(s)
		if err != nil {
			return
		}
		digits := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(s), "0x"), ":", "")
		n, ok := new(big.Int).SetString(digits, 16)
		if !ok || n.Sign() < 0 {
			t.Fatalf("%q is no positive number, but gave %x", s, got)
		}
		der, err := asn1.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var want asn1.RawValue
		if _, err := asn1.Unmarshal(der, &want); err != nil || !bytes.Equal(got, want.Bytes) {
			t.Errorf("%q: %x, want %x", s, got, want.Bytes)
		}
	})
}

// A certificate may spell the name of its issuer otherwise than that does: its CertID
// has it as the certificate has it.
func TestIssuerNameInAnotherEncoding(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "CA"}}
	issue := func(name string, parent *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, der, 0o600); err != nil {
			t.Fatal(err)
		}
		return cert
	}
	dir := t.TempDir()
	caFile, leafFile := filepath.Join(dir, "ca"), filepath.Join(dir, "leaf")
	ca := *issue(caFile, template)
	ca.RawSubject = bytes.Replace(ca.RawSubject, []byte{asn1.TagPrintableString, 2}, []byte{asn1.TagUTF8String, 2}, 1)
	leaf := issue(leafFile, &ca)
	q := question{issuerFile: caFile, certFile: leafFile, algs: []index.HashAlg{index.SHA1}}
	ids, err := q.certIDs()
	if err != nil {
		t.Fatal(err)
	}
	if want := sha1.Sum(leaf.RawIssuer); len(ids) != 1 || !bytes.Equal(ids[0].NameHash, want[:]) || bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
		t.Errorf("%d CertIDs, the first with the name hash %x; want %x", len(ids), ids[0].NameHash, want)
	}
}
