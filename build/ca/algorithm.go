package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/certs"
	"lancre/build/der"
)

// minRSA is the shortest RSA modulus, in bits, that BR section 6.1.5 allows.
const minRSA = 2048

// maxRSA is the longest RSA modulus, in bits, by which anything is verified: as in
// crypto/tls, for a modulus of 390,000 bits takes seconds each time (CVE-2023-29409).
// OpenSSL goes up to 16,384, and to exponents of 64 bits (OPENSSL_RSA_MAX_PUBEXP_BITS).
const maxRSA = 8192

// maxExponent is the largest RSA exponent that crypto/rsa takes. Those of BR section
// 6.1.6 reach further, but 65537 is what everybody has.
const maxExponent = 1<<31 - 1

// unfitKey says why nothing is to be verified by the public key of cert, "" if it is. An
// exponent of 1 would make anything a signature; even ones and even moduli are no RSA.
func unfitKey(cert *x509.Certificate) string {
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return ""
	}
	switch n := key.N.BitLen(); {
	case n > maxRSA:
		return fmt.Sprintf("RSA key of %d bits, want at most %d", n, maxRSA)
	case key.E < 3 || key.E > maxExponent || key.E%2 == 0:
		return fmt.Sprintf("RSA key with the exponent %d, want an odd one from 3 to %d", key.E, maxExponent)
	case key.N.Bit(0) == 0:
		return "RSA key whose modulus is even, want the product of two odd primes"
	}
	return ""
}

// weakKey says why the public key of cert must not sign responses, "" if it may.
func weakKey(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSA {
			return fmt.Sprintf("RSA key of %d bits, want at least %d", n, minRSA)
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P224() {
			return "ECDSA key on P-224, want P-256, P-384 or P-521"
		}
	case ed25519.PublicKey:
	default:
		return fmt.Sprintf("public key is %s, want RSA, ECDSA or Ed25519", certs.KeyName(cert))
	}
	return ""
}

// An Algorithm is what an AlgorithmIdentifier says of a signature.
type Algorithm struct {
	X509  x509.SignatureAlgorithm
	Curve elliptic.Curve // the one BR section 7.1.3.2.2 pairs an ECDSA hash with
	Exact bool           // encoded octet by octet as BR section 7.1.3.2 wants
	Salt  int            // of RSA-PSS, in octets
}

// BR reports whether public CAs may sign with a, using the key of s (BR section 7.1.3.2).
// Whether the key is of a's type is for the signature to show.
func (a Algorithm) BR(s *Signer) bool {
	if k, ok := s.Cert.PublicKey.(*ecdsa.PublicKey); ok && a.Curve != nil {
		return a.Curve == k.Curve
	}
	if a.pss() && a.Salt != a.hash().Size() {
		return false
	}
	return s.pss == nil && a.X509 != x509.PureEd25519
}

// String names a for people.
func (a Algorithm) String() string {
	if a.pss() && a.Salt != a.hash().Size() {
		return fmt.Sprintf("%s with a salt of %d octets", a.X509, a.Salt)
	}
	return a.X509.String()
}

func (a Algorithm) pss() bool { return a.hash() != 0 }

// hash is that of RSA-PSS; 0 of all others, for whom crypto/x509 knows it.
func (a Algorithm) hash() crypto.Hash {
	switch a.X509 {
	case x509.SHA256WithRSAPSS:
		return crypto.SHA256
	case x509.SHA384WithRSAPSS:
		return crypto.SHA384
	case x509.SHA512WithRSAPSS:
		return crypto.SHA512
	}
	return 0
}

// algorithms are the signature algorithms that responses may have, by their DER
// AlgorithmIdentifier as BR section 7.1.3.2 gives it (Ed25519: RFC 8410 section 3).
var algorithms = map[string]Algorithm{
	der.MustHex("300d06092a864886f70d01010b0500"): {X509: x509.SHA256WithRSA},
	der.MustHex("300d06092a864886f70d01010c0500"): {X509: x509.SHA384WithRSA},
	der.MustHex("300d06092a864886f70d01010d0500"): {X509: x509.SHA512WithRSA},
	der.MustHex("304106092a864886f70d01010a3034" +
		"a00f300d06096086480165030402010500a11c301a06092a864886f70d010108" +
		"300d06096086480165030402010500a203020120"): {X509: x509.SHA256WithRSAPSS, Salt: 32},
	der.MustHex("304106092a864886f70d01010a3034" +
		"a00f300d06096086480165030402020500a11c301a06092a864886f70d010108" +
		"300d06096086480165030402020500a203020130"): {X509: x509.SHA384WithRSAPSS, Salt: 48},
	der.MustHex("304106092a864886f70d01010a3034" +
		"a00f300d06096086480165030402030500a11c301a06092a864886f70d010108" +
		"300d06096086480165030402030500a203020140"): {X509: x509.SHA512WithRSAPSS, Salt: 64},
	der.MustHex("300a06082a8648ce3d040302"): {X509: x509.ECDSAWithSHA256, Curve: elliptic.P256()},
	der.MustHex("300a06082a8648ce3d040303"): {X509: x509.ECDSAWithSHA384, Curve: elliptic.P384()},
	der.MustHex("300a06082a8648ce3d040304"): {X509: x509.ECDSAWithSHA512, Curve: elliptic.P521()},
	der.MustHex("300506032b6570"):           {X509: x509.PureEd25519},
}

// retired names the algorithms that nobody may sign with any more, by the
// content octets of their OID.
var retired = map[string]string{
	der.MustHex("2a864886f70d010104"): "MD5 with RSA",
	der.MustHex("2a864886f70d010105"): "SHA-1 with RSA",
	der.MustHex("2a8648ce3d0401"):     "SHA-1 with ECDSA",
	der.MustHex("2a8648ce380403"):     "SHA-1 with DSA",
}

// ParseAlgorithm reads a DER AlgorithmIdentifier. It fails for one that nobody may sign
// with, and does not allocate for one spelled as BR section 7.1.3.2 has it.
func ParseAlgorithm(id []byte) (Algorithm, error) {
	if a, ok := algorithms[string(id)]; ok {
		a.Exact = true
		return a, nil
	}
	in := cryptobyte.String(id)
	var seq, oid cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return Algorithm{}, fmt.Errorf("signature algorithm %.100x is not a DER AlgorithmIdentifier", id)
	}
	if name, ok := retired[string(oid)]; ok {
		return Algorithm{}, fmt.Errorf("signature is %s, which is not secure", name)
	}
	if string(oid) == oidPSS {
		return parsePSS(seq)
	}
	// The other forms of "no parameters": NULL where there should be nothing,
	// nothing where there should be NULL.
	for _, parameters := range []string{"", "\x05\x00"} {
		if string(seq) != "" && string(seq) != "\x05\x00" {
			break
		}
		if a, ok := algorithms[identifier(oid, parameters)]; ok {
			return a, nil
		}
	}
	return Algorithm{}, fmt.Errorf("signature is %s, which cannot be verified here: want RSA, ECDSA or Ed25519, with SHA-256, SHA-384 or SHA-512", oidText(string(oid)))
}

// identifier is the DER AlgorithmIdentifier of an OID, by its content octets, and of
// parameters in DER.
func identifier(oid []byte, parameters string) string {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
		b.AddBytes([]byte(parameters))
	})
	return string(b.BytesOrPanic())
}
