// Package crl reads CRLs and finds what they list. It says whether a CRL is spelled
// as RFC 5280 section 5 has it; whether what it says is right is for its users.
package crl

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
	"lancre/build/rule"
	"lancre/index"
)

// A CRL is a view of a CRL in DER, with its syntax checked (RFC 5280 section 5.1):
//
//	CertificateList ::= SEQUENCE {
//	    tbsCertList         TBSCertList,
//	    signatureAlgorithm  AlgorithmIdentifier,
//	    signatureValue      BIT STRING }
//
//	TBSCertList ::= SEQUENCE {
//	    version              Version,                 -- v2
//	    signature            AlgorithmIdentifier,
//	    issuer               Name,
//	    thisUpdate           Time,
//	    nextUpdate           Time OPTIONAL,
//	    revokedCertificates  SEQUENCE OF CRLEntry OPTIONAL,
//	    crlExtensions        [0] EXPLICIT Extensions OPTIONAL }
//
// The entries, of which there can be millions, stay what they are in DER: Walk
// reads them one by one. All slices alias DER. A CRL is immutable.
//
// One that is made of Serials has no DER: it has Issuer, ThisUpdate, Count, Point and the
// entries, whose offsets are those in the Serials.
type CRL struct {
	DER           []byte
	TBS           []byte   // tbsCertList with its header: what is signed
	Inner         []byte   // signature, the AlgorithmIdentifier inside, in DER
	Algorithm     []byte   // signatureAlgorithm, in DER
	Signature     []byte   // octets of signatureValue
	Issuer        []byte   // issuer in DER
	ThisUpdate    int64    // Unix seconds
	NextUpdate    int64    // index.NoTime if absent
	HasEntries    bool     // revokedCertificates is present
	entries       []byte   // its content
	entriesOffset int64    // where that lies in DER
	Count         int      // entries
	known         *Serials // that they are read from; nil if from DER
	Extensions
}

// Parse reads the one CRL in der, which it keeps, or says what is wrong with its syntax.
func Parse(der []byte) (*CRL, *rule.Finding) {
	c := &CRL{DER: der}
	in := cryptobyte.String(der)
	var list, tbs, algorithm, bits cryptobyte.String
	if !in.ReadASN1(&list, asn1.SEQUENCE) || !in.Empty() || !list.ReadASN1Element(&tbs, asn1.SEQUENCE) {
		return nil, syntax("not one SEQUENCE that begins with a TBSCertList")
	}
	end := int64(len(der) - len(list)) // of the TBSCertList
	if !list.ReadASN1Element(&algorithm, asn1.SEQUENCE) || !list.ReadASN1(&bits, asn1.BIT_STRING) || !list.Empty() ||
		len(bits) == 0 || bits[0] != 0 {
		return nil, syntax("the TBSCertList is not followed by an AlgorithmIdentifier and a BIT STRING of whole octets alone")
	}
	c.TBS, c.Algorithm, c.Signature = tbs, algorithm, bits[1:]
	if broken := c.parseTBS(tbs, end); broken != nil {
		return nil, broken
	}
	if broken := c.countEntries(); broken != nil {
		return nil, broken
	}
	return c, nil
}

func syntax(format string, args ...any) *rule.Finding {
	return rule.Broken(rule.CRLDER, "CRL: "+format, args...)
}

// parseTBS reads the TBSCertList, which ends at the given offset.
func (c *CRL) parseTBS(tbs cryptobyte.String, end int64) (broken *rule.Finding) {
	var in, algorithm, issuer cryptobyte.String
	if !tbs.ReadASN1(&in, asn1.SEQUENCE) {
		return syntax("TBSCertList is not a SEQUENCE")
	}
	if broken := readVersion(&in); broken != nil {
		return broken
	}
	if !in.ReadASN1Element(&algorithm, asn1.SEQUENCE) || !in.ReadASN1Element(&issuer, asn1.SEQUENCE) {
		return syntax("version is not followed by an AlgorithmIdentifier and a Name")
	}
	c.Inner, c.Issuer = algorithm, issuer
	if c.ThisUpdate, broken = readTime(&in); broken != nil {
		return broken
	}
	c.NextUpdate = index.NoTime
	if in.PeekASN1Tag(asn1.UTCTime) || in.PeekASN1Tag(asn1.GeneralizedTime) {
		if c.NextUpdate, broken = readTime(&in); broken != nil {
			return broken
		}
	}
	var entries, extensions cryptobyte.String
	var hasExtensions bool
	if !in.ReadOptionalASN1(&entries, &c.HasEntries, asn1.SEQUENCE) {
		return syntax("revokedCertificates is not DER")
	}
	c.entries, c.entriesOffset = entries, end-int64(len(in)+len(entries))
	if !in.ReadOptionalASN1(&extensions, &hasExtensions, der.Tag0) || !in.Empty() {
		return syntax("TBSCertList has something else where Extensions can be")
	}
	if !hasExtensions {
		return nil
	}
	return c.Extensions.parse(extensions)
}

