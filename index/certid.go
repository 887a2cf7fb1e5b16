package index

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // the CertID algorithms, linked so that HashAlg.Hash().New works
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// HashAlg names the hash algorithm of a CertID (RFC 6960 section 4.1.1). Its
// values are part of the file format. The zero value is "not one of ours".
type HashAlg uint8

// The algorithms a store can be keyed by.
const (
	UnknownAlg HashAlg = iota
	SHA1
	SHA256
	SHA384
	SHA512
)

// hashAlgs holds, by HashAlg, what a CertID says of its algorithm.
var hashAlgs = [...]struct {
	name string
	hash crypto.Hash
	oid  []byte // content octets of the OBJECT IDENTIFIER
}{
	UnknownAlg: {name: "unknown"},
	SHA1:       {"sha1", crypto.SHA1, []byte{0x2b, 0x0e, 0x03, 0x02, 0x1a}},
	SHA256:     {"sha256", crypto.SHA256, []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}},
	SHA384:     {"sha384", crypto.SHA384, []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}},
	SHA512:     {"sha512", crypto.SHA512, []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}},
}

// HashAlgs lists the algorithms a store can be keyed by.
func HashAlgs() []HashAlg { return []HashAlg{SHA1, SHA256, SHA384, SHA512} }

// ParseHashAlg reads a name as String prints it: sha1, sha256, sha384, sha512.
func ParseHashAlg(name string) (HashAlg, error) {
	for _, a := range HashAlgs() {
		if a.String() == name {
			return a, nil
		}
	}
	return UnknownAlg, fmt.Errorf("hash algorithm %q: want sha1, sha256, sha384 or sha512", name)
}

func (a HashAlg) String() string {
	if int(a) >= len(hashAlgs) {
		a = UnknownAlg
	}
	return hashAlgs[a].name
}

// Hash is the algorithm as package crypto knows it; 0 for UnknownAlg.
func (a HashAlg) Hash() crypto.Hash {
	if int(a) >= len(hashAlgs) {
		return 0
	}
	return hashAlgs[a].hash
}

// Size is the length in octets of issuerNameHash and of issuerKeyHash under a;
// 0 for UnknownAlg.
func (a HashAlg) Size() int {
	if h := a.Hash(); h != 0 {
		return h.Size()
	}
	return 0
}

// OID is the content octets of the algorithm's OBJECT IDENTIFIER. The caller
// must not change them.
func (a HashAlg) OID() []byte { return hashAlgs[a].oid }

func hashAlgOf(oid []byte) HashAlg {
	for _, a := range [...]HashAlg{SHA1, SHA256, SHA384, SHA512} {
		if bytes.Equal(oid, hashAlgs[a].oid) {
			return a
		}
	}
	return UnknownAlg
}

// MaxSerial is the longest serial number, in content octets, that a store can
// hold: 20 octets of magnitude (RFC 5280 section 4.1.2.2) and the sign octet
// that some of them need.
const MaxSerial = 21

// A CertID names one certificate to an OCSP responder (RFC 6960 section 4.1.1).
//
// The slices alias whatever they were read from. NameHash and KeyHash have
// Alg.Size() octets; Serial is the content octets of a DER INTEGER, so minimal
// and at least one octet, not necessarily positive or short.
type CertID struct {
	Alg      HashAlg
	NameHash []byte // hash of the issuer's DER-encoded distinguished name
	KeyHash  []byte // hash of the issuer's subjectPublicKey bits
	Serial   []byte
}

// Key is the 64-bit number a store is sorted and probed by: xxhash64 with seed
// 0 over one octet of Alg, NameHash, KeyHash and Serial. It is part of the file
// format. A serial longer than MaxSerial, which no store holds, is cut.
func (id *CertID) Key() uint64 {
	var buf [1 + 2*64 + MaxSerial]byte
	b := append(buf[:0], byte(id.Alg))
	b = append(b, id.NameHash...)
	b = append(b, id.KeyHash...)
	b = append(b, id.Serial[:min(len(id.Serial), MaxSerial)]...)
	return xxhash.Sum64(b)
}

