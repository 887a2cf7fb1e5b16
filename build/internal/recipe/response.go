package recipe

import (
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
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/der"
	"lancre/index"
)

// A Response is the recipe of an OCSP response. The zero values of times are
// those of a good one: produced and thisUpdate an hour before now, nextUpdate in
// four days.
type Response struct {
	Issuer  Identity
	Signer  Identity // if its key is nil, the issuer
	Serials []string // content octets; one SingleResponse each. If nil, "\x01"
	Algs    []index.HashAlg

	// By SingleResponse, in place of the fields in the singular. There may be fewer.
	Issuers     []Identity
	Statuses    []index.Status
	ThisUpdates []time.Time

	Subordinate bool // what it is for is the certificate of a CA, and known as such
	BadAlg      bool // CertIDs by an algorithm that nobody knows

	Status                             index.Status
	RevokedAt                          time.Time // if zero, a day before now
	Reason                             []byte    // content octets of revocationReason; nil for none
	ProducedAt, ThisUpdate, NextUpdate time.Time
	NoNextUpdate                       bool

	Extensions       []pkix.Extension // responseExtensions
	SingleExtensions []pkix.Extension

	// Content of the two in DER, in place of them; see RawExtension.
	ExtensionsDER, SingleExtensionsDER []byte

	Version   bool   // spelled out
	ByName    bool   // ResponderID
	Responder []byte // key hash of the ResponderID, if not the signer's
	Certs     []Identity
	CertsDER  []byte // in place of certs

	Algorithm string // DER AlgorithmIdentifier; if "", the usual one of the key
	Padding   int    // octets of a responseExtension, to make it large
	Spoil     bool   // make the signature wrong
	Basic     bool   // the BasicOCSPResponse alone
}

// DER makes the response.
func (r Response) DER(t testing.TB) []byte {
	t.Helper()
	if r.Signer.Key == nil {
		r.Signer = r.Issuer
	}
	tbs := r.tbs(t)
	algorithm, signature := r.sign(t, tbs)
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes([]byte(algorithm))
		b.AddASN1BitString(signature)
		certs := r.CertsDER
		for _, c := range r.Certs {
			certs = append(certs, c.Cert.Raw...)
		}
		if certs != nil {
			b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(certs) })
			})
		}
	})
	basic := b.BytesOrPanic()
	if r.Basic {
		return basic
	}
	return Wrapped(basic)
}

// Wrapped is the OCSPResponse that holds a BasicOCSPResponse.
func Wrapped(basic []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(stdasn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1})
				b.AddASN1OctetString(basic)
			})
		})
	})
	return b.BytesOrPanic()
}

func (r Response) tbs(t testing.TB) []byte {
	t.Helper()
	signer := keyBits(t, r.Signer.Cert)
	keyHash := sha1.Sum(signer)
	responder := keyHash[:]
	if r.Responder != nil {
		responder = r.Responder
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if r.Version {
			b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) { b.AddASN1Int64(0) })
		}
		if r.ByName {
			b.AddASN1(der.Tag1, func(b *cryptobyte.Builder) { b.AddBytes(r.Signer.Cert.RawSubject) })
		} else {
			b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(responder) })
		}
		b.AddASN1GeneralizedTime(or(r.ProducedAt, Now.Add(-Hour)))
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { r.singles(t, b) })
		if r.Padding > 0 {
			r.Extensions = []pkix.Extension{{Id: stdasn1.ObjectIdentifier{2, 5, 29, 99}, Value: make([]byte, r.Padding)}}
		}
		addExtensions(b, r.Extensions, r.ExtensionsDER)
	})
	return b.BytesOrPanic()
}

// addExtensions adds [1] EXPLICIT Extensions, nothing if there are none.
func addExtensions(b *cryptobyte.Builder, list []pkix.Extension, content []byte) {
	switch {
	case content != nil:
		b.AddASN1(der.Tag1, func(b *cryptobyte.Builder) { b.AddBytes(Element(asn1.SEQUENCE, content)) })
	case list != nil:
		b.AddASN1(der.Tag1, func(b *cryptobyte.Builder) { b.AddBytes(Must(stdasn1.Marshal(list))) })
	}
}

// RawExtension is an Extension in DER, whose parts need not be what they must. critical is
// the octet of that BOOLEAN; none if it is absent.
func RawExtension(oid string, value []byte, critical ...byte) []byte {
	var flag []byte
	if critical != nil {
		flag = Element(asn1.BOOLEAN, critical)
	}
	return Element(asn1.SEQUENCE, slices.Concat(Element(asn1.OBJECT_IDENTIFIER, []byte(oid)), flag, Element(asn1.OCTET_STRING, value)))
}

