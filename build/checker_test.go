package build

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

// judge has a checker look at one response under one profile.
func judge(t *testing.T, der []byte, p Profile, cas ...identity) (broken finding, warnings []string) {
	t.Helper()
	all := &issuers{byHash: make(map[string]*issuer)}
	for _, ca := range cas {
		if err := all.add(ca.cert); err != nil {
			t.Fatal(err)
		}
	}
	b := newBatch()
	b.add(Place{Source: "test"}).der = b.copy(der)
	newChecker(&Config{At: now}, severities([]Profile{p}), all).checkBatch(b)
	for i := range b.warnings {
		if b.warnings[i].count > 0 {
			warnings = append(warnings, check(i).String())
		}
	}
	return b.items[0].broken, warnings
}

// A checkCase is the recipe of a vector: a response.
type checkCase struct {
	name    string
	make    response
	check   string
	rejects string
	warns   string
}

// responseVectors are for checks_ocsp.go, and for the responses that fit no store.
func responseVectors(t *testing.T) (list []vector) {
	ca := newCA(t, "CA", p256Key())
	for _, tt := range slices.Concat(contentCases(t, ca), timeCases(ca), signerCases(t, ca), delegateCases(t, ca)) {
		configured := tt.make.issuer
		if tt.check == "ocsp.issuer" {
			configured = ca
		}
		der := tt.make.der(t)
		list = append(list, vector{tt.name, tt.check, tt.rejects, tt.warns, func(t *testing.T, p Profile) (string, []string) {
			broken, warnings := judge(t, der, p, configured)
			if broken.check == passed {
				return "", warnings
			}
			if broken.reason == "" {
				t.Error("no reason")
			}
			return broken.check.String(), warnings
		}})
	}
	return list
}

func contentCases(t *testing.T, ca identity) []checkCase {
	with20 := strings.Repeat("\x7f", 20)
	return []checkCase{
		{"good", response{issuer: ca}, "ocsp.der", nowhere, nowhere},
		{"good, SHA-512", response{issuer: ca, algs: []index.HashAlg{index.SHA512}}, "ocsp.hash", nowhere, nowhere},
		{"revoked", response{issuer: ca, status: index.Revoked}, "ocsp.status-unknown", nowhere, nowhere},
		{"unknown", response{issuer: ca, status: index.Unknown}, "ocsp.status-unknown", "br ms moz cs smime", "private"},
		{"good, bare", response{issuer: ca, basic: true}, "ocsp.der", everywhere, nowhere}, // it is the scanner that wraps
		{"version", response{issuer: ca, version: true}, "ocsp.version-explicit", nowhere, everywhere},

		{"dual", response{issuer: ca, serials: []string{"\x01", "\x01"}, algs: []index.HashAlg{index.SHA1, index.SHA256}}, "ocsp.dual", nowhere, everywhere},
		{"two certificates", response{issuer: ca, serials: []string{"\x01", "\x02"}}, "ocsp.bundle", everywhere, nowhere},
		{"two certificates by two hashes", response{issuer: ca, serials: []string{"\x01", "\x02"}, algs: []index.HashAlg{index.SHA1, index.SHA256}}, "ocsp.bundle", everywhere, nowhere},
		{"the same CertID twice", response{issuer: ca, serials: []string{"\x01", "\x01"}}, "ocsp.bundle", everywhere, nowhere},
		{"hash nobody knows", response{issuer: ca, badAlg: true}, "ocsp.hash", everywhere, nowhere},
		{"issuer not configured", response{issuer: newCA(t, "stranger", p256Key())}, "ocsp.issuer", everywhere, nowhere},
		{"issuer's name with another key", response{issuer: newCA(t, "CA", otherP256())}, "ocsp.issuer", everywhere, nowhere},

		{"serial 0", response{issuer: ca, serials: []string{"\x00"}}, "ocsp.serial", everywhere, nowhere},
		{"serial -1", response{issuer: ca, serials: []string{"\xff"}}, "ocsp.serial", everywhere, nowhere},
		{"serial of 20 octets", response{issuer: ca, serials: []string{with20}}, "ocsp.serial-sign", nowhere, nowhere},
		{"serial of 20 octets and a sign", response{issuer: ca, serials: []string{"\x00\xff" + with20[1:]}}, "ocsp.serial-sign", nowhere, everywhere},
		{"serial 1", response{issuer: ca, serials: []string{"\x01"}}, "ocsp.serial", nowhere, nowhere},
		{"serial of 21 octets", response{issuer: ca, serials: []string{"\x01" + with20}}, "ocsp.serial", everywhere, nowhere},
		{"serial of 21 octets and a sign", response{issuer: ca, serials: []string{"\x00\xff" + with20}}, "ocsp.serial", everywhere, nowhere},
	}
}

