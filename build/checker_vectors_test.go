package build

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/build/crl"
	"lancre/build/der"
	"lancre/build/internal/recipe"
	"lancre/build/rule"
	"lancre/index"
)

// A checkCase is the recipe of a vector: a response.
type checkCase struct {
	name    string
	make    recipe.Response
	check   string
	rejects string
	warns   string
}

// Extensions of responses, by the content octets of their OID.
var (
	nonce          = der.MustHex("2b0601050507300102")
	extendedRevoke = der.MustHex("2b0601050507300109")
)

// responseVectors are for checks of responses, and for the responses that fit no store.
func responseVectors(t *testing.T) (list []vector) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	for _, tt := range slices.Concat(contentCases(t, ca), timeCases(ca), validityCases(t, ca), revokedCases(ca), extensionCases(ca), sizeCases(t), signerCases(t, ca), delegateCases(t, ca), delegateExtensionCases(t, ca), strictCases(t, ca), valueCases(ca)) {
		configured := []recipe.Identity{tt.make.Issuer}
		switch {
		case tt.check == "ocsp.issuer":
			configured[0] = ca
		case tt.make.Issuers != nil:
			configured = tt.make.Issuers
		case tt.make.Subordinate:
			configured = append(configured, subordinate(t, tt.make.Issuer))
		}
		der := tt.make.DER(t)
		list = append(list, vector{tt.name, tt.check, tt.rejects, tt.warns, func(t *testing.T, p rule.Profile) (string, []string) {
			broken, warnings := judge(t, der, p, configured...)
			if broken.Check == rule.None {
				return "", warnings
			}
			if broken.Reason == "" {
				t.Error("no reason")
			}
			return broken.Check.String(), warnings
		}})
	}
	return list
}

func contentCases(t *testing.T, ca recipe.Identity) []checkCase {
	with20 := strings.Repeat("\x7f", 20)
	both := []index.HashAlg{index.SHA1, index.SHA256}
	dual := recipe.Response{Issuer: ca, Serials: []string{"\x01", "\x01"}, Algs: both}
	asOf := func(second time.Duration) recipe.Response {
		r := dual
		r.ThisUpdates = []time.Time{recipe.Now.Add(-2 * recipe.Hour), recipe.Now.Add(-2*recipe.Hour - second)}
		return r
	}
	by := func(second recipe.Identity) recipe.Response {
		r := dual
		r.Issuers = []recipe.Identity{ca, second}
		return r
	}
	return []checkCase{
		{"good", recipe.Response{Issuer: ca}, "ocsp.der", nowhere, nowhere},
		{"good, SHA-512", recipe.Response{Issuer: ca, Algs: []index.HashAlg{index.SHA512}}, "ocsp.hash", nowhere, nowhere},
		{"revoked", recipe.Response{Issuer: ca, Status: index.Revoked}, "ocsp.status-unknown", nowhere, nowhere},
		{"unknown", recipe.Response{Issuer: ca, Status: index.Unknown}, "ocsp.status-unknown", "br ms moz cs smime", "private"},
		{"good, bare", recipe.Response{Issuer: ca, Basic: true}, "ocsp.der", everywhere, nowhere}, // it is the scanner that wraps
		{"version left out", recipe.Response{Issuer: ca}, "ocsp.version-explicit", nowhere, nowhere},
		{"version", recipe.Response{Issuer: ca, Version: true}, "ocsp.version-explicit", nowhere, everywhere},

		{"one", recipe.Response{Issuer: ca}, "ocsp.dual", nowhere, nowhere},
		{"dual of one certificate", dual, "ocsp.bundle", nowhere, nowhere},
		{"dual", dual, "ocsp.dual", nowhere, everywhere},
		{"two certificates", recipe.Response{Issuer: ca, Serials: []string{"\x01", "\x02"}}, "ocsp.bundle", everywhere, nowhere},
		{"two certificates by two hashes", recipe.Response{Issuer: ca, Serials: []string{"\x01", "\x02"}, Algs: both}, "ocsp.bundle", everywhere, nowhere},
		{"the same CertID by two hashes", dual, "ocsp.bundle-twice", nowhere, nowhere},
		{"the same CertID twice", recipe.Response{Issuer: ca, Serials: []string{"\x01", "\x01"}}, "ocsp.bundle-twice", everywhere, nowhere},
		{"dual of one CA", by(ca), "ocsp.bundle-issuer", nowhere, nowhere},
		{"dual of two CAs", by(recipe.NewCA(t, "Other CA", recipe.OtherP256())), "ocsp.bundle-issuer", everywhere, nowhere},
		{"dual of one moment", asOf(0), "ocsp.bundle-time", nowhere, nowhere},
		{"dual of two moments", asOf(recipe.Second), "ocsp.bundle-time", everywhere, nowhere},
		{"hash nobody knows", recipe.Response{Issuer: ca, BadAlg: true}, "ocsp.hash", everywhere, nowhere},
		{"issuer configured", recipe.Response{Issuer: ca}, "ocsp.issuer", nowhere, nowhere},
		{"issuer not configured", recipe.Response{Issuer: recipe.NewCA(t, "stranger", recipe.P256())}, "ocsp.issuer", everywhere, nowhere},
		{"issuer's name with another key", recipe.Response{Issuer: recipe.NewCA(t, "CA", recipe.OtherP256())}, "ocsp.issuer", everywhere, nowhere},

		{"serial 0", recipe.Response{Issuer: ca, Serials: []string{"\x00"}}, "ocsp.serial", everywhere, nowhere},
		{"serial -1", recipe.Response{Issuer: ca, Serials: []string{"\xff"}}, "ocsp.serial", everywhere, nowhere},
		{"serial of 20 octets", recipe.Response{Issuer: ca, Serials: []string{with20}}, "ocsp.serial-sign", nowhere, nowhere},
		{"serial of 20 octets and a sign", recipe.Response{Issuer: ca, Serials: []string{"\x00\xff" + with20[1:]}}, "ocsp.serial-sign", nowhere, everywhere},
		{"serial 1", recipe.Response{Issuer: ca, Serials: []string{"\x01"}}, "ocsp.serial", nowhere, nowhere},
		{"serial of 21 octets", recipe.Response{Issuer: ca, Serials: []string{"\x01" + with20}}, "ocsp.serial", everywhere, nowhere},
		{"serial of 21 octets and a sign", recipe.Response{Issuer: ca, Serials: []string{"\x00\xff" + with20}}, "ocsp.serial", everywhere, nowhere},
	}
}

