package build

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	stdasn1 "encoding/asn1"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/certs"
	"lancre/index"
)

// now is the moment of all builds in these tests.
var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const second, hour, day = time.Second, time.Hour, 24 * time.Hour

// Keys are slow to make, and which key it is matters to no test.
var (
	rsaKey    = sync.OnceValue(func() crypto.Signer { return made(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSA  = sync.OnceValue(func() crypto.Signer { return made(rsa.GenerateKey(rand.Reader, 2048)) })
	p256Key   = sync.OnceValue(func() crypto.Signer { return made(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	otherP256 = sync.OnceValue(func() crypto.Signer { return made(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384Key   = sync.OnceValue(func() crypto.Signer { return made(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521Key   = sync.OnceValue(func() crypto.Signer { return made(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	p224Key   = sync.OnceValue(func() crypto.Signer { return made(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)) })
	edKey     = sync.OnceValue(func() crypto.Signer { _, k, err := ed25519.GenerateKey(rand.Reader); return made(k, err) })
)

func made[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// An identity is a certificate and its key.
type identity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// newCA makes a self-signed CA; change may alter its template.
func newCA(t testing.TB, name string, key crypto.Signer, change ...func(*x509.Certificate)) identity {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-1000 * day), NotAfter: now.Add(1000 * day),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	for _, f := range change {
		f(template)
	}
	return issue(t, template, identity{template, key}, key)
}

var noCheck = pkix.Extension{Id: oidNoCheck, Value: stdasn1.NullBytes}

// newResponder makes a delegated responder of ca, one that breaks no rule;
// change may alter its template.
func newResponder(t testing.TB, ca identity, key crypto.Signer, change ...func(*x509.Certificate)) identity {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Responder"},
		NotBefore: now.Add(-30 * day), NotAfter: now.Add(30 * day),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{noCheck},
	}
	for _, f := range change {
		f(template)
	}
	return issue(t, template, ca, key)
}

func issue(t testing.TB, template *x509.Certificate, ca identity, key crypto.Signer) identity {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return identity{cert, key}
}

// A response is the recipe of an OCSP response. The zero values of times are
// those of a good one: produced and thisUpdate an hour before now, nextUpdate in
// four days.
type response struct {
	issuer  identity
	signer  identity // if its key is nil, the issuer
	serials []string // content octets; one SingleResponse each. If nil, "\x01"
	algs    []index.HashAlg

	// By SingleResponse, in place of the fields in the singular. There may be fewer.
	issuers     []identity
	statuses    []index.Status
	thisUpdates []time.Time

	subordinate bool // what it is for is the certificate of a CA, and known as such
	badAlg      bool // CertIDs by an algorithm that nobody knows

	status                             index.Status
	revokedAt                          time.Time // if zero, a day before now
	reason                             []byte    // content octets of revocationReason; nil for none
	producedAt, thisUpdate, nextUpdate time.Time
	noNextUpdate                       bool

	extensions       []pkix.Extension // responseExtensions
	singleExtensions []pkix.Extension

	version   bool   // spelled out
	byName    bool   // ResponderID
	responder []byte // key hash of the ResponderID, if not the signer's
	certs     []identity
	certsDER  []byte // in place of certs

	algorithm string // DER AlgorithmIdentifier; if "", the usual one of the key
	padding   int    // octets of a responseExtension, to make it large
	spoil     bool   // make the signature wrong
	basic     bool   // the BasicOCSPResponse alone
}

// der makes the response.
func (r response) der(t testing.TB) []byte {
	t.Helper()
	if r.signer.key == nil {
		r.signer = r.issuer
	}
	tbs := r.tbs(t)
	algorithm, signature := r.sign(t, tbs)
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes([]byte(algorithm))
		b.AddASN1BitString(signature)
		certs := r.certsDER
		for _, c := range r.certs {
			certs = append(certs, c.cert.Raw...)
		}
		if certs != nil {
			b.AddASN1(tag0, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(certs) })
			})
		}
	})
	basic := b.BytesOrPanic()
	if r.basic {
		return basic
	}
	return wrapped(basic)
}

// wrapped is what appendWrapped does, by other means.
func wrapped(basic []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(stdasn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1})
				b.AddASN1OctetString(basic)
			})
		})
	})
	return b.BytesOrPanic()
}

func (r response) tbs(t testing.TB) []byte {
	t.Helper()
	signer := keyBits(t, r.signer.cert)
	keyHash := sha1.Sum(signer)
	responder := keyHash[:]
	if r.responder != nil {
		responder = r.responder
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if r.version {
			b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddASN1Int64(0) })
		}
		if r.byName {
			b.AddASN1(tag1, func(b *cryptobyte.Builder) { b.AddBytes(r.signer.cert.RawSubject) })
		} else {
			b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(responder) })
		}
		b.AddASN1GeneralizedTime(or(r.producedAt, now.Add(-hour)))
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { r.singles(t, b) })
		if r.padding > 0 {
			r.extensions = []pkix.Extension{{Id: stdasn1.ObjectIdentifier{2, 5, 29, 99}, Value: make([]byte, r.padding)}}
		}
		addExtensions(b, r.extensions)
	})
	return b.BytesOrPanic()
}

// addExtensions adds [1] EXPLICIT Extensions, nothing if there are none.
func addExtensions(b *cryptobyte.Builder, list []pkix.Extension) {
	if list != nil {
		b.AddASN1(tag1, func(b *cryptobyte.Builder) { b.AddBytes(made(stdasn1.Marshal(list))) })
	}
}