func timeCases(ca identity) []checkCase {
	return []checkCase{
		{"produced within the skew", response{issuer: ca, producedAt: now.Add(300 * time.Second)}, "ocsp.time-produced-at", nowhere, nowhere},
		{"produced in the future", response{issuer: ca, producedAt: now.Add(301 * time.Second)}, "ocsp.time-produced-at", everywhere, nowhere},
		{"thisUpdate after producedAt", response{issuer: ca, thisUpdate: now.Add(-hour + time.Second)}, "ocsp.time-this-update", everywhere, nowhere},
		{"no nextUpdate", response{issuer: ca, noNextUpdate: true}, "ocsp.time-next-update", everywhere, nowhere},
		{"nextUpdate is thisUpdate", response{issuer: ca, nextUpdate: now.Add(-hour)}, "ocsp.time-next-update", everywhere, nowhere},
		{"expires now", response{issuer: ca, nextUpdate: now}, "ocsp.time-expired", everywhere, nowhere},
		{"8 hours left of 16", response{issuer: ca, producedAt: now.Add(-8 * hour), thisUpdate: now.Add(-8 * hour), nextUpdate: now.Add(8 * hour)}, "ocsp.time-remaining", nowhere, nowhere},
		{"less than 8 hours left of 16", response{issuer: ca, producedAt: now.Add(-9 * hour), thisUpdate: now.Add(-9 * hour), nextUpdate: now.Add(7 * hour)}, "ocsp.time-remaining", nowhere, everywhere},
		{"half left of 10 hours", response{issuer: ca, thisUpdate: now.Add(-5 * hour), nextUpdate: now.Add(5 * hour)}, "ocsp.time-remaining", nowhere, nowhere},
		{"less than half left of 10 hours", response{issuer: ca, thisUpdate: now.Add(-6 * hour), nextUpdate: now.Add(4 * hour)}, "ocsp.time-remaining", nowhere, everywhere},
		{"thisUpdate is producedAt", response{issuer: ca}, "ocsp.time-this-update", nowhere, nowhere},
		{"nextUpdate a second ahead", response{issuer: ca, thisUpdate: now.Add(-1 * time.Second), producedAt: now, nextUpdate: now.Add(time.Second)}, "ocsp.time-next-update", nowhere, nowhere},
		{"1970", response{issuer: ca, thisUpdate: time.Unix(0, 0)}, "store.record", nowhere, nowhere},
		{"before 1970", response{issuer: ca, thisUpdate: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)}, "store.record", everywhere, nowhere},
	}
}