func timeCases(ca recipe.Identity) []checkCase {
	return []checkCase{
		{"produced within the skew", recipe.Response{Issuer: ca, ProducedAt: recipe.Now.Add(300 * time.Second)}, "ocsp.time-produced-at", nowhere, nowhere},
		{"produced in the future", recipe.Response{Issuer: ca, ProducedAt: recipe.Now.Add(301 * time.Second)}, "ocsp.time-produced-at", everywhere, nowhere},
		{"thisUpdate after producedAt", recipe.Response{Issuer: ca, ThisUpdate: recipe.Now.Add(-recipe.Hour + time.Second)}, "ocsp.time-this-update", everywhere, nowhere},
		{"nextUpdate after thisUpdate", recipe.Response{Issuer: ca}, "ocsp.time-next-update", nowhere, nowhere},
		{"no nextUpdate", recipe.Response{Issuer: ca, NoNextUpdate: true}, "ocsp.time-next-update", everywhere, nowhere},
		{"nextUpdate is thisUpdate", recipe.Response{Issuer: ca, NextUpdate: recipe.Now.Add(-recipe.Hour)}, "ocsp.time-next-update", everywhere, nowhere},
		{"expires now", recipe.Response{Issuer: ca, NextUpdate: recipe.Now}, "ocsp.time-expired", everywhere, nowhere},
		{"8 hours left of 16", recipe.Response{Issuer: ca, ProducedAt: recipe.Now.Add(-8 * recipe.Hour), ThisUpdate: recipe.Now.Add(-8 * recipe.Hour), NextUpdate: recipe.Now.Add(8 * recipe.Hour)}, "ocsp.time-remaining", nowhere, nowhere},
		{"less than 8 hours left of 16", recipe.Response{Issuer: ca, ProducedAt: recipe.Now.Add(-9 * recipe.Hour), ThisUpdate: recipe.Now.Add(-9 * recipe.Hour), NextUpdate: recipe.Now.Add(7 * recipe.Hour)}, "ocsp.time-remaining", nowhere, everywhere},
		{"half left of 10 hours", recipe.Response{Issuer: ca, ThisUpdate: recipe.Now.Add(-5 * recipe.Hour), NextUpdate: recipe.Now.Add(5 * recipe.Hour)}, "ocsp.time-remaining", nowhere, nowhere},
		{"less than half left of 10 hours", recipe.Response{Issuer: ca, ThisUpdate: recipe.Now.Add(-6 * recipe.Hour), NextUpdate: recipe.Now.Add(4 * recipe.Hour)}, "ocsp.time-remaining", nowhere, everywhere},
		{"thisUpdate is producedAt", recipe.Response{Issuer: ca}, "ocsp.time-this-update", nowhere, nowhere},
		{"expires in a second", recipe.Response{Issuer: ca, ProducedAt: recipe.Now.Add(-recipe.Day), ThisUpdate: recipe.Now.Add(-recipe.Day), NextUpdate: recipe.Now.Add(time.Second)}, "ocsp.time-expired", nowhere, nowhere},
		{"1970", recipe.Response{Issuer: ca, ThisUpdate: time.Unix(0, 0)}, "store.record", nowhere, nowhere},
		{"before 1970", recipe.Response{Issuer: ca, ThisUpdate: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)}, "store.record", "private", nowhere},
	}
}

