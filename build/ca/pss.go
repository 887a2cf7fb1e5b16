package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/certs"
)

const (
	// oidPSS and oidMGF1 are the content octets of id-RSASSA-PSS and id-mgf1.
	oidPSS  = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	oidMGF1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"

	// defaultSalt is the saltLength that is not spelled out.
	defaultSalt = 20
)

// pssHashes are the hash algorithms of RSA-PSS that can be verified, by the content
// octets of their OIDs, and pssWeak those that nobody may sign with any more.
var (
	pssHashes = map[string]x509.SignatureAlgorithm{
		"\x60\x86\x48\x01\x65\x03\x04\x02\x01": x509.SHA256WithRSAPSS,
		"\x60\x86\x48\x01\x65\x03\x04\x02\x02": x509.SHA384WithRSAPSS,
		"\x60\x86\x48\x01\x65\x03\x04\x02\x03": x509.SHA512WithRSAPSS,
	}
	pssWeak = map[string]string{oidSHA1: "SHA-1", "\x2a\x86\x48\x86\xf7\x0d\x02\x05": "MD5"}
)

const oidSHA1 = "\x2b\x0e\x03\x02\x1a"

// parsePSS reads the parameters of RSA-PSS (RFC 4055 section 3.1), whose defaults are
// SHA-1 and a salt of 20 octets:
//
//	RSASSA-PSS-params ::= SEQUENCE {
//	    hashAlgorithm    [0] HashAlgorithm DEFAULT sha1Identifier,
//	    maskGenAlgorithm [1] MaskGenAlgorithm DEFAULT mgf1SHA1Identifier,
//	    saltLength       [2] INTEGER DEFAULT 20,
//	    trailerField     [3] INTEGER DEFAULT 1 }
//
// The hash of the mask must be the other one, as RFC 4055 recommends and crypto/rsa
// takes for granted.
func parsePSS(in cryptobyte.String) (Algorithm, error) {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, tags.SEQUENCE) || !in.Empty() {
		return Algorithm{}, errors.New("parameters of RSA-PSS are not one SEQUENCE")
	}
	hash, maskHash, trailer := oidSHA1, oidSHA1, 1
	a := Algorithm{Salt: defaultSalt}
	if !readPSSHash(&seq, &hash) || !readPSSMask(&seq, &maskHash) ||
		!readPSSNumber(&seq, 2, &a.Salt) || !readPSSNumber(&seq, 3, &trailer) || !seq.Empty() {
		return Algorithm{}, errors.New("parameters of RSA-PSS are not those of RFC 4055 section 3.1 in DER")
	}
	if name, weak := pssWeak[hash]; weak {
		return Algorithm{}, fmt.Errorf("signature is RSA-PSS with %s, which is not secure", name)
	}
	var known bool
	a.X509, known = pssHashes[hash]
	if !known || maskHash != hash || trailer != 1 || a.Salt < 0 {
		return Algorithm{}, fmt.Errorf("signature is RSA-PSS with the hash %s, MGF1 with the hash %s, salt %d, trailer %d: cannot be verified here, want SHA-256, SHA-384 or SHA-512 for both, and trailer 1",
			oidText(hash), oidText(maskHash), a.Salt, trailer)
	}
	return a, nil
}

// tagged is the tag [n] EXPLICIT.
func tagged(n uint8) tags.Tag { return tags.Tag(n).ContextSpecific().Constructed() }

// readPSSHash reads [0] HashAlgorithm, whose parameters may be NULL or absent (RFC 4055
// section 2.1), and leaves the content octets of its OID in hash.
func readPSSHash(in *cryptobyte.String, hash *string) bool {
	var id cryptobyte.String
	var has bool
	return in.ReadOptionalASN1(&id, &has, tagged(0)) && (!has || readHash(id, hash))
}

// readPSSMask reads [1] MaskGenAlgorithm, which is MGF1 with a hash.
func readPSSMask(in *cryptobyte.String, hash *string) bool {
	var explicit, id, oid cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&explicit, &has, tagged(1)) || !has {
		return !has
	}
	return explicit.ReadASN1(&id, tags.SEQUENCE) && explicit.Empty() &&
		id.ReadASN1(&oid, tags.OBJECT_IDENTIFIER) && string(oid) == oidMGF1 && readHash(id, hash)
}

// readHash reads one AlgorithmIdentifier of a hash.
func readHash(in cryptobyte.String, hash *string) bool {
	var id, oid cryptobyte.String
	if !in.ReadASN1(&id, tags.SEQUENCE) || !in.Empty() || !id.ReadASN1(&oid, tags.OBJECT_IDENTIFIER) {
		return false
	}
	*hash = string(oid)
	return id.Empty() || string(id) == "\x05\x00"
}

// readPSSNumber reads [n] INTEGER.
func readPSSNumber(in *cryptobyte.String, n uint8, value *int) bool {
	var explicit cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&explicit, &has, tagged(n)) {
		return false
	}
	return !has || explicit.ReadASN1Integer(value) && explicit.Empty()
}

// oidText spells an OID, by its content octets, for people.
func oidText(content string) string {
	var oid asn1.ObjectIdentifier
	var b cryptobyte.Builder
	b.AddASN1(tags.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(content)) })
	in := cryptobyte.String(b.BytesOrPanic())
	if !in.ReadASN1ObjectIdentifier(&oid) {
		return fmt.Sprintf("%.40x", content)
	}
	return certs.NameOID(oid)
}