func signerCases(t *testing.T, ca identity) []checkCase {
	noUsage := newCA(t, "CA", p256Key(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	ed, p384 := newCA(t, "Ed25519 CA", edKey()), newCA(t, "P-384 CA", p384Key())
	p224, small := newCA(t, "P-224 CA", p224Key()), newCA(t, "small CA", smallRSA(t))
	return []checkCase{
		{"by name", response{issuer: ca, byName: true}, "ocsp.responder-by-name", nowhere, everywhere},
		{"signature wrong", response{issuer: ca, spoil: true}, "ocsp.signature", everywhere, nowhere},
		{"signed by another key", response{issuer: ca, signer: identity{ca.cert, otherP256()}}, "ocsp.signature", everywhere, nowhere},
		{"algorithm SHA-1", response{issuer: ca, algorithm: mustHex("300d06092a864886f70d0101050500")}, "ocsp.algorithm", everywhere, nowhere},
		{"algorithm MD5", response{issuer: ca, algorithm: mustHex("300d06092a864886f70d0101040500")}, "ocsp.algorithm", everywhere, nowhere},
		{"algorithm ECDSA with SHA-1", response{issuer: ca, algorithm: mustHex("300906072a8648ce3d0401")}, "ocsp.algorithm", everywhere, nowhere},
		{"algorithm nobody knows", response{issuer: ca, algorithm: mustHex("300406022a03")}, "ocsp.algorithm", everywhere, nowhere},
		{"algorithm of another key type", response{issuer: ca, algorithm: algorithmDER(x509.SHA256WithRSA)}, "ocsp.signature", everywhere, nowhere},
		{"Ed25519", response{issuer: ed}, "ocsp.algorithm-profile", "br ms moz cs smime", nowhere},
		{"P-384 with SHA-256", response{issuer: p384, algorithm: algorithmDER(x509.ECDSAWithSHA256)}, "ocsp.algorithm-profile", "br ms moz cs smime", nowhere},
		{"ECDSA with NULL parameters", response{issuer: ca, algorithm: mustHex("300c06082a8648ce3d0403020500")}, "ocsp.algorithm-form", "br", nowhere},
		{"RSA-1024", response{issuer: small}, "ocsp.key", everywhere, nowhere},
		{"P-224", response{issuer: p224}, "ocsp.key", everywhere, nowhere},
		{"CA without digitalSignature", response{issuer: noUsage}, "ocsp.issuer-key-usage", "br", "private ms moz cs smime"},
		{"direct with certs", response{issuer: ca, certs: []identity{ca}}, "ocsp.certs-needless", nowhere, everywhere},
	}
}

func delegateCases(t *testing.T, ca identity) []checkCase {
	other := newCA(t, "Other CA", otherP256())
	delegated := func(change ...func(*x509.Certificate)) response {
		r := newResponder(t, ca, otherP256(), change...)
		return response{issuer: ca, signer: r, certs: []identity{r}}
	}
	with := func(r response, change func(*response)) response { change(&r); return r }
	return []checkCase{
		{"delegated", delegated(), "ocsp.delegate-missing", nowhere, nowhere},
		{"delegate not in certs", with(delegated(), func(r *response) { r.certs = nil }), "ocsp.delegate-missing", everywhere, nowhere},
		{"certs empty", with(delegated(), func(r *response) { r.certs, r.certsDER = nil, []byte{} }), "ocsp.delegate-missing", everywhere, nowhere},
		{"certs without the delegate", with(delegated(), func(r *response) { r.certs = []identity{ca} }), "ocsp.responder-id", everywhere, nowhere},
		{"certs no certificates", with(delegated(), func(r *response) { r.certs, r.certsDER = nil, []byte{0x30, 0x00} }), "ocsp.der", everywhere, nowhere},
		{"certs no DER", with(delegated(), func(r *response) { r.certs, r.certsDER = nil, []byte{0x04, 0x00} }), "ocsp.der", everywhere, nowhere},
		{"ResponderID names nobody", with(delegated(), func(r *response) { r.responder = make([]byte, 20) }), "ocsp.responder-id", everywhere, nowhere},
		{"delegate first of two", with(delegated(), func(r *response) { r.certs = append(r.certs, ca) }), "ocsp.delegate-alone", nowhere, everywhere},
		{"delegate of another CA", forged(t, ca, other), "ocsp.delegate-issued", everywhere, nowhere},
		{"delegate of a CA of the same name", forged(t, ca, newCA(t, "CA", otherP256())), "ocsp.delegate-issued", everywhere, nowhere},
		{"delegate without EKU", delegated(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), "ocsp.delegate-eku", everywhere, nowhere},
		{"delegate for servers too", delegated(func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) }), "ocsp.delegate-eku-only", "br ms", nowhere},
		{"delegate a CA", delegated(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), "ocsp.delegate-ca", everywhere, nowhere},
		{"delegate not yet valid", delegated(func(c *x509.Certificate) { c.NotBefore = now }), "ocsp.delegate-validity", everywhere, nowhere},
		{"delegate expired", delegated(func(c *x509.Certificate) { c.NotAfter = now.Add(-2 * hour) }), "ocsp.delegate-validity", everywhere, nowhere},
		{"delegate expires before nextUpdate", delegated(func(c *x509.Certificate) { c.NotAfter = now.Add(3 * day) }), "ocsp.delegate-expires", nowhere, everywhere},
		{"delegate without nocheck", delegated(func(c *x509.Certificate) { c.ExtraExtensions = nil }), "ocsp.delegate-nocheck", "br moz cs smime", "private ms"},
		{"delegate with another nocheck", delegated(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: oidNoCheck, Value: []byte{0x30, 0x00}}}
		}), "ocsp.delegate-nocheck-value", everywhere, nowhere},
		{"delegate with CDP", delegated(func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://c.example/1.crl"} }), "ocsp.delegate-extensions", "br", nowhere},
		{"delegate with SAN", delegated(func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "http", Host: "a.example"}} }), "ocsp.delegate-extensions", "br", nowhere},
		{"delegate with more key usage", delegated(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }), "ocsp.delegate-extensions", "br", nowhere},
		{"delegate with AIA", delegated(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://i.example/"} }), "ocsp.delegate-needless", nowhere, everywhere},
		{"delegate with a weak key", weakDelegate(t, ca), "ocsp.key", everywhere, nowhere},
		{"delegated, signature wrong", with(delegated(), func(r *response) { r.spoil = true }), "ocsp.signature", everywhere, nowhere},
	}
}

