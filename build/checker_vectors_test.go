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

	"lancre/index"
)

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
	for _, tt := range slices.Concat(contentCases(t, ca), timeCases(ca), validityCases(t, ca), revokedCases(ca), extensionCases(ca), sizeCases(t), signerCases(t, ca), delegateCases(t, ca)) {
		configured := []identity{tt.make.issuer}
		switch {
		case tt.check == "ocsp.issuer":
			configured[0] = ca
		case tt.make.issuers != nil:
			configured = tt.make.issuers
		case tt.make.subordinate:
			configured = append(configured, subordinate(t, tt.make.issuer))
		}
		der := tt.make.der(t)
		list = append(list, vector{tt.name, tt.check, tt.rejects, tt.warns, func(t *testing.T, p Profile) (string, []string) {
			broken, warnings := judge(t, der, p, configured...)
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
	both := []index.HashAlg{index.SHA1, index.SHA256}
	dual := response{issuer: ca, serials: []string{"\x01", "\x01"}, algs: both}
	asOf := func(second time.Duration) response {
		r := dual
		r.thisUpdates = []time.Time{now.Add(-2 * hour), now.Add(-2*hour - second)}
		return r
	}
	by := func(second identity) response {
		r := dual
		r.issuers = []identity{ca, second}
		return r
	}
	return []checkCase{
		{"good", response{issuer: ca}, "ocsp.der", nowhere, nowhere},
		{"good, SHA-512", response{issuer: ca, algs: []index.HashAlg{index.SHA512}}, "ocsp.hash", nowhere, nowhere},
		{"revoked", response{issuer: ca, status: index.Revoked}, "ocsp.status-unknown", nowhere, nowhere},
		{"unknown", response{issuer: ca, status: index.Unknown}, "ocsp.status-unknown", "br ms moz cs smime", "private"},
		{"good, bare", response{issuer: ca, basic: true}, "ocsp.der", everywhere, nowhere}, // it is the scanner that wraps
		{"version left out", response{issuer: ca}, "ocsp.version-explicit", nowhere, nowhere},
		{"version", response{issuer: ca, version: true}, "ocsp.version-explicit", nowhere, everywhere},

		{"one", response{issuer: ca}, "ocsp.dual", nowhere, nowhere},
		{"dual of one certificate", dual, "ocsp.bundle", nowhere, nowhere},
		{"dual", dual, "ocsp.dual", nowhere, everywhere},
		{"two certificates", response{issuer: ca, serials: []string{"\x01", "\x02"}}, "ocsp.bundle", everywhere, nowhere},
		{"two certificates by two hashes", response{issuer: ca, serials: []string{"\x01", "\x02"}, algs: both}, "ocsp.bundle", everywhere, nowhere},
		{"the same CertID by two hashes", dual, "ocsp.bundle-twice", nowhere, nowhere},
		{"the same CertID twice", response{issuer: ca, serials: []string{"\x01", "\x01"}}, "ocsp.bundle-twice", everywhere, nowhere},
		{"dual of one CA", by(ca), "ocsp.bundle-issuer", nowhere, nowhere},
		{"dual of two CAs", by(newCA(t, "Other CA", otherP256())), "ocsp.bundle-issuer", everywhere, nowhere},
		{"dual of one moment", asOf(0), "ocsp.bundle-time", nowhere, nowhere},
		{"dual of two moments", asOf(second), "ocsp.bundle-time", everywhere, nowhere},
		{"hash nobody knows", response{issuer: ca, badAlg: true}, "ocsp.hash", everywhere, nowhere},
		{"issuer configured", response{issuer: ca}, "ocsp.issuer", nowhere, nowhere},
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
		{"nextUpdate after thisUpdate", response{issuer: ca}, "ocsp.time-next-update", nowhere, nowhere},
		{"no nextUpdate", response{issuer: ca, noNextUpdate: true}, "ocsp.time-next-update", everywhere, nowhere},
		{"nextUpdate is thisUpdate", response{issuer: ca, nextUpdate: now.Add(-hour)}, "ocsp.time-next-update", everywhere, nowhere},
		{"expires now", response{issuer: ca, nextUpdate: now}, "ocsp.time-expired", everywhere, nowhere},
		{"8 hours left of 16", response{issuer: ca, producedAt: now.Add(-8 * hour), thisUpdate: now.Add(-8 * hour), nextUpdate: now.Add(8 * hour)}, "ocsp.time-remaining", nowhere, nowhere},
		{"less than 8 hours left of 16", response{issuer: ca, producedAt: now.Add(-9 * hour), thisUpdate: now.Add(-9 * hour), nextUpdate: now.Add(7 * hour)}, "ocsp.time-remaining", nowhere, everywhere},
		{"half left of 10 hours", response{issuer: ca, thisUpdate: now.Add(-5 * hour), nextUpdate: now.Add(5 * hour)}, "ocsp.time-remaining", nowhere, nowhere},
		{"less than half left of 10 hours", response{issuer: ca, thisUpdate: now.Add(-6 * hour), nextUpdate: now.Add(4 * hour)}, "ocsp.time-remaining", nowhere, everywhere},
		{"thisUpdate is producedAt", response{issuer: ca}, "ocsp.time-this-update", nowhere, nowhere},
		{"expires in a second", response{issuer: ca, producedAt: now.Add(-day), thisUpdate: now.Add(-day), nextUpdate: now.Add(time.Second)}, "ocsp.time-expired", nowhere, nowhere},
		{"1970", response{issuer: ca, thisUpdate: time.Unix(0, 0)}, "store.record", nowhere, nowhere},
		{"before 1970", response{issuer: ca, thisUpdate: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)}, "store.record", "private", nowhere},
	}
}

func signerCases(t *testing.T, ca identity) []checkCase {
	noUsage := newCA(t, "CA", p256Key(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	ed, p384 := newCA(t, "Ed25519 CA", edKey()), newCA(t, "P-384 CA", p384Key())
	p224, small := newCA(t, "P-224 CA", p224Key()), newCA(t, "small CA", smallRSA(t))
	return []checkCase{
		{"by key", response{issuer: ca}, "ocsp.responder-by-name", nowhere, nowhere},
		{"by key of the issuer", response{issuer: ca}, "ocsp.responder-id", nowhere, nowhere},
		{"signature", response{issuer: ca}, "ocsp.signature", nowhere, nowhere},
		{"algorithm", response{issuer: ca}, "ocsp.algorithm", nowhere, nowhere},
		{"P-384 with SHA-384", response{issuer: p384}, "ocsp.algorithm-profile", nowhere, nowhere},
		{"ECDSA without parameters", response{issuer: ca}, "ocsp.algorithm-form", nowhere, nowhere},
		{"RSA-2048", response{issuer: newCA(t, "RSA CA", rsaKey())}, "ocsp.key", nowhere, nowhere},
		{"CA with digitalSignature", response{issuer: ca}, "ocsp.issuer-key-usage", nowhere, nowhere},
		{"direct without certs", response{issuer: ca}, "ocsp.certs-needless", nowhere, nowhere},
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

// delegateRules are the checks that a response by a delegate which is as it should
// be just passes: each is broken by one change of its certificate.
var delegateRules = strings.Fields(`ocsp.delegate-first ocsp.delegate-alone ocsp.delegate-issued ocsp.delegate-eku
	ocsp.delegate-eku-only ocsp.delegate-ca ocsp.delegate-nocheck ocsp.delegate-nocheck-value ocsp.delegate-extensions
	ocsp.delegate-needless`)

func delegateCases(t *testing.T, ca identity) []checkCase {
	other := newCA(t, "Other CA", otherP256())
	delegated := func(change ...func(*x509.Certificate)) response {
		r := newResponder(t, ca, otherP256(), change...)
		return response{issuer: ca, signer: r, certs: []identity{r}}
	}
	with := func(r response, change func(*response)) response { change(&r); return r }
	var list []checkCase
	for _, id := range delegateRules {
		list = append(list, checkCase{"delegated", delegated(), id, nowhere, nowhere})
	}
	return append(list, []checkCase{
		{"delegated", delegated(), "ocsp.delegate-missing", nowhere, nowhere},
		{"delegate valid since producedAt", delegated(func(c *x509.Certificate) { c.NotBefore = now.Add(-hour) }), "ocsp.delegate-validity", nowhere, nowhere},
		{"delegate expires at nextUpdate", delegated(func(c *x509.Certificate) { c.NotAfter = now.Add(4 * day) }), "ocsp.delegate-expires", nowhere, nowhere},
		{"delegate not in certs", with(delegated(), func(r *response) { r.certs = nil }), "ocsp.delegate-missing", everywhere, nowhere},
		{"certs empty", with(delegated(), func(r *response) { r.certs, r.certsDER = nil, []byte{} }), "ocsp.delegate-missing", everywhere, nowhere},
		{"certs without the delegate", with(delegated(), func(r *response) { r.certs = []identity{ca} }), "ocsp.responder-id", everywhere, nowhere},
		{"certs no certificates", with(delegated(), func(r *response) { r.certs, r.certsDER = nil, []byte{0x30, 0x00} }), "ocsp.der", everywhere, nowhere},
		{"certs no DER", with(delegated(), func(r *response) { r.certs, r.certsDER = nil, []byte{0x04, 0x00} }), "ocsp.der", everywhere, nowhere},
		{"ResponderID names nobody", with(delegated(), func(r *response) { r.responder = make([]byte, 20) }), "ocsp.responder-id", everywhere, nowhere},
		{"delegate second of two", with(delegated(), func(r *response) { r.certs = append([]identity{ca}, r.certs...) }), "ocsp.delegate-first", everywhere, nowhere},
		{"delegate first of two", with(delegated(), func(r *response) { r.certs = append(r.certs, ca) }), "ocsp.delegate-alone", nowhere, everywhere},
		{"delegate of another CA", forged(t, ca, other), "ocsp.delegate-issued", everywhere, nowhere},
		{"delegate of a CA of the same name", forged(t, ca, newCA(t, "CA", otherP256())), "ocsp.delegate-issued", everywhere, nowhere},
		{"delegate without EKU", delegated(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), "ocsp.delegate-eku", everywhere, nowhere},
		{"delegate for servers too", delegated(func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) }), "ocsp.delegate-eku-only", "br ms", nowhere},
		{"delegate a CA", delegated(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), "ocsp.delegate-ca", everywhere, nowhere},
		{"delegate not yet valid", delegated(func(c *x509.Certificate) { c.NotBefore = now }), "ocsp.delegate-validity", everywhere, nowhere},
		{"delegate expired", delegated(func(c *x509.Certificate) { c.NotAfter = now.Add(-2 * hour) }), "ocsp.delegate-validity", everywhere, nowhere},
		{"delegate expires before nextUpdate", delegated(func(c *x509.Certificate) { c.NotAfter = now.Add(3 * day) }), "ocsp.delegate-expires", "moz", "private br ms cs smime"},
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
	}...)
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

// ofCA has r be for the certificate of a CA below its issuer.
func ofCA(r response) response {
	r.subordinate = true
	return r
}

// subordinate makes the certificate with the serial number 01 of a CA below ca.
func subordinate(t *testing.T, ca identity) identity {
	return issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Subordinate"},
		NotBefore: now.Add(-day), NotAfter: now.Add(day), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, ca, otherP256())
}

func validityCases(t *testing.T, ca identity) []checkCase {
	valid := func(from, to time.Duration) response {
		return response{issuer: ca, producedAt: now.Add(from), thisUpdate: now.Add(from), nextUpdate: now.Add(to)}
	}
	ends := func(after time.Duration) identity {
		return newCA(t, "CA", p256Key(), func(c *x509.Certificate) { c.NotAfter = now.Add(after) })
	}
	delegated := func(ca identity) response {
		r := newResponder(t, ca, otherP256())
		return response{issuer: ca, signer: r, certs: []identity{r}}
	}
	const second = time.Second
	return []checkCase{
		{"8 h", valid(-hour, 7*hour-second), "ocsp.validity-min", nowhere, nowhere},
		{"8 h less a second", valid(-hour, 7*hour-2*second), "ocsp.validity-min", "br ms smime", nowhere},
		{"10 days", valid(-hour, 10*day-hour-second), "ocsp.validity-max", "", nowhere},
		{"10 days and a second", valid(-hour, 10*day-hour), "ocsp.validity-max", "br moz cs smime", nowhere},
		{"7 days", valid(-hour, 7*day-hour), "ocsp.validity-max-ms", nowhere, nowhere},
		{"7 days and a second", valid(-hour, 7*day-hour+second), "ocsp.validity-max-ms", "ms", nowhere},
		{"a CA, 366 days", ofCA(valid(-hour, 366*day-hour)), "ocsp.validity-max-ca", nowhere, nowhere},
		{"a CA, 366 days and a second", ofCA(valid(-hour, 366*day-hour+second)), "ocsp.validity-max-ca", "br ms moz cs smime", nowhere},
		{"4 days ago", valid(-4*day, 2*day), "ocsp.age", nowhere, nowhere},
		{"4 days and a second ago", valid(-4*day-second, 2*day), "ocsp.age", "br smime", nowhere},
		{"half passed", valid(-2*day, 2*day), "ocsp.half-life", nowhere, nowhere},
		{"more than half passed", valid(-2*day-second, 2*day-second), "ocsp.half-life", nowhere, "ms"},
		{"CA expires at nextUpdate", response{issuer: ends(4 * day)}, "ocsp.issuer-expires", nowhere, nowhere},
		{"CA expires before nextUpdate", response{issuer: ends(4*day - second)}, "ocsp.issuer-expires", "moz", "private br ms cs smime"},
		{"delegating CA expires at nextUpdate", delegated(ends(4 * day)), "ocsp.delegator-expires", nowhere, nowhere},
		{"delegating CA expires before nextUpdate", delegated(ends(4*day - second)), "ocsp.delegator-expires", nowhere, everywhere},
	}
}

func revokedCases(ca identity) []checkCase {
	at := func(when time.Time, reason ...byte) response {
		return response{issuer: ca, status: index.Revoked, revokedAt: when, reason: reason}
	}
	reason := func(n byte) response { return at(now.Add(-day), n) }
	neverIssued := at(time.Unix(0, 0), reasonHold)
	extended := neverIssued
	extended.extensions = []pkix.Extension{{Id: made(asn1OID(oidExtendedRevoke)), Value: []byte{5, 0}}}
	return []checkCase{
		{"revoked within the skew", at(now.Add(-hour + 300*time.Second)), "ocsp.revoked-at", nowhere, nowhere},
		{"revoked after it was produced", at(now.Add(-hour + 301*time.Second)), "ocsp.revoked-at", everywhere, nowhere},
		{"revoked when the issuer began", at(now.Add(-1000 * day)), "ocsp.revoked-early", nowhere, nowhere},
		{"revoked before the issuer was", at(now.Add(-1000*day - time.Second)), "ocsp.revoked-early", nowhere, everywhere},
		{"keyCompromise", reason(1), "ocsp.reason", nowhere, nowhere},
		{"privilegeWithdrawn", reason(9), "ocsp.reason", nowhere, nowhere},
		{"cACompromise of a subscriber", reason(2), "ocsp.reason", everywhere, nowhere},
		{"reason 7", reason(7), "ocsp.reason", everywhere, nowhere},
		{"removeFromCRL", reason(8), "ocsp.reason", everywhere, nowhere},
		{"aACompromise", reason(10), "ocsp.reason", everywhere, nowhere},
		{"reason 11", reason(11), "ocsp.reason", everywhere, nowhere},
		{"cACompromise of a CA", ofCA(reason(2)), "ocsp.reason", nowhere, nowhere},
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
func withoutReason(r response) response {
	r.reason = nil
	return r
}

// asn1OID is the OBJECT IDENTIFIER with these content octets.
func asn1OID(content string) (oid asn1.ObjectIdentifier, err error) {
	_, err = asn1.Unmarshal(append([]byte{0x06, byte(len(content))}, content...), &oid)
	return oid, err
}

func extensionCases(ca identity) []checkCase {
	extension := func(oid string, critical bool) []pkix.Extension {
		return []pkix.Extension{{Id: made(asn1OID(oid)), Critical: critical, Value: []byte{5, 0}}}
	}
	single := func(oid string, critical bool) response {
		return response{issuer: ca, singleExtensions: extension(oid, critical)}
	}
	whole := func(oid string, critical bool) response {
		return response{issuer: ca, extensions: extension(oid, critical)}
	}
	const unknown, archiveCutoff = "\x2a\x03", "\x2b\x06\x01\x05\x05\x07\x30\x01\x06"
	return []checkCase{
		{"archiveCutoff", single(archiveCutoff, false), "ocsp.single-unknown", nowhere, nowhere},
		{"an extension nobody knows", single(unknown, false), "ocsp.single-unknown", nowhere, everywhere},
		{"archiveCutoff, not critical", single(archiveCutoff, false), "ocsp.single-critical", nowhere, nowhere},
		{"archiveCutoff, critical", single(archiveCutoff, true), "ocsp.single-critical", everywhere, nowhere},
		{"no reasonCode", single(archiveCutoff, false), "ocsp.single-reason-code", nowhere, nowhere},
		{"reasonCode", single(oidReasonCode, false), "ocsp.single-reason-code", "br", "private ms moz cs smime"},
		{"extended-revoke", whole(oidExtendedRevoke, true), "ocsp.nonce", nowhere, nowhere},
		{"nonce", whole(oidNonce, false), "ocsp.nonce", everywhere, nowhere},
		{"extended-revoke, critical", whole(oidExtendedRevoke, true), "ocsp.extension-critical", nowhere, nowhere},
		{"unknown, critical", whole(unknown, true), "ocsp.extension-critical", everywhere, nowhere},
		{"extended-revoke, not critical", whole(oidExtendedRevoke, false), "ocsp.extension-needless", nowhere, nowhere},
		{"unknown, not critical", whole(unknown, false), "ocsp.extension-needless", nowhere, everywhere},
	}
}

func sizeCases(t *testing.T) []checkCase {
	ca := newCA(t, "CA", rsaKey())
	return []checkCase{
		{"4 KiB", sizedResponse(t, ca, frugalSize), "ocsp.size-frugal", nowhere, nowhere},
		{"more than 4 KiB", sizedResponse(t, ca, frugalSize+1), "ocsp.size-frugal", nowhere, everywhere},
		{"15 KiB", sizedResponse(t, ca, stapleSize), "ocsp.size-staple", nowhere, nowhere},
		{"more than 15 KiB", sizedResponse(t, ca, stapleSize+1), "ocsp.size-staple", nowhere, everywhere},
	}
}

// sizedResponse is a response by a delegate of ca, whose key is RSA, that has
// exactly size octets because the delegate's certificate is so long.
func sizedResponse(t *testing.T, ca identity, size int) response {
	padded := func(n int) response {
		r := newResponder(t, ca, otherRSA(), func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 99}, Value: make([]byte, n)})
		})
		return response{issuer: ca, signer: r, certs: []identity{r}}
	}
	n := size
	for range 3 { // the lengths of what it is in get shorter with it
		n += size - len(padded(n).der(t))
	}
	return padded(n)
}