func signerCases(t *testing.T, ca recipe.Identity) []checkCase {
	noUsage := recipe.NewCA(t, "CA", recipe.P256(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	ed, p384 := recipe.NewCA(t, "Ed25519 CA", recipe.Ed25519()), recipe.NewCA(t, "P-384 CA", recipe.P384())
	rsaCA := recipe.NewCA(t, "RSA CA", recipe.RSA())
	p224, small := recipe.NewCA(t, "P-224 CA", recipe.P224()), recipe.NewCA(t, "small CA", smallRSA(t))
	return []checkCase{
		{"by key", recipe.Response{Issuer: ca}, "ocsp.responder-by-name", nowhere, nowhere},
		{"by key of the issuer", recipe.Response{Issuer: ca}, "ocsp.responder-id", nowhere, nowhere},
		{"signature", recipe.Response{Issuer: ca}, "ocsp.signature", nowhere, nowhere},
		{"algorithm", recipe.Response{Issuer: ca}, "ocsp.algorithm", nowhere, nowhere},
		{"P-384 with SHA-384", recipe.Response{Issuer: p384}, "ocsp.algorithm-profile", nowhere, nowhere},
		{"ECDSA without parameters", recipe.Response{Issuer: ca}, "ocsp.algorithm-form", nowhere, nowhere},
		{"RSA-2048", recipe.Response{Issuer: recipe.NewCA(t, "RSA CA", recipe.RSA())}, "ocsp.key", nowhere, nowhere},
		{"CA with digitalSignature", recipe.Response{Issuer: ca}, "ocsp.issuer-key-usage", nowhere, nowhere},
		{"direct without certs", recipe.Response{Issuer: ca}, "ocsp.certs-needless", nowhere, nowhere},
		{"by name", recipe.Response{Issuer: ca, ByName: true}, "ocsp.responder-by-name", nowhere, everywhere},
		{"signature wrong", recipe.Response{Issuer: ca, Spoil: true}, "ocsp.signature", everywhere, nowhere},
		{"signed by another key", recipe.Response{Issuer: ca, Signer: recipe.Identity{Cert: ca.Cert, Key: recipe.OtherP256()}}, "ocsp.signature", everywhere, nowhere},
		{"algorithm SHA-1", recipe.Response{Issuer: ca, Algorithm: der.MustHex("300d06092a864886f70d0101050500")}, "ocsp.algorithm", everywhere, nowhere},
		{"algorithm MD5", recipe.Response{Issuer: ca, Algorithm: der.MustHex("300d06092a864886f70d0101040500")}, "ocsp.algorithm", everywhere, nowhere},
		{"algorithm ECDSA with SHA-1", recipe.Response{Issuer: ca, Algorithm: der.MustHex("300906072a8648ce3d0401")}, "ocsp.algorithm", everywhere, nowhere},
		{"algorithm nobody knows", recipe.Response{Issuer: ca, Algorithm: der.MustHex("300406022a03")}, "ocsp.algorithm", everywhere, nowhere},
		{"Ed448", recipe.Response{Issuer: ca, Algorithm: der.MustHex("300506032b6571")}, "ocsp.algorithm", everywhere, nowhere},
		{"RSA-PSS with the longest salt", recipe.Response{Issuer: rsaCA, Algorithm: recipe.PSS(index.SHA256, 222, "\x05\x00")}, "ocsp.algorithm-profile", "br ms moz cs smime", nowhere},
		{"RSA-PSS with the usual salt", recipe.Response{Issuer: rsaCA, Algorithm: recipe.PSS(index.SHA384, 48, "\x05\x00")}, "ocsp.algorithm-profile", nowhere, nowhere},
		{"RSA-PSS without NULL", recipe.Response{Issuer: rsaCA, Algorithm: recipe.PSS(index.SHA256, 32, "")}, "ocsp.algorithm-form", "br", nowhere},
		{"RSA-PSS, spoilt", recipe.Response{Issuer: rsaCA, Algorithm: recipe.PSS(index.SHA512, 64, "\x05\x00"), Spoil: true}, "ocsp.signature", everywhere, nowhere},
		{"RSA-PSS with SHA-1", recipe.Response{Issuer: rsaCA, Algorithm: recipe.PSS(index.SHA1, 20, "")}, "ocsp.algorithm", everywhere, nowhere},
		{"algorithm of another key type", recipe.Response{Issuer: ca, Algorithm: recipe.AlgorithmID(x509.SHA256WithRSA)}, "ocsp.signature", everywhere, nowhere},
		{"Ed25519", recipe.Response{Issuer: ed}, "ocsp.algorithm-profile", "br ms moz cs smime", nowhere},
		{"P-384 with SHA-256", recipe.Response{Issuer: p384, Algorithm: recipe.AlgorithmID(x509.ECDSAWithSHA256)}, "ocsp.algorithm-profile", "br ms moz cs smime", nowhere},
		{"ECDSA with NULL parameters", recipe.Response{Issuer: ca, Algorithm: der.MustHex("300c06082a8648ce3d0403020500")}, "ocsp.algorithm-form", "br", nowhere},
		{"RSA-1024", recipe.Response{Issuer: small}, "ocsp.key", everywhere, nowhere},
		{"P-224", recipe.Response{Issuer: p224}, "ocsp.key", everywhere, nowhere},
		{"CA without digitalSignature", recipe.Response{Issuer: noUsage}, "ocsp.issuer-key-usage", "br", "private ms moz cs smime"},
		{"direct with certs", recipe.Response{Issuer: ca, Certs: []recipe.Identity{ca}}, "ocsp.certs-needless", nowhere, everywhere},
	}
}

// delegateRules are the checks that a response by a delegate which is as it should
// be just passes: each is broken by one change of its certificate.
var delegateRules = strings.Fields(`ocsp.delegate-first ocsp.delegate-alone ocsp.delegate-issued ocsp.delegate-eku
	ocsp.delegate-eku-only ocsp.delegate-ca ocsp.delegate-nocheck ocsp.delegate-nocheck-value ocsp.delegate-extensions
	ocsp.delegate-needless`)

func delegateCases(t *testing.T, ca recipe.Identity) []checkCase {
	other := recipe.NewCA(t, "Other CA", recipe.OtherP256())
	delegated := func(change ...func(*x509.Certificate)) recipe.Response {
		r := recipe.NewResponder(t, ca, recipe.OtherP256(), change...)
		return recipe.Response{Issuer: ca, Signer: r, Certs: []recipe.Identity{r}}
	}
	with := func(r recipe.Response, change func(*recipe.Response)) recipe.Response { change(&r); return r }
	var list []checkCase
	for _, id := range delegateRules {
		list = append(list, checkCase{"delegated", delegated(), id, nowhere, nowhere})
	}
	return append(list, []checkCase{
		{"delegated", delegated(), "ocsp.delegate-missing", nowhere, nowhere},
		{"delegate valid since producedAt", delegated(func(c *x509.Certificate) { c.NotBefore = recipe.Now.Add(-recipe.Hour) }), "ocsp.delegate-validity", nowhere, nowhere},
		{"delegate expires at nextUpdate", delegated(func(c *x509.Certificate) { c.NotAfter = recipe.Now.Add(4 * recipe.Day) }), "ocsp.delegate-expires", nowhere, nowhere},
		{"delegate not in certs", with(delegated(), func(r *recipe.Response) { r.Certs = nil }), "ocsp.delegate-missing", everywhere, nowhere},
		{"certs empty", with(delegated(), func(r *recipe.Response) { r.Certs, r.CertsDER = nil, []byte{} }), "ocsp.delegate-missing", everywhere, nowhere},
		{"certs without the delegate", with(delegated(), func(r *recipe.Response) { r.Certs = []recipe.Identity{ca} }), "ocsp.responder-id", everywhere, nowhere},
		{"certs no certificates", with(delegated(), func(r *recipe.Response) { r.Certs, r.CertsDER = nil, []byte{0x30, 0x00} }), "ocsp.der", everywhere, nowhere},
		{"certs no DER", with(delegated(), func(r *recipe.Response) { r.Certs, r.CertsDER = nil, []byte{0x04, 0x00} }), "ocsp.der", everywhere, nowhere},
		{"ResponderID names nobody", with(delegated(), func(r *recipe.Response) { r.Responder = make([]byte, 20) }), "ocsp.responder-id", everywhere, nowhere},
		{"delegate second of two", with(delegated(), func(r *recipe.Response) { r.Certs = append([]recipe.Identity{ca}, r.Certs...) }), "ocsp.delegate-first", everywhere, nowhere},
		{"delegate first of two", with(delegated(), func(r *recipe.Response) { r.Certs = append(r.Certs, ca) }), "ocsp.delegate-alone", nowhere, everywhere},
		{"delegate of another CA", forged(t, ca, other), "ocsp.delegate-issued", everywhere, nowhere},
		{"delegate of a CA of the same name", forged(t, ca, recipe.NewCA(t, "CA", recipe.OtherP256())), "ocsp.delegate-issued", everywhere, nowhere},
		{"delegate without EKU", delegated(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), "ocsp.delegate-eku", everywhere, nowhere},
		{"delegate for servers too", delegated(func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) }), "ocsp.delegate-eku-only", "br ms", nowhere},
		{"delegate a CA", delegated(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), "ocsp.delegate-ca", "br ms moz cs smime", "private"},
		{"delegate not yet valid", delegated(func(c *x509.Certificate) { c.NotBefore = recipe.Now }), "ocsp.delegate-validity", everywhere, nowhere},
		{"delegate expired", delegated(func(c *x509.Certificate) { c.NotAfter = recipe.Now.Add(-2 * recipe.Hour) }), "ocsp.delegate-validity", everywhere, nowhere},
		{"delegate expires before nextUpdate", delegated(func(c *x509.Certificate) { c.NotAfter = recipe.Now.Add(3 * recipe.Day) }), "ocsp.delegate-expires", "moz", "private br ms cs smime"},
		{"delegate without nocheck", delegated(func(c *x509.Certificate) { c.ExtraExtensions = nil }), "ocsp.delegate-nocheck", "br moz cs smime", "private ms"},
		{"delegate with another nocheck", delegated(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{0x30, 0x00}}}
		}), "ocsp.delegate-nocheck-value", everywhere, nowhere},
		{"delegate with CDP", delegated(func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://c.example/1.crl"} }), "ocsp.delegate-extensions", "br", nowhere},
		{"delegate with SAN", delegated(func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "http", Host: "a.example"}} }), "ocsp.delegate-extensions", "br", nowhere},
		{"delegate with more key usage", delegated(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }), "ocsp.delegate-extensions", "br", nowhere},
		{"delegate with AIA", delegated(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://i.example/"} }), "ocsp.delegate-needless", nowhere, everywhere},
		{"delegate with a weak key", weakDelegate(t, ca, smallRSA(t)), "ocsp.key", everywhere, nowhere},
		{"delegate with a huge key", weakDelegate(t, ca, recipe.AnyRSA(390_000, 65537)), "ocsp.key-unfit", everywhere, nowhere},
		{"delegate with a key just too long", weakDelegate(t, ca, recipe.AnyRSA(8193, 65537)), "ocsp.key-unfit", everywhere, nowhere},
		{"delegate with the exponent 1", weakDelegate(t, ca, recipe.AnyRSA(2048, 1)), "ocsp.key-unfit", everywhere, nowhere},
		{"delegate with an even exponent", weakDelegate(t, ca, recipe.AnyRSA(2048, 65536)), "ocsp.key-unfit", everywhere, nowhere},
		{"delegate with a long exponent", weakDelegate(t, ca, recipe.AnyRSA(2048, 1<<31+1)), "ocsp.key-unfit", everywhere, nowhere},
		{"delegate with an RSA key", weakDelegate(t, ca, recipe.RSA()), "ocsp.key-unfit", nowhere, nowhere},
		{"delegated, signature wrong", with(delegated(), func(r *recipe.Response) { r.Spoil = true }), "ocsp.signature", everywhere, nowhere},
	}...)
}

