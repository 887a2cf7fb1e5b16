package der

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// An AuthorityKey is an authorityKeyIdentifier (RFC 5280 section 4.2.1.1):
//
//	AuthorityKeyIdentifier ::= SEQUENCE {
//	    keyIdentifier              [0] OCTET STRING OPTIONAL,
//	    authorityCertIssuer        [1] GeneralNames OPTIONAL,
//	    authorityCertSerialNumber  [2] INTEGER OPTIONAL }
//
// What is absent is nil. All slices alias what was read.
type AuthorityKey struct {
	KeyID  []byte
	Issuer []byte // content of the GeneralNames
	Serial []byte // content octets
}

// ReadAuthorityKey reads the value of the extension, and reports whether it is one.
func ReadAuthorityKey(value []byte) (a AuthorityKey, ok bool) {
	in := cryptobyte.String(value)
	var seq cryptobyte.String
	ok = in.ReadASN1(&seq, asn1.SEQUENCE) && in.Empty() &&
		readOptional(&seq, asn1.Tag(0).ContextSpecific(), &a.KeyID) &&
		readOptional(&seq, Tag1, &a.Issuer) &&
		readOptional(&seq, asn1.Tag(2).ContextSpecific(), &a.Serial) && seq.Empty() &&
		(a.Issuer == nil || len(a.Issuer) > 0 && wellFormed(asn1.SEQUENCE, a.Issuer, 0)) &&
		(a.Serial == nil || index.MinimalInteger(a.Serial))
	return a, ok
}

// Unpaired says which of Issuer and Serial is there without the other: only both together
// name a certificate. It is "" if neither is there, or both are.
func (a AuthorityKey) Unpaired() string {
	switch {
	case a.Issuer == nil && a.Serial != nil:
		return "authorityKeyIdentifier has authorityCertSerialNumber without authorityCertIssuer"
	case a.Issuer != nil && a.Serial == nil:
		return "authorityKeyIdentifier has authorityCertIssuer without authorityCertSerialNumber"
	}
	return ""
}

func readOptional(in *cryptobyte.String, tag asn1.Tag, content *[]byte) bool {
	var octets cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&octets, &has, tag) {
		return false
	}
	if has {
		*content = octets
	}
	return true
}

// DirectoryNames iterates over the directoryNames, each a DER Name, in the content of a
// GeneralNames that was found to be DER.
func DirectoryNames(names []byte) func(yield func(name []byte) bool) {
	return func(yield func(name []byte) bool) {
		in := cryptobyte.String(names)
		var content cryptobyte.String
		var tag asn1.Tag
		for in.ReadAnyASN1(&content, &tag) {
			const directoryName = asn1.Tag(4 | 0x80 | 0x20) // [4] EXPLICIT Name
			if tag == directoryName && !yield(content) {
				return
			}
		}
	}
}
