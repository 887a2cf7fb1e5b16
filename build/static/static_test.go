package static

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"lancre/build/der"
	"lancre/build/internal/recipe"
	"lancre/index/store"
	"lancre/internal/programs"
)

func TestRequested(t *testing.T) {
	for uri, want := range map[string]string{
		"http://i.example/ca.der":      "http://i.example/ca.der",
		"http://i.example":             "http://i.example/",
		"http://i.example/":            "http://i.example/",
		"http://i.example//x/../y%2f":  "http://i.example//x/../y%2F",
		"HTTP://I.EXAMPLE.:8080/A?b#c": "http://i.example/A%3Fb or http://i.example/A",
		"http://i.example/A?b?%7e/%2f": "http://i.example/A%3Fb%3F~/%2F or http://i.example/A",
		"http://i.example#a?b":         "http://i.example/",
		"http://[2001:DB8::1]:80/x":    "http://[2001:db8::1]/x",
		"https://i.example/ca.der":     "",
		"http:///ca.der":               "",
		"http://:80/":                  "",
		"i.example/ca.der":             "",
		"http:/":                       "",
		"":                             "",
	} {
		var got []string
		for _, at := range requested(uri) {
			got = append(got, at.url())
		}
		if strings.Join(got, " or ") != want {
			t.Errorf("%q is asked for at %q, want %q", uri, got, want)
		}
	}
}

func TestURLsOfFiles(t *testing.T) {
	for uri, want := range map[string]string{
		"http://ca.example/1.crl":                      "http://ca.example/1.crl",
		"http://CA.example.:8080/search.cgi?iHash=AbC": "http://ca.example/search.cgi%3FiHash=AbC",
		"http://ca.example/?":                          "http://ca.example/%3F",
		"https://my_ca.example/%7eCA//%c3%bc.crl":      "http://my_ca.example/~CA//%C3%BC.crl",
		"http://ca.example/%28x%29.crl":                "http://ca.example/%28x%29.crl",
		"http://[2001:db8::1]:8080/1.crl":              "http://[2001:db8::1]/1.crl",
		"http://192.0.2.1/1.crl":                       "http://192.0.2.1/1.crl",

		"ldap://ca.example/CN=CA":       "want http:// or",
		"HTTP://ca.example/":            "want http:// or", // no client spells it so, and an octet decides
		"http://ca.example":             "want a path",
		"http://ca.example?x":           "want a path",
		"http://ca.example/1.crl#x":     "has a fragment",
		"http://ca.example/a b":         "want visible ASCII",
		"http://ca.example/ü":           "want visible ASCII",
		"http:///1.crl":                 `host ""`,
		"http://_/1.crl":                `host "_"`,
		"http://ca.example:99999/1.crl": `port "99999"`,
		"http://ca.example:/1.crl":      `port ""`,
		"http://me@ca.example/1.crl":    `label "me@ca"`,
		"http://ca..example/1.crl":      `label ""`,
		"http://[::1/1.crl":             "want an IPv6 address",
		"http://[fe80::1%25eth0]/1.crl": "want an IPv6 address",
		"http://[2001:db8:0::1]/1.crl":  `"[2001:db8::1]"`,
	} {
		at, err := parseURL(uri)
		got := at.url()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", uri, got, want)
		}
	}
}

func TestOpenSSLsP7CIsCertsOnly(t *testing.T) {
	programs.Need(t, "openssl")
	ca := recipe.NewCA(t, "CA", recipe.P256())
	out := filepath.Join(t.TempDir(), "out")
	in := recipe.File(t, "ca.pem", recipe.PEM("CERTIFICATE", ca.Cert.Raw))
	if text, err := exec.Command("openssl", "crl2pkcs7", "-nocrl", "-certfile", in, "-outform", "DER", "-out", out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if c, broken := recognise(data); broken != nil || c.kind != kindCMS {
		t.Errorf("%v, %v", c.kind, broken)
	}
}

// A certs-only CMS holds certificates, whatever else the octets are.
func FuzzCMS(f *testing.F) {
	ca := recipe.NewCA(f, "CA", recipe.P256())
	for _, seed := range [][]byte{
		recipe.P7C(nil, nil, ca.Cert.Raw), recipe.P7C(nil, nil, ca.Cert.Raw, ca.Cert.Raw), recipe.P7C(nil, nil), recipe.P7C([]byte{0x30, 0x00}, nil, ca.Cert.Raw),
		recipe.P7C(nil, func(b *cryptobyte.Builder) { b.AddBytes(recipe.Element(der.Tag1, recipe.NewCRL(f, ca))) }, ca.Cert.Raw),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		list, err := parseCertsOnly(der)
		if (err == nil) != (len(list) > 0) {
			t.Errorf("%d certificates, %v", len(list), err)
		}
		for _, cert := range list {
			if !bytes.Contains(der, cert.Raw) {
				t.Error("a certificate that is not in the octets")
			}
		}
	})
}

// Whatever the octets: no panic, and either a kind or a reason.
func FuzzStatic(f *testing.F) {
	ca := recipe.NewCA(f, "CA", recipe.P256(), func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "fuzz"} })
	for _, seed := range [][]byte{
		ca.Cert.Raw, recipe.NewCRL(f, ca), recipe.P7C(nil, nil, ca.Cert.Raw), []byte("<!DOCTYPE html>\n<title>Status</title>\n"), []byte("text"), nil,
		recipe.PEM("CERTIFICATE", ca.Cert.Raw), recipe.Response{Issuer: ca}.DER(f), ca.Cert.Raw[:50],
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, broken := recognise(data)
		if (broken == nil) != (c.kind != 0) || broken != nil && broken.Reason == "" {
			t.Errorf("kind %d, %+v", c.kind, broken)
		}
		if c.kind != 0 && c.kind.contentType() == "" {
			t.Errorf("%s has no content type", c.kind)
		}
	})
}

// The largest file that an edge reads is published, but not made for it.
func TestSizeLimit(t *testing.T) {
	for size, want := range map[int64]bool{store.MaxFileSize: true, store.MaxFileSize + 1: false} {
		if got := tooLarge(size) == ""; got != want {
			t.Errorf("%d octets are published: %v, want %v", size, got, want)
		}
	}
}