// forged is a response for a certificate of ca by a responder that is another CA's.
func forged(t *testing.T, ca, other recipe.Identity) recipe.Response {
	r := recipe.NewResponder(t, other, recipe.P384())
	return recipe.Response{Issuer: ca, Signer: r, Certs: []recipe.Identity{r}}
}

func weakDelegate(t *testing.T, ca recipe.Identity, key crypto.Signer) recipe.Response {
	r := recipe.NewResponder(t, ca, key)
	return recipe.Response{Issuer: ca, Signer: r, Certs: []recipe.Identity{r}}
}

func smallRSA(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ofCA has r be for the certificate of a CA below its issuer.
func ofCA(r recipe.Response) recipe.Response {
	r.Subordinate = true
	return r
}

// subordinate makes the certificate with the serial number 01 of a CA below ca.
func subordinate(t *testing.T, ca recipe.Identity) recipe.Identity {
	return recipe.Issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Subordinate"},
		NotBefore: recipe.Now.Add(-recipe.Day), NotAfter: recipe.Now.Add(recipe.Day), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, ca, recipe.OtherP256())
}

func validityCases(t *testing.T, ca recipe.Identity) []checkCase {
	valid := func(from, to time.Duration) recipe.Response {
		return recipe.Response{Issuer: ca, ProducedAt: recipe.Now.Add(from), ThisUpdate: recipe.Now.Add(from), NextUpdate: recipe.Now.Add(to)}
	}
	ends := func(after time.Duration) recipe.Identity {
		return recipe.NewCA(t, "CA", recipe.P256(), func(c *x509.Certificate) { c.NotAfter = recipe.Now.Add(after) })
	}
	delegated := func(ca recipe.Identity) recipe.Response {
		r := recipe.NewResponder(t, ca, recipe.OtherP256())
		return recipe.Response{Issuer: ca, Signer: r, Certs: []recipe.Identity{r}}
	}
	const second = time.Second
	return []checkCase{
		{"8 h", valid(-recipe.Hour, 7*recipe.Hour-second), "ocsp.validity-min", nowhere, nowhere},
		{"8 h less a second", valid(-recipe.Hour, 7*recipe.Hour-2*second), "ocsp.validity-min", "br ms smime", nowhere},
		{"10 days", valid(-recipe.Hour, 10*recipe.Day-recipe.Hour-second), "ocsp.validity-max", "", nowhere},
		{"10 days and a second", valid(-recipe.Hour, 10*recipe.Day-recipe.Hour), "ocsp.validity-max", "br moz cs smime", nowhere},
		{"7 days", valid(-recipe.Hour, 7*recipe.Day-recipe.Hour), "ocsp.validity-max-ms", nowhere, nowhere},
		{"7 days and a second", valid(-recipe.Hour, 7*recipe.Day-recipe.Hour+second), "ocsp.validity-max-ms", "ms", nowhere},
		{"a CA, 366 days", ofCA(valid(-recipe.Hour, 366*recipe.Day-recipe.Hour)), "ocsp.validity-max-ca", nowhere, nowhere},
		{"a CA, 366 days and a second", ofCA(valid(-recipe.Hour, 366*recipe.Day-recipe.Hour+second)), "ocsp.validity-max-ca", "br ms moz cs smime", nowhere},
		{"4 days ago", valid(-4*recipe.Day, 2*recipe.Day), "ocsp.age", nowhere, nowhere},
		{"4 days and a second ago", valid(-4*recipe.Day-second, 2*recipe.Day), "ocsp.age", "br smime", nowhere},
		{"half passed", valid(-2*recipe.Day, 2*recipe.Day), "ocsp.half-life", nowhere, nowhere},
		{"more than half passed", valid(-2*recipe.Day-second, 2*recipe.Day-second), "ocsp.half-life", nowhere, "ms"},
		{"CA expires at nextUpdate", recipe.Response{Issuer: ends(4 * recipe.Day)}, "ocsp.issuer-expires", nowhere, nowhere},
		{"CA expires before nextUpdate", recipe.Response{Issuer: ends(4*recipe.Day - second)}, "ocsp.issuer-expires", "moz", "private br ms cs smime"},
		{"delegating CA expires at nextUpdate", delegated(ends(4 * recipe.Day)), "ocsp.delegator-expires", nowhere, nowhere},
		{"delegating CA expires before nextUpdate", delegated(ends(4*recipe.Day - second)), "ocsp.delegator-expires", nowhere, everywhere},
	}
}