func or(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

func (r Response) singles(t testing.TB, b *cryptobyte.Builder) {
	if r.Serials == nil {
		r.Serials = []string{"\x01"}
	}
	for i, serial := range r.Serials {
		alg := index.SHA1
		if len(r.Algs) > 0 {
			alg = r.Algs[i%len(r.Algs)]
		}
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			r.certID(t, b, nth(r.Issuers, i, r.Issuer), alg, serial)
			switch status := nth(r.Statuses, i, r.Status); status {
			case index.Revoked:
				b.AddASN1(der.Tag1, r.revokedInfo)
			default:
				b.AddASN1(asn1.Tag(status).ContextSpecific(), func(*cryptobyte.Builder) {})
			}
			b.AddASN1GeneralizedTime(or(nth(r.ThisUpdates, i, r.ThisUpdate), Now.Add(-Hour)))
			if !r.NoNextUpdate {
				b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(or(r.NextUpdate, Now.Add(4*Day))) })
			}
			addExtensions(b, r.SingleExtensions, r.SingleExtensionsDER)
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

func (r Response) revokedInfo(b *cryptobyte.Builder) {
	b.AddASN1GeneralizedTime(or(r.RevokedAt, Now.Add(-Day)))
	if r.Reason != nil {
		b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.ENUM, func(b *cryptobyte.Builder) { b.AddBytes(r.Reason) })
		})
	}
}

func (r Response) certID(t testing.TB, b *cryptobyte.Builder, issuer Identity, alg index.HashAlg, serial string) {
	oid := alg.OID()
	if r.BadAlg {
		oid = []byte{0x2a, 0x03}
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
			b.AddASN1NULL()
		})
		id, err := certs.ID(issuer.Cert, alg, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.AddASN1OctetString(id.NameHash)
		b.AddASN1OctetString(id.KeyHash)
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(serial)) })
	})
}

// sign signs tbs by the algorithm asked for.
func (r Response) sign(t testing.TB, tbs []byte) (algorithm string, signature []byte) {
	t.Helper()
	algorithm = r.Algorithm
	if algorithm == "" {
		algorithm = usualAlgorithm(r.Signer.Key)
	}
	a, err := ca.ParseAlgorithm([]byte(algorithm))
	if err != nil {
		return algorithm, make([]byte, 64) // nobody will come to verify it
	}
	hash, opts := hashes[a.X509], crypto.SignerOpts(hashes[a.X509])
	if a.X509 >= x509.SHA256WithRSAPSS && a.X509 <= x509.SHA512WithRSAPSS {
		opts = &rsa.PSSOptions{SaltLength: a.Salt, Hash: hash}
	}
	digest := tbs
	if hash != 0 {
		h := hash.New()
		h.Write(tbs)
		digest = h.Sum(nil)
	}
	if signature, err = r.Signer.Key.Sign(rand.Reader, digest, opts); err != nil {
		t.Fatal(err)
	}
	if r.Spoil {
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
		return AlgorithmID(x509.SHA256WithRSA)
	case ed25519.PublicKey:
		return AlgorithmID(x509.PureEd25519)
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P384():
			return AlgorithmID(x509.ECDSAWithSHA384)
		case elliptic.P521():
			return AlgorithmID(x509.ECDSAWithSHA512)
		}
	}
	return AlgorithmID(x509.ECDSAWithSHA256)
}

// AlgorithmID is the DER AlgorithmIdentifier of alg, as crypto/x509 spells it.
func AlgorithmID(alg x509.SignatureAlgorithm) string {
	key := RSA()
	switch alg {
	case x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		key = P256()
	case x509.PureEd25519:
		key = Ed25519()
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), SignatureAlgorithm: alg}
	in := cryptobyte.String(Must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)))
	var cert, id cryptobyte.String
	if !in.ReadASN1(&cert, asn1.SEQUENCE) || !cert.SkipASN1(asn1.SEQUENCE) || !cert.ReadASN1Element(&id, asn1.SEQUENCE) {
		panic("no AlgorithmIdentifier in a certificate")
	}
	return string(id)
}

// PSS is the DER AlgorithmIdentifier of RSA-PSS with a hash, in it and in its mask, and
// a salt of so many octets. parameters follow the OID of the hash.
func PSS(hash index.HashAlg, salt int, parameters string) string {
	id := func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(hash.OID()) })
			b.AddBytes([]byte(parameters))
		})
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10})
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.Tag0, id)
			b.AddASN1(der.Tag1, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8})
					id(b)
				})
			})
			b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(salt)) })
		})
	})
	return string(b.BytesOrPanic())
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

// Serial is the content octets of the serial number n, n > 0.
func Serial(n int) string { return string(append([]byte{0x40}, big.NewInt(int64(n)).Bytes()...)) }

// Many makes n good responses by ca, for the serials 1 to n.
func Many(t testing.TB, ca Identity, n int) [][]byte {
	t.Helper()
	list := make([][]byte, n)
	for i := range list {
		list[i] = Response{Issuer: ca, Serials: []string{Serial(i + 1)}}.DER(t)
	}
	return list
}
