package build

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"lancre/build/der"
	"lancre/build/internal/recipe"
	"lancre/index/store"
)

// staticVectors are for checks of static files.
func staticVectors(t *testing.T) []vector {
	root := recipe.NewCA(t, "Root", recipe.OtherP256())
	ca := newSubCA(t, root)
	var list []vector
	for _, tt := range slices.Concat(fileCases(ca), pageCases(), certCases(t, root, ca), certSetCases(t, root, ca), namedCases(ca), pointCases(t, ca)) {
		list = append(list, tt.vector(ca))
	}
	large := func(name string, size int64, rejects string) vector {
		return vector{name, "static.size", rejects, nowhere, judgeBuild(ca, func(t *testing.T) Config {
			dir := recipe.Dir(t, map[string][]byte{"a.example/x.txt": []byte("x")})
			if err := os.Truncate(filepath.Join(dir, "a.example", "x.txt"), size); err != nil {
				t.Fatal(err)
			}
			return Config{Static: []string{dir}}
		})}
	}
	return append(list, large("small", 1, nowhere), large("beyond what an edge reads", store.MaxFileSize+1, everywhere))
}

// newSubCA makes a CA below root, whose certificate breaks no rule.
func newSubCA(t *testing.T, root recipe.Identity, change ...func(*x509.Certificate)) recipe.Identity {
	t.Helper()
	template := *root.Cert
	template.Subject.CommonName, template.RawSubject, template.SubjectKeyId = "CA", nil, nil
	template.SerialNumber = root.Cert.SerialNumber
	for _, f := range change {
		f(&template)
	}
	return recipe.Issue(t, &template, root, recipe.P256())
}

func fileCases(ca recipe.Identity) []staticCase {
	text := func(name string) map[string][]byte { return map[string][]byte{name: []byte("words\n")} }
	urls := func(lines ...string) map[string][]byte {
		return map[string][]byte{"a.example/x.txt": []byte("x"), "a.example/z.txt": []byte("z"), "urls.csv": []byte("url,file\n" + strings.Join(lines, "\n"))}
	}
	both := map[string][]byte{"a.example/index.html": []byte(page), "a.example/x/index.html": []byte(page)}
	twice := map[string][]byte{"a.example/index.html": []byte(page), "a.example/index.der": ca.Cert.Raw}
	return []staticCase{
		{name: "host of 63 octets", check: "static.name", files: text(strings.Repeat("a", 63) + "/x.txt")},
		{name: "host of 64 octets", check: "static.name", rejects: everywhere, files: text(strings.Repeat("a", 64) + "/x.txt")},
		{name: "text", check: "static.type", files: text("a.example/x.txt")},
		{name: "text named .crl", check: "static.type", rejects: everywhere, files: text("a.example/x.crl")},
		{name: "indexes of two folders", check: "static.duplicate", files: both},
		{name: "two indexes of one", check: "static.duplicate", rejects: everywhere, files: twice},
		{name: "no base64", check: "static.ocsp-path", files: text("a.example/MBQw.txt")},
		{name: "base64 of another octet", check: "static.ocsp-path", files: text("a.example/Many")},
		{name: "base64 of a SEQUENCE", check: "static.ocsp-path", rejects: everywhere, files: text("a.example/MBQw")},
		{name: "base64 below a prefix", check: "static.ocsp-path", rejects: everywhere, files: text("a.example/ocsp/v1/MBQw")},
		{name: "base64 in the other alphabet", check: "static.ocsp-path", rejects: everywhere, files: text("a.example/MBQ_")},
		{name: "below .well-known", check: "static.ocsp-path", files: text("a.example/.well-known/acme-challenge/MBQw")},
		{name: "a URL of a file", check: "static.url", files: urls("http://a.example:8080/y?z,a.example/x.txt")},
		{name: "a URL of nothing", check: "static.url", rejects: everywhere, files: urls("http://a.example:8080/y?z,a.example/y.txt")},
		{name: "a URL of base64", check: "static.url", rejects: everywhere, files: urls("http://a.example/MBQw,a.example/x.txt")},
		{name: "a URL of another scheme", check: "static.url", rejects: everywhere, files: urls("ldap://a.example/y,a.example/x.txt")},
		{name: "no header", check: "static.url", rejects: everywhere, files: map[string][]byte{"a.example/x.txt": []byte("x"), "urls.csv": []byte("http://a.example/y,a.example/x.txt\n")}},
		{name: "not CSV", check: "static.url", rejects: everywhere, files: urls("\"http://a.example/y,a.example/x.txt")},
		{name: "a URL of two", check: "static.duplicate", rejects: everywhere, files: urls("http://a.example:1/y,a.example/x.txt", "http://a.example:2/y,a.example/z.txt")},
		{name: "base64 in two folders", check: "static.ocsp-path", rejects: everywhere, files: text("a.example/MBQw/MBQ")},
	}
}