func or(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

func (r response) singles(t testing.TB, b *cryptobyte.Builder) {
	if r.serials == nil {
		r.serials = []string{"\x01"}
	}
	for i, serial := range r.serials {
		alg := index.SHA1
		if len(r.algs) > 0 {
			alg = r.algs[i%len(r.algs)]
		}
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			r.certID(t, b, nth(r.issuers, i, r.issuer), alg, serial)
			switch status := nth(r.statuses, i, r.status); status {
			case index.Revoked:
				b.AddASN1(tag1, r.revokedInfo)
			default:
				b.AddASN1(asn1.Tag(status).ContextSpecific(), func(*cryptobyte.Builder) {})
			}
			b.AddASN1GeneralizedTime(or(nth(r.thisUpdates, i, r.thisUpdate), now.Add(-hour)))
			if !r.noNextUpdate {
				b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(or(r.nextUpdate, now.Add(4*day))) })
			}
			addExtensions(b, r.singleExtensions)
		})
	}
}

// nth is list[i] where it has that many.
func nth[T any](list []T, i int, otherwise T) T {
	if i < len(list) {
		return list[i]
	}
	return otherwise
}

func (r response) revokedInfo(b *cryptobyte.Builder) {
	b.AddASN1GeneralizedTime(or(r.revokedAt, now.Add(-day)))
	if r.reason != nil {
		b.AddASN1(tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.ENUM, func(b *cryptobyte.Builder) { b.AddBytes(r.reason) })
		})
	}
}

func (r response) certID(t testing.TB, b *cryptobyte.Builder, issuer identity, alg index.HashAlg, serial string) {
	oid := alg.OID()
	if r.badAlg {
		oid = []byte{0x2a, 0x03}
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
			b.AddASN1NULL()
		})
		id, err := certs.ID(issuer.cert, alg, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.AddASN1OctetString(id.NameHash)
		b.AddASN1OctetString(id.KeyHash)
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(serial)) })
	})
}

// sign signs tbs by the algorithm asked for.
func (r response) sign(t testing.TB, tbs []byte) (algorithm string, signature []byte) {
	t.Helper()
	algorithm = r.algorithm
	if algorithm == "" {
		algorithm = usualAlgorithm(r.signer.key)
	}
	a, err := parseAlgorithm([]byte(algorithm))
	if err != nil {
		return algorithm, make([]byte, 64) // nobody will come to verify it
	}
	hash, opts := hashes[a.x509], crypto.SignerOpts(hashes[a.x509])
	if a.x509 >= x509.SHA256WithRSAPSS && a.x509 <= x509.SHA512WithRSAPSS {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	digest := tbs
	if hash != 0 {
		h := hash.New()
		h.Write(tbs)
		digest = h.Sum(nil)
	}
	if signature, err = r.signer.key.Sign(rand.Reader, digest, opts); err != nil {
		t.Fatal(err)
	}
	if r.spoil {
		signature[len(signature)/2] ^= 1
	}
	return algorithm, signature
}

var hashes = map[x509.SignatureAlgorithm]crypto.Hash{
	x509.SHA256WithRSA: crypto.SHA256, x509.SHA384WithRSA: crypto.SHA384, x509.SHA512WithRSA: crypto.SHA512,
	x509.SHA256WithRSAPSS: crypto.SHA256, x509.SHA384WithRSAPSS: crypto.SHA384, x509.SHA512WithRSAPSS: crypto.SHA512,
	x509.ECDSAWithSHA256: crypto.SHA256, x509.ECDSAWithSHA384: crypto.SHA384, x509.ECDSAWithSHA512: crypto.SHA512,
	x509.PureEd25519: 0,
}

func usualAlgorithm(key crypto.Signer) string {
	switch key := key.Public().(type) {
	case *rsa.PublicKey:
		return algorithmDER(x509.SHA256WithRSA)
	case ed25519.PublicKey:
		return algorithmDER(x509.PureEd25519)
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P384():
			return algorithmDER(x509.ECDSAWithSHA384)
		case elliptic.P521():
			return algorithmDER(x509.ECDSAWithSHA512)
		}
	}
	return algorithmDER(x509.ECDSAWithSHA256)
}

func algorithmDER(want x509.SignatureAlgorithm) string {
	for der, a := range algorithms {
		if a.x509 == want {
			return der
		}
	}
	return ""
}

// keyBits are the subjectPublicKey bits, read otherwise than newSigner does.
func keyBits(t testing.TB, cert *x509.Certificate) []byte {
	t.Helper()
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       stdasn1.BitString
	}
	if _, err := stdasn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &spki); err != nil {
		t.Fatal(err)
	}
	return spki.Key.Bytes
}

// write makes a file in a directory of the test and returns its name.
func write(t testing.TB, name string, data ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, bytes.Join(data, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// run builds into a new store with the fields of c that are not set filled in.
func run(t testing.TB, ca identity, c Config) (*Report, error) {
	t.Helper()
	if c.Out == "" {
		c.Out = t.TempDir()
	}
	if c.Issuers == nil && ca.cert != nil {
		c.Issuers = []string{write(t, "ca.der", ca.cert.Raw)}
	}
	if c.At.IsZero() {
		c.At = now
	}
	return Run(context.Background(), c)
}

// seq is the content octets of the serial number n, n > 0.
func seq(n int) string { return string(append([]byte{0x40}, big.NewInt(int64(n)).Bytes()...)) }

// many makes n good responses by ca, for the serials 1 to n.
func many(t testing.TB, ca identity, n int) [][]byte {
	t.Helper()
	list := make([][]byte, n)
	for i := range list {
		list[i] = response{issuer: ca, serials: []string{seq(i + 1)}}.der(t)
	}
	return list
}