func revokedCases(ca recipe.Identity) []checkCase {
	at := func(when time.Time, reason ...byte) recipe.Response {
		return recipe.Response{Issuer: ca, Status: index.Revoked, RevokedAt: when, Reason: reason}
	}
	reason := func(n byte) recipe.Response { return at(recipe.Now.Add(-recipe.Day), n) }
	neverIssued := at(time.Unix(0, 0), crl.ReasonHold)
	extended := neverIssued
	extended.Extensions = []pkix.Extension{{Id: recipe.Must(asn1OID(extendedRevoke)), Value: []byte{5, 0}}}
	return []checkCase{
		{"revoked within the skew", at(recipe.Now.Add(-recipe.Hour + 300*time.Second)), "ocsp.revoked-at", nowhere, nowhere},
		{"revoked after it was produced", at(recipe.Now.Add(-recipe.Hour + 301*time.Second)), "ocsp.revoked-at", everywhere, nowhere},
		{"revoked when the issuer began", at(recipe.Now.Add(-1000 * recipe.Day)), "ocsp.revoked-early", nowhere, nowhere},
		{"revoked before the issuer was", at(recipe.Now.Add(-1000*recipe.Day - time.Second)), "ocsp.revoked-early", nowhere, everywhere},
		{"keyCompromise", reason(1), "ocsp.reason", nowhere, nowhere},
		{"privilegeWithdrawn", reason(9), "ocsp.reason", nowhere, nowhere},
		{"superseded", reason(4), "ocsp.reason-subscriber", nowhere, nowhere},
		{"cACompromise of a subscriber", reason(2), "ocsp.reason-subscriber", "br ms moz cs smime", "private"},
		{"reason 7", reason(7), "ocsp.reason", everywhere, nowhere},
		{"removeFromCRL", reason(8), "ocsp.reason", everywhere, nowhere},
		{"aACompromise", reason(10), "ocsp.reason-subscriber", "br ms moz cs smime", "private"},
		{"reason 11", reason(11), "ocsp.reason", everywhere, nowhere},
		{"keyCompromise of a CA", ofCA(reason(1)), "ocsp.reason", nowhere, nowhere},
		{"affiliationChanged of a CA", ofCA(reason(3)), "ocsp.reason-profile", nowhere, nowhere},
		{"cACompromise of a CA", ofCA(reason(2)), "ocsp.reason-profile", "br", nowhere},
		{"aACompromise of a CA", ofCA(reason(10)), "ocsp.reason-profile", "br", nowhere},
		{"removeFromCRL of a CA", ofCA(reason(8)), "ocsp.reason", everywhere, nowhere},
		{"no reason", withoutReason(reason(1)), "ocsp.reason-unspecified", nowhere, nowhere},
		{"unspecified", reason(0), "ocsp.reason-unspecified", "br", "private ms moz cs smime"},
		{"superseded", reason(4), "ocsp.reason-hold", nowhere, nowhere},
		{"certificateHold", reason(6), "ocsp.reason-hold", "br", nowhere},
		{"a CA with a reason", ofCA(reason(5)), "ocsp.reason-missing", nowhere, nowhere},
		{"a CA without a reason", ofCA(withoutReason(reason(5))), "ocsp.reason-missing", "br", nowhere},
		{"never issued", extended, "ocsp.extended-revoke", nowhere, nowhere},
		{"never issued, not extended", neverIssued, "ocsp.extended-revoke", everywhere, nowhere},
	}
}