func certCases(t *testing.T, root, ca recipe.Identity) []staticCase {
	file := func(data []byte) map[string][]byte { return map[string][]byte{"i.example/ca.der": data} }
	with := func(change func(*x509.Certificate)) map[string][]byte {
		return file(newSubCA(t, root, change).Cert.Raw)
	}
	bundle := func(data []byte) map[string][]byte { return map[string][]byte{"i.example/ca.p7c": data} }
	good := file(ca.Cert.Raw)
	ocsp := func(octets int) map[string][]byte {
		return with(func(c *x509.Certificate) {
			prefix := "http://o.example/"
			c.OCSPServer = []string{prefix + strings.Repeat("a", octets-len(prefix))}
		})
	}
	longest := 255 - 1 - (95+1+2)/3*4 // less a slash and the base64 for a serial of one octet
	https, http := "https://o.example/", "http://o.example/"
	return []staticCase{
		{name: "one", check: "cert.der", files: good},
		{name: "of a certificate", check: "cert.size", files: good},
		{name: "too large", check: "cert.size", rejects: everywhere, files: with(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: make([]byte, 10<<20)}}
		})},
		{name: "too large a CMS", check: "cert.size", rejects: everywhere, files: bundle(recipe.Element(0x30, recipe.Element(0x06, make([]byte, 10<<20))))},
		{name: "not DER", check: "cert.der", rejects: everywhere, files: file(append([]byte{0x30, 0x82, 0x02, 0x00, 0x30, 0x82, 0x01, 0xfc, 0xa0, 0x03}, make([]byte, 506)...))},
		{name: "whole octets", check: "cert.key-form", files: good},
		{name: "unused bits", check: "cert.key-form", rejects: everywhere, files: file(withUnusedBit(ca.Cert))},
		{name: "certificates", check: "cert.cms", files: bundle(recipe.P7C(nil, nil, ca.Cert.Raw))},
		{name: "signed", check: "cert.cms", rejects: everywhere, files: bundle(recipe.P7C([]byte{0x30, 0x00}, nil, ca.Cert.Raw))},
		{name: "a CRL", check: "cert.cms", rejects: everywhere, files: bundle(recipe.P7C(nil, func(b *cryptobyte.Builder) { b.AddBytes(recipe.Element(der.Tag1, recipe.NewCRL(t, ca))) }, ca.Cert.Raw))},
		{name: "CA", check: "cert.ca", files: good},
		{name: "CA without a key usage", check: "cert.ca", files: with(func(c *x509.Certificate) { c.KeyUsage = 0 })},
		{name: "no CA", check: "cert.ca", rejects: everywhere, files: with(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, 0 })},
		{name: "CA without keyCertSign", check: "cert.ca", rejects: everywhere, files: with(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })},
		{name: "30 days left", check: "cert.expires", files: with(func(c *x509.Certificate) { c.NotAfter = recipe.Now.Add(30 * recipe.Day) })},
		{name: "a second less", check: "cert.expires", warns: everywhere, files: with(func(c *x509.Certificate) { c.NotAfter = recipe.Now.Add(30*recipe.Day - recipe.Second) })},
		{name: "not yet valid", check: "cert.expires", warns: everywhere, files: with(func(c *x509.Certificate) { c.NotBefore = recipe.Now.Add(recipe.Second) })},
		{name: "of a CA below", check: "cert.self-signed", files: good},
		{name: "root", check: "cert.self-signed", warns: public, files: file(root.Cert.Raw), issuers: []recipe.Identity{root}},
		{name: "http too", check: "cert.https", files: with(func(c *x509.Certificate) { c.OCSPServer = []string{https, http} })},
		{name: "https alone", check: "cert.https", rejects: public, warns: "private", files: with(func(c *x509.Certificate) { c.OCSPServer = []string{https} })},
		{name: "GET of 255 octets", check: "cert.ocsp-url", files: ocsp(longest)},
		{name: "GET of 256 octets", check: "cert.ocsp-url", warns: everywhere, files: ocsp(longest + 1)},
	}
}

// namedCases are of certificates that name the URL of their issuer's.
func namedCases(ca recipe.Identity) []staticCase {
	list := []staticCase{
		{name: "its URL", inventory: "01 2027-01-01 http://i.example/ca.der"},
		{name: "its URL, otherwise spelled", inventory: "01 2027-01-01 HTTP://I.Example.:80/%63a.der?x"},
		{name: "its URL and one of LDAP", inventory: "01 2027-01-01 ldap://d.example/cn=CA http://i.example/ca.der"},
		{name: "none", inventory: "01 2027-01-01"},
		{name: "another of an expired certificate", inventory: "01 2026-11-20 http://i.example/old.der"},
		{name: "another path", warns: everywhere, inventory: "01 2027-01-01 http://i.example/CA.der"},
		{name: "another host", warns: everywhere, inventory: "01 2027-01-01 http://j.example/ca.der"},
		{name: "its URL and another", warns: everywhere, inventory: "01 2027-01-01 http://i.example/ca.der http://i.example/"},
		{name: "that of something else", warns: everywhere, inventory: "01 2027-01-01 http://i.example/x.txt"},
		{name: "no URL", warns: everywhere, inventory: "01 2027-01-01 i.example/ca.der"},
	}
	for i := range list {
		list[i].check = "inventory.ca-issuers"
		list[i].files = map[string][]byte{"i.example/ca.der": ca.Cert.Raw, "i.example/x.txt": []byte("x")}
	}
	return list
}

