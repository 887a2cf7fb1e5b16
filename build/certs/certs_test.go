package certs_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"lancre/build/certs"
	"lancre/build/demo"
	"lancre/index"
)

func encodePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestReadFile(t *testing.T) {
	ca, err := demo.New(demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Issue(ca.Certificate(0))
	if err != nil {
		t.Fatal(err)
	}
	issuerPEM, leafPEM := encodePEM(ca.Issuer.Raw), encodePEM(leaf.Raw)
	key := []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	for name, tt := range map[string]struct {
		content []byte
		want    []string // subjects
		err     string
	}{
		"der":       {content: ca.Issuer.Raw, want: []string{"Lancre demo CA"}},
		"two der":   {content: slices.Concat(ca.Issuer.Raw, leaf.Raw), want: []string{"Lancre demo CA", "good.demo.test"}},
		"pem":       {content: issuerPEM, want: []string{"Lancre demo CA"}},
		"pem BOM":   {content: slices.Concat([]byte("\ufeff"), issuerPEM), want: []string{"Lancre demo CA"}},
		"pem chain": {content: slices.Concat([]byte("comment\n"), leafPEM, []byte("comment\n"), issuerPEM), want: []string{"good.demo.test", "Lancre demo CA"}},
		"key":       {content: slices.Concat(issuerPEM, key), err: `PEM block of "PRIVATE KEY" among the certificates`},
		"empty":     {content: nil, err: "file is empty"},
		"text":      {content: []byte("certificate"), err: "not a certificate in PEM or DER"},
		"cut pem":   {content: issuerPEM[:200], err: "PEM cannot be decoded"},
		"cut der":   {content: ca.Issuer.Raw[:100], err: "not a certificate in PEM or DER"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			list, err := certs.ReadFile(path)
			var got []string
			for _, c := range list {
				got = append(got, c.Subject.CommonName)
			}
			if !slices.Equal(got, tt.want) || (err == nil) != (tt.err == "") {
				t.Errorf("%v, error %v; want %v, %q", got, err, tt.want, tt.err)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), path)) {
				t.Errorf("error %v, want %q and the file's name", err, tt.err)
			}
		})
	}
}

// x/crypto/ocsp asks about a certificate by the same CertID.
func TestIDAgreesWithXCrypto(t *testing.T) {
	for _, kind := range []demo.KeyType{demo.P256, demo.RSA2048} {
		ca, err := demo.New(demo.Options{Key: kind})
		if err != nil {
			t.Fatal(err)
		}
		serial := new(big.Int).Lsh(big.NewInt(0xfe), 100)
		for _, alg := range index.HashAlgs() {
			der, err := ocsp.CreateRequest(&x509.Certificate{SerialNumber: serial}, ca.Issuer, &ocsp.RequestOptions{Hash: alg.Hash()})
			if err != nil {
				t.Fatal(err)
			}
			id, err := certs.ID(ca.Issuer, alg, certs.Serial(serial))
			if err != nil {
				t.Fatal(err)
			}
			if got := id.Request(nil); !bytes.Equal(got, der) {
				t.Errorf("%s, %s: request is\n%x, want\n%x", kind, alg, got, der)
			}
		}
	}
}

func TestSerial(t *testing.T) {
	for n, want := range map[int64]string{0: "\x00", 1: "\x01", 0x7f: "\x7f", 0x80: "\x00\x80", 0x8000: "\x00\x80\x00"} {
		if got := certs.Serial(big.NewInt(n)); string(got) != want {
			t.Errorf("%d is %x, want %x", n, got, want)
		}
	}
}