// withoutReason is r without a revocationReason.
func withoutReason(r recipe.Response) recipe.Response {
	r.Reason = nil
	return r
}

// asn1OID is the OBJECT IDENTIFIER with these content octets.
func asn1OID(content string) (oid asn1.ObjectIdentifier, err error) {
	_, err = asn1.Unmarshal(append([]byte{0x06, byte(len(content))}, content...), &oid)
	return oid, err
}

func extensionCases(ca recipe.Identity) []checkCase {
	extension := func(oid string, critical bool) []pkix.Extension {
		value := map[string][]byte{archiveCutoff: general, crl.OIDReasonCode: {10, 1, 1}}[oid]
		if value == nil {
			value = []byte{5, 0}
		}
		return []pkix.Extension{{Id: recipe.Must(asn1OID(oid)), Critical: critical, Value: value}}
	}
	single := func(oid string, critical bool) recipe.Response {
		return recipe.Response{Issuer: ca, SingleExtensions: extension(oid, critical)}
	}
	whole := func(oid string, critical bool) recipe.Response {
		return recipe.Response{Issuer: ca, Extensions: extension(oid, critical)}
	}
	const unknown = "\x2a\x03"
	return []checkCase{
		{"archiveCutoff", single(archiveCutoff, false), "ocsp.single-unknown", nowhere, nowhere},
		{"an extension nobody knows", single(unknown, false), "ocsp.single-unknown", nowhere, everywhere},
		{"archiveCutoff, not critical", single(archiveCutoff, false), "ocsp.single-critical", nowhere, nowhere},
		{"archiveCutoff, critical", single(archiveCutoff, true), "ocsp.single-critical", everywhere, nowhere},
		{"no reasonCode", single(archiveCutoff, false), "ocsp.single-reason-code", nowhere, nowhere},
		{"reasonCode", single(crl.OIDReasonCode, false), "ocsp.single-reason-code", "br", "private ms moz cs smime"},
		{"extended-revoke", whole(extendedRevoke, false), "ocsp.nonce", nowhere, nowhere},
		{"nonce", whole(nonce, false), "ocsp.nonce", everywhere, nowhere},
		{"unknown, not critical", whole(unknown, false), "ocsp.extension-critical", nowhere, nowhere},
		{"unknown, critical", whole(unknown, true), "ocsp.extension-critical", everywhere, nowhere},
		{"extended-revoke, not critical", whole(extendedRevoke, false), "ocsp.extension-needless", nowhere, nowhere},
		{"unknown, not critical", whole(unknown, false), "ocsp.extension-needless", nowhere, everywhere},
	}
}