// pointCases are of certificates that name the distribution point of a CRL.
func pointCases(t *testing.T, ca recipe.Identity) []staticCase {
	list := []staticCase{
		{name: "its URL", inventory: "01 2027-01-01 |http://c.example/1.crl"},
		{name: "two URLs of one", inventory: "01 2027-01-01 |http://c.example/1.crl http://c.example:8080/1.crl?x"},
		{name: "none", inventory: "01 2027-01-01"},
		{name: "LDAP", inventory: "01 2027-01-01 |ldap://d.example/cn=CA?certificateRevocationList"},
		{name: "a shard that nobody publishes", warns: everywhere, inventory: "01 2027-01-01 |http://c.example/2.crl"},
		{name: "one of an expired certificate", inventory: "01 2026-11-20 |http://c.example/2.crl"},
		{name: "another spelling than that of the CRL", warns: everywhere, inventory: "01 2027-01-01 |http://C.example/1.crl"},
		{name: "something else", warns: everywhere, inventory: "01 2027-01-01 |http://c.example/ca.der"},
		{name: "no URL", warns: everywhere, inventory: "01 2027-01-01 |c.example/1.crl"},
	}
	uris := []string{"http://c.example/1.crl", "http://c.example:8080/1.crl?x"}
	crl := recipe.CRL{Issuer: ca, Point: &recipe.CRLPoint{URIs: uris}}.DER(t)
	for i := range list {
		list[i].check = "inventory.distribution-points"
		list[i].files = map[string][]byte{"c.example/1.crl": crl, "c.example/ca.der": ca.Cert.Raw, "urls.csv": []byte("url,file\n" + uris[1] + ",c.example/1.crl\n")}
	}
	return list
}

// withUnusedBit is cert with a key of a type that nobody knows, and of a bit less
// than it was: what follows the header of the BIT STRING is the number of unused bits.
func withUnusedBit(cert *x509.Certificate) []byte {
	changed := bytes.Replace(cert.Raw, []byte(der.MustHex("06072a8648ce3d0201")), []byte(der.MustHex("06072a8648ce3d027f")), 1)
	at := bytes.Index(changed, []byte{0x03, 0x42, 0x00, 0x04})
	changed[at+2] = 1
	changed[at+2+0x41] &= 0xfe
	return changed
}

func certSetCases(t *testing.T, root, ca recipe.Identity) []staticCase {
	file := func(data ...[]byte) map[string][]byte {
		files := make(map[string][]byte)
		for i, d := range data {
			files[fmt.Sprintf("i.example/%d.der", i)] = d
		}
		return files
	}
	other := recipe.NewCA(t, "Other root", recipe.P384())
	cross := newSubCA(t, other)
	stranger := newSubCA(t, root, func(c *x509.Certificate) { c.Subject.CommonName = "Stranger" })
	rekeyed := *ca.Cert
	again := recipe.Issue(t, &rekeyed, root, recipe.RSA())
	chain := map[string][]byte{"i.example/ca.p7c": recipe.P7C(nil, nil, stranger.Cert.Raw, ca.Cert.Raw)}
	return []staticCase{
		{name: "configured", check: "cert.issuer", files: file(ca.Cert.Raw)},
		{name: "configured, with another", check: "cert.issuer", files: chain},
		{name: "another", check: "cert.issuer", warns: everywhere, files: file(stranger.Cert.Raw)},
		{name: "both", check: "cert.cross", files: file(ca.Cert.Raw, cross.Cert.Raw), issuers: []recipe.Identity{cross}},
		{name: "neither", check: "cert.cross", files: map[string][]byte{"_/x.txt": []byte("x")}, issuers: []recipe.Identity{cross}},
		{name: "one of two", check: "cert.cross", warns: everywhere, files: file(ca.Cert.Raw), issuers: []recipe.Identity{cross}},
		{name: "the same key", check: "cert.key", before: file(ca.Cert.Raw), files: file(cross.Cert.Raw), issuers: []recipe.Identity{cross}, alone: true},
		{name: "another key", check: "cert.key", rejects: everywhere, before: file(ca.Cert.Raw), files: file(again.Cert.Raw), issuers: []recipe.Identity{again}, alone: true},
	}
}