// forged is a response for a certificate of ca by a responder that is another CA's.
func forged(t *testing.T, ca, other identity) response {
	r := newResponder(t, other, p384Key())
	return response{issuer: ca, signer: r, certs: []identity{r}}
}

func weakDelegate(t *testing.T, ca identity) response {
	r := newResponder(t, ca, smallRSA(t))
	return response{issuer: ca, signer: r, certs: []identity{r}}
}

func smallRSA(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// The Go client looks at the first certificate only.
func TestDelegateMustBeFirst(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	r := newResponder(t, ca, otherP256())
	broken, _ := judge(t, response{issuer: ca, signer: r, certs: []identity{ca, r}}.der(t), ProfilePrivate, ca)
	if broken.check != checkDelegateFirst {
		t.Errorf("got %s (%s), want %s", broken.check, broken.reason, checkDelegateFirst)
	}
}

func TestEveryAllowedAlgorithmVerifies(t *testing.T) {
	keys := map[x509.PublicKeyAlgorithm][]crypto.Signer{
		x509.RSA: {rsaKey()}, x509.ECDSA: {p256Key(), p384Key(), p521Key()}, x509.Ed25519: {edKey()},
	}
	for der, a := range algorithms {
		kind := x509.RSA
		switch {
		case a.curve != nil:
			kind = x509.ECDSA
		case a.x509 == x509.PureEd25519:
			kind = x509.Ed25519
		}
		for _, key := range keys[kind] {
			ca := newCA(t, "CA", key)
			r := response{issuer: ca, algorithm: der}
			if broken, _ := judge(t, r.der(t), ProfilePrivate, ca); broken.check != passed {
				t.Errorf("%s: %s: %s", a.x509, broken.check, broken.reason)
			}
			r.spoil = true
			if broken, _ := judge(t, r.der(t), ProfilePrivate, ca); broken.check != checkSignature {
				t.Errorf("%s, spoilt: %s: %s", a.x509, broken.check, broken.reason)
			}
		}
	}
}

// Profiles add up: what rejects in one of them rejects.
func TestSeveralProfiles(t *testing.T) {
	both := severities([]Profile{ProfilePrivate, ProfileBR})
	for i, r := range checkTable[passed+1:] {
		c := passed + 1 + check(i)
		private, br := severities([]Profile{ProfilePrivate})[c], severities([]Profile{ProfileBR})[c]
		if both[c] != max(private, br) {
			t.Errorf("%s: private %d, br %d, both %d", r.id, private, br, both[c])
		}
	}
}

// Operators select by the ids, and each says where it comes from.
func TestCheckTableIsWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range checkTable[passed+1:] {
		if r.id == "" || seen[r.id] {
			t.Errorf("id %q is empty or taken", r.id)
		}
		seen[r.id] = true
		if r.text == "" || r.clause == "" || r.rejects|r.warns == never {
			t.Errorf("%s: text %q, clause %q, rejects in %b, warns in %b", r.id, r.text, r.clause, r.rejects, r.warns)
		}
	}
}

