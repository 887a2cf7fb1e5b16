//go:build cgo

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/miekg/pkcs11"
	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// What PKCS #11 version 3.0 has for Ed25519, and the library does not name.
const (
	keyEdwards     = 0x40   // CKK_EC_EDWARDS
	mechanismEdDSA = 0x1057 // CKM_EDDSA
)

// attributes are those of an object, or the error that it has none of one.
func (t *token) attributes(s pkcs11.SessionHandle, o pkcs11.ObjectHandle, types ...uint) ([][]byte, error) {
	var want []*pkcs11.Attribute
	for _, typ := range types {
		want = append(want, pkcs11.NewAttribute(typ, nil))
	}
	got, err := t.module.GetAttributeValue(s, o, want)
	if err != nil {
		return nil, err
	}
	var values [][]byte
	for _, a := range got {
		values = append(values, a.Value)
	}
	return values, nil
}

// publicKey is the public half of the private key: what that says itself, as RSA keys do,
// or the public key or certificate of the same CKA_ID.
func (t *token) publicKey(s pkcs11.SessionHandle) (crypto.PublicKey, error) {
	values, err := t.attributes(s, t.private, pkcs11.CKA_KEY_TYPE, pkcs11.CKA_ID)
	if err != nil {
		return nil, fmt.Errorf("type and id of the private key: %w", err)
	}
	kind, id := number(values[0]), values[1]
	if kind == pkcs11.CKK_RSA {
		return t.rsaKey(s)
	}
	if kind != pkcs11.CKK_EC && kind != keyEdwards {
		return nil, fmt.Errorf("a private key of type %#x, want RSA, EC or Edwards", kind)
	}
	for _, of := range []struct {
		class uint
		read  func(pkcs11.SessionHandle, pkcs11.ObjectHandle) (crypto.PublicKey, error)
	}{{pkcs11.CKO_PUBLIC_KEY, t.ecKey}, {pkcs11.CKO_CERTIFICATE, t.certifiedKey}} {
		found, err := t.find(s, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, of.class), pkcs11.NewAttribute(pkcs11.CKA_ID, id)})
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return of.read(s, found[0])
		}
	}
	return nil, fmt.Errorf("the token has neither a public key nor a certificate with the id %x of the private key: import the certificate", id)
}

// number reads a CK_ULONG, which is as the machine has it.
func number(octets []byte) uint64 {
	var b [8]byte
	copy(b[:], octets)
	return binary.NativeEndian.Uint64(b[:])
}

func (t *token) rsaKey(s pkcs11.SessionHandle) (crypto.PublicKey, error) {
	values, err := t.attributes(s, t.private, pkcs11.CKA_MODULUS, pkcs11.CKA_PUBLIC_EXPONENT)
	if err != nil {
		return nil, fmt.Errorf("modulus of the private key: %w", err)
	}
	e := new(big.Int).SetBytes(values[1])
	if !e.IsInt64() || e.BitLen() > 31 {
		return nil, fmt.Errorf("an RSA key with the exponent %s", e)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(values[0]), E: int(e.Int64())}, nil
}

func (t *token) certifiedKey(s pkcs11.SessionHandle, o pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	values, err := t.attributes(s, o, pkcs11.CKA_VALUE)
	if err != nil {
		return nil, fmt.Errorf("value of the certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(values[0])
	if err != nil {
		return nil, err
	}
	return cert.PublicKey, nil
}

func (t *token) ecKey(s pkcs11.SessionHandle, o pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	values, err := t.attributes(s, o, pkcs11.CKA_EC_PARAMS, pkcs11.CKA_EC_POINT)
	if err != nil {
		return nil, fmt.Errorf("point of the public key: %w", err)
	}
	return parseEC(values[0], values[1])
}

// curves are those of public CAs, by their OID (RFC 5480 section 2.1.1.1).
var curves = map[string]elliptic.Curve{
	"1.2.840.10045.3.1.7": elliptic.P256(), "1.3.132.0.34": elliptic.P384(), "1.3.132.0.35": elliptic.P521(),
}

// parseEC reads a public key by CKA_EC_PARAMS and CKA_EC_POINT. The point is a DER OCTET
// STRING, or what that holds: the standard was read both ways.
func parseEC(params, point []byte) (crypto.PublicKey, error) {
	var raw []byte
	if rest, err := asn1.Unmarshal(point, &raw); err != nil || len(rest) > 0 {
		raw = point
	}
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(params, &oid); err == nil && curves[oid.String()] != nil {
		return ecdsa.ParseUncompressedPublicKey(curves[oid.String()], raw)
	}
	if isEd25519(params, oid) && len(raw) == ed25519.PublicKeySize {
		return ed25519.PublicKey(raw), nil
	}
	return nil, fmt.Errorf("a key on the curve %x, want P-256, P-384, P-521 or Ed25519", params)
}

// isEd25519 reports whether CKA_EC_PARAMS are those of Ed25519: its OID (RFC 8410), or
// the name edwards25519.
func isEd25519(params []byte, oid asn1.ObjectIdentifier) bool {
	var name string
	_, err := asn1.Unmarshal(params, &name)
	return oid.String() == "1.3.101.112" || err == nil && name == "edwards25519"
}

// A mechanism is how a token is asked to sign.
type mechanism struct {
	id     uint
	input  []byte
	encode func(signature []byte) ([]byte, error) // to what X.509 has
}

// prefixes are what PKCS #1 version 1.5 has before a digest (RFC 8017 section 9.2).
var prefixes = map[crypto.Hash]string{
	crypto.SHA256: "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
	crypto.SHA384: "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
	crypto.SHA512: "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
}

func mechanismOf(public crypto.PublicKey, digest []byte, hash crypto.Hash) (mechanism, error) {
	same := func(signature []byte) ([]byte, error) { return signature, nil }
	switch public.(type) {
	case *rsa.PublicKey:
		prefix, ok := prefixes[hash]
		if !ok {
			return mechanism{}, fmt.Errorf("a digest by %s", hash)
		}
		return mechanism{pkcs11.CKM_RSA_PKCS, append([]byte(prefix), digest...), same}, nil
	case *ecdsa.PublicKey:
		return mechanism{pkcs11.CKM_ECDSA, digest, encodeECDSA}, nil
	}
	return mechanism{mechanismEdDSA, digest, same}, nil
}

// encodeECDSA makes an Ecdsa-Sig-Value (RFC 3279 section 2.2.3) of r and s, of one length.
func encodeECDSA(signature []byte) ([]byte, error) {
	n := len(signature) / 2
	if n == 0 || len(signature)%2 == 1 {
		return nil, errors.New("an ECDSA signature of an odd number of octets")
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(signature[:n]))
		b.AddASN1BigInt(new(big.Int).SetBytes(signature[n:]))
	})
	return b.Bytes()
}