func readVersion(in *cryptobyte.String) *rule.Finding {
	const v2 = 1
	if !in.PeekASN1Tag(asn1.INTEGER) {
		return rule.Broken(rule.CRLVersion, "CRL is of version 1, which has no extensions: want version 2")
	}
	var version int64
	if !in.ReadASN1Integer(&version) {
		return syntax("version is not a DER INTEGER")
	}
	if version != v2 {
		return rule.Broken(rule.CRLVersion, "CRL has the version number %d, want %d, which says version 2", version, v2)
	}
	return nil
}

// countEntries reads all entries for their syntax, so that Walk cannot fail.
func (c *CRL) countEntries() *rule.Finding {
	in := cryptobyte.String(c.entries)
	for !in.Empty() {
		var e Entry
		at := c.entriesOffset + int64(len(c.entries)-len(in))
		if broken := e.read(&in); broken != nil {
			return rule.Broken(broken.Check, "entry %d, at offset %d: %s", c.Count+1, at, broken.Reason)
		}
		c.Count++
	}
	return nil
}

// Walk calls visit for every entry, in the order of the CRL. The entry it is given
// is used again for the next.
func (c *CRL) Walk(visit func(e *Entry)) {
	if c.known != nil {
		c.known.walk(visit)
		return
	}
	var e Entry
	foreign := false // until a certificateIssuer says otherwise, as before it
	in := cryptobyte.String(c.entries)
	for !in.Empty() {
		at := c.entriesOffset + int64(len(c.entries)-len(in))
		e.read(&in)
		if e.Issuer != nil {
			foreign = !c.named(e.Issuer)
		}
		e.Offset, e.Foreign = at, foreign
		visit(&e)
	}
}

// WalkSerials calls visit for the serial number, as content octets, of every entry and the
// offset by which EntryAt finds it, in the order of the CRL: in a third of the time of Walk.
func (c *CRL) WalkSerials(visit func(serial []byte, offset int64)) {
	if c.known != nil {
		c.known.walk(func(e *Entry) { visit(e.Serial, e.Offset) })
		return
	}
	in := cryptobyte.String(c.entries)
	for !in.Empty() {
		at := c.entriesOffset + int64(len(c.entries)-len(in))
		var entry, serial cryptobyte.String
		in.ReadASN1(&entry, asn1.SEQUENCE) // which Parse found to be there
		entry.ReadASN1(&serial, asn1.INTEGER)
		visit(serial, at)
	}
}

// named reports whether the issuer of c is among the content of a GeneralNames.
func (c *CRL) named(names []byte) bool {
	for name := range der.DirectoryNames(names) {
		if bytes.Equal(name, c.Issuer) {
			return true
		}
	}
	return false
}

// OfAttributes reports whether c is about attribute certificates, whose serial numbers
// have nothing to do with those of other certificates.
func (c *CRL) OfAttributes() bool { return c.Point != nil && c.Point.AttributeCerts }

// EntryAt is the entry at an offset that Walk gave.
func (c *CRL) EntryAt(offset int64) (e Entry) {
	if c.known != nil {
		return c.known.entry(offset)
	}
	in := cryptobyte.String(c.DER[offset:])
	e.read(&in)
	e.Offset = offset
	return e
}

// SerialAt is the serial number, as content octets, of that entry.
func (c *CRL) SerialAt(offset int64) []byte {
	if c.known != nil {
		return c.known.serial(offset)
	}
	in := cryptobyte.String(c.DER[offset:])
	var seq, serial cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&serial, asn1.INTEGER) {
		return nil // not if Walk gave the offset
	}
	return serial
}

// Validity is for how long c holds, in seconds, both ends included.
func (c *CRL) Validity() int64 { return c.NextUpdate - c.ThisUpdate + 1 }

// Delta reports whether c is a delta CRL: it says what has changed since a complete CRL
// of the same scope (RFC 5280 section 5.2.4).
func (c *CRL) Delta() bool { return c.Base != nil }

// SameScope reports whether c is about the same certificates as another CRL of its
// issuer. A delta CRL is used with a complete one only if that is so (RFC 5280 section
// 6.3.3 (c)(2)).
func (c *CRL) SameScope(other *CRL) bool {
	if c.Point == nil || other.Point == nil {
		return c.Point == other.Point
	}
	return bytes.Equal(c.Point.DER, other.Point.DER)
}

// part is what c tells of, and as of when.
func (c *CRL) part() part {
	p := part{thisUpdate: c.ThisUpdate, delta: c.Delta()}
	if c.Point != nil {
		p.scope = xxhash.Sum64(c.Point.DER)
	}
	return p
}

// URIs are those of the issuingDistributionPoint.
func (c *CRL) URIs() []string {
	if c.Point == nil {
		return nil
	}
	return c.Point.URIs
}