func sizeCases(t *testing.T) []checkCase {
	ca := recipe.NewCA(t, "CA", recipe.RSA())
	return []checkCase{
		{"4 KiB", sizedResponse(t, ca, 4<<10), "ocsp.size-frugal", nowhere, nowhere},
		{"more than 4 KiB", sizedResponse(t, ca, 4<<10+1), "ocsp.size-frugal", nowhere, everywhere},
		{"15 KiB", sizedResponse(t, ca, 15<<10), "ocsp.size-staple", nowhere, nowhere},
		{"more than 15 KiB", sizedResponse(t, ca, 15<<10+1), "ocsp.size-staple", nowhere, everywhere},
	}
}

// sizedResponse is a response by a delegate of ca, whose key is RSA, that has
// exactly size octets because the delegate's certificate is so long.
func sizedResponse(t *testing.T, ca recipe.Identity, size int) recipe.Response {
	padded := func(n int) recipe.Response {
		r := recipe.NewResponder(t, ca, recipe.OtherRSA(), func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 99}, Value: make([]byte, n)})
		})
		return recipe.Response{Issuer: ca, Signer: r, Certs: []recipe.Identity{r}}
	}
	n := size
	for range 3 { // the lengths of what it is in get shorter with it
		n += size - len(padded(n).DER(t))
	}
	return padded(n)
}