// Cross-certificates are one issuer, whichever comes first.
func TestCertificatesOfOneKeyAreOneIssuer(t *testing.T) {
	root := newCA(t, "Root", otherP256())
	self := newCA(t, "CA", p256Key())
	cross := *self.cert
	cross.SerialNumber = big.NewInt(77)
	crossed := issue(t, &cross, root, p256Key())
	all := &issuers{byHash: make(map[string]*issuer)}
	for _, id := range []identity{self, crossed, root} {
		if err := all.add(id.cert); err != nil {
			t.Fatal(err)
		}
	}
	if len(all.list) != 2 || len(all.list[0].certs) != 2 {
		t.Errorf("%d issuers, the first with %d certificates; want 2 and 2", len(all.list), len(all.list[0].certs))
	}
}

// Checking makes no garbage; what Entry.Set makes is package index's affair.
func TestGoodResponsesMakeNoGarbage(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	r := newResponder(t, ca, otherP256())
	all := &issuers{byHash: make(map[string]*issuer)}
	if err := all.add(ca.cert); err != nil {
		t.Fatal(err)
	}
	for name, made := range map[string]response{
		"direct":       {issuer: ca},
		"delegated":    {issuer: ca, signer: r, certs: []identity{r}},
		"with warning": {issuer: ca, byName: true, version: true},
	} {
		b := newBatch()
		for range 2 {
			b.add(Place{}).der = b.copy(made.der(t))
		}
		c := newChecker(&Config{At: now, SkipSignatures: true}, severities([]Profile{ProfilePrivate}), all)
		c.checkBatch(b) // makes room, fills the cache, words the warnings
		set := testing.AllocsPerRun(100, func() { b.items[1].entry.Set(&c.response) })
		if n := testing.AllocsPerRun(100, func() { c.checkItem(&b.items[1]) }); n > set {
			t.Errorf("%s: %v allocations a response, %v of them in Entry.Set", name, n, set)
		}
		if broken := b.items[1].broken; broken.check != passed {
			t.Errorf("%s: %s", name, broken.reason)
		}
	}
}

func TestIssuerFiles(t *testing.T) {
	a, b := newCA(t, "A", p256Key()), newCA(t, "B", otherP256())
	pemA, pemB := pemBlock("CERTIFICATE", a.cert.Raw), pemBlock("CERTIFICATE", b.cert.Raw)
	tests := []struct {
		name string
		data []byte
		want int // issuers; -1 an error
	}{
		{"one DER", a.cert.Raw, 1},
		{"two DER", bytes.Join([][]byte{a.cert.Raw, b.cert.Raw}, nil), 2},
		{"one PEM", pemA, 1},
		{"two PEM with words", bytes.Join([][]byte{[]byte("the A\n"), pemA, []byte("the B\n"), pemB}, nil), 2},
		{"the same twice", bytes.Join([][]byte{pemA, pemA}, nil), 1},
		{"empty", nil, -1},
		{"a key", pemBlock("PRIVATE KEY", []byte{0x30, 0x00}), -1},
		{"PEM cut", pemA[:len(pemA)-30], -1},
		{"second PEM cut", bytes.Join([][]byte{pemA, pemB[:len(pemB)-30]}, nil), -1},
		{"DER cut", a.cert.Raw[:100], -1},
		{"words", []byte("hello"), -1},
	}
	for _, tt := range tests {
		all, err := loadIssuers([]string{write(t, "ca", tt.data)})
		got := -1
		if err == nil {
			got = len(all.list)
		}
		if got != tt.want {
			t.Errorf("%s: %d issuers (%v), want %d", tt.name, got, err, tt.want)
		}
	}
}