// Equal reports whether both name the same certificate by the same hashes.
func (id *CertID) Equal(other *CertID) bool {
	return id.Alg == other.Alg &&
		bytes.Equal(id.Serial, other.Serial) &&
		bytes.Equal(id.KeyHash, other.KeyHash) &&
		bytes.Equal(id.NameHash, other.NameHash)
}

// Clone is a copy of id that has its octets to itself.
func (id *CertID) Clone() CertID {
	return CertID{id.Alg, bytes.Clone(id.NameHash), bytes.Clone(id.KeyHash), bytes.Clone(id.Serial)}
}

// String is for messages: the algorithm, the serial and the start of both hashes.
func (id *CertID) String() string {
	return fmt.Sprintf("%s serial %x (issuer name hash %.8x…, key hash %.8x…)", id.Alg, id.Serial, id.NameHash, id.KeyHash)
}

// Marshal adds the DER CertID, with NULL for the parameters of the algorithm (RFC
// 6960 section 4.1.1): what ReadCertID reads. It implements cryptobyte's
// MarshalingValue.
func (id *CertID) Marshal(b *cryptobyte.Builder) error {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(id.Alg.OID()) })
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(id.NameHash)
		b.AddASN1OctetString(id.KeyHash)
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(id.Serial) })
	})
	return nil
}

// ReadCertID reads one DER CertID from the front of in:
//
//	CertID ::= SEQUENCE {
//	    hashAlgorithm   AlgorithmIdentifier,
//	    issuerNameHash  OCTET STRING,
//	    issuerKeyHash   OCTET STRING,
//	    serialNumber    INTEGER }
//
// The parameters of the algorithm may be NULL or absent. It reports false if
// the octets are not such a structure or a known algorithm's hash has the wrong
// length. An algorithm that is not one of ours is no error: Alg is UnknownAlg
// then. The result aliases in. It does not allocate.
func ReadCertID(in *cryptobyte.String, id *CertID) bool {
	var seq, alg, oid, name, key, serial cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) ||
		!seq.ReadASN1(&alg, asn1.SEQUENCE) ||
		!alg.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
		!seq.ReadASN1(&name, asn1.OCTET_STRING) ||
		!seq.ReadASN1(&key, asn1.OCTET_STRING) ||
		!seq.ReadASN1(&serial, asn1.INTEGER) ||
		!seq.Empty() || !MinimalInteger(serial) {
		return false
	}
	*id = CertID{Alg: hashAlgOf(oid), NameHash: name, KeyHash: key, Serial: serial}
	if id.Alg == UnknownAlg {
		return true
	}
	nullOrAbsent := alg.Empty() || bytes.Equal(alg, []byte{0x05, 0x00})
	return nullOrAbsent && len(name) == id.Alg.Size() && len(key) == id.Alg.Size()
}

// certIDFault says why ReadCertID does not read what in begins with.
func certIDFault(in cryptobyte.String) error {
	var seq, alg, oid, name, key, serial cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&alg, asn1.SEQUENCE) || !alg.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
		!seq.ReadASN1(&name, asn1.OCTET_STRING) || !seq.ReadASN1(&key, asn1.OCTET_STRING) {
		return errors.New("CertID does not begin, in DER, with an AlgorithmIdentifier and two OCTET STRINGs")
	}
	if !seq.ReadASN1(&serial, asn1.INTEGER) || !seq.Empty() || !MinimalInteger(serial) {
		return errors.New("CertID does not end with serialNumber, a minimal DER INTEGER")
	}
	if a := hashAlgOf(oid); len(name) != a.Size() || len(key) != a.Size() {
		return fmt.Errorf("CertID has an issuerNameHash of %d and an issuerKeyHash of %d octets, want %d for %s", len(name), len(key), a.Size(), a)
	}
	return fmt.Errorf("CertID has the parameters %.40x for its hash algorithm, want NULL or none", []byte(alg))
}

// MinimalInteger reports whether b is what DER allows as the content of an
// INTEGER (X.690 section 8.3.2): not empty, and the first nine bits not all alike.
func MinimalInteger(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if len(b) == 1 {
		return true
	}
	return !(b[0] == 0x00 && b[1] < 0x80) && !(b[0] == 0xff && b[1] >= 0x80)
}
