package static

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"os/exec"
	"path/filepath"
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
		"HTTP://I.EXAMPLE.:8080/A?b#c": "http://i.example/A",
		"http://i.example#a":           "http://i.example/",
		"https://i.example/ca.der":     "",
		"http:///ca.der":               "",
		"http://:80/":                  "",
		"i.example/ca.der":             "",
		"http:/":                       "",
		"":                             "",
	} {
		got := ""
		if at, ok := requested(uri); ok {
			got = at.url()
		}
		if got != want {
			t.Errorf("%q is asked for at %q, want %q", uri, got, want)
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
