package build

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// A crl is a view of a CRL in DER, with its syntax checked (RFC 5280 section 5.1):
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
// The entries, of which there can be millions, stay what they are in DER: walk
// reads them one by one. All slices alias der.
type crl struct {
	der           []byte
	tbs           []byte // tbsCertList with its header: what is signed
	signed        []byte // signature, the AlgorithmIdentifier inside, in DER
	algorithm     []byte // signatureAlgorithm, in DER
	signature     []byte // octets of signatureValue
	issuerName    []byte // issuer in DER
	thisUpdate    int64  // Unix seconds
	nextUpdate    int64  // index.NoTime if absent
	hasEntries    bool   // revokedCertificates is present
	entries       []byte // its content
	entriesOffset int64  // where that lies in der
	count         int    // entries
	crlExtensions

	by *issuer // whose key signed it; nil until that is checked, or if it is not configured
}

// parseCRL reads the one CRL in der. What it finds broken is the syntax: whether
// what the CRL says is right is for checkCRL.
func parseCRL(der []byte) (*crl, finding) {
	c := &crl{der: der}
	in := cryptobyte.String(der)
	var list, tbs, algorithm, bits cryptobyte.String
	if !in.ReadASN1(&list, asn1.SEQUENCE) || !in.Empty() || !list.ReadASN1Element(&tbs, asn1.SEQUENCE) {
		return nil, crlSyntax("not one SEQUENCE that begins with a TBSCertList")
	}
	end := int64(len(der) - len(list)) // of the TBSCertList
	if !list.ReadASN1Element(&algorithm, asn1.SEQUENCE) || !list.ReadASN1(&bits, asn1.BIT_STRING) || !list.Empty() ||
		len(bits) == 0 || bits[0] != 0 {
		return nil, crlSyntax("the TBSCertList is not followed by an AlgorithmIdentifier and a BIT STRING of whole octets alone")
	}
	c.tbs, c.algorithm, c.signature = tbs, algorithm, bits[1:]
	if broken := c.parseTBS(tbs, end); broken.check != passed {
		return nil, broken
	}
	return c, c.countEntries()
}

func crlSyntax(format string, args ...any) finding {
	return finding{checkCRLForm, "CRL: " + fmt.Sprintf(format, args...)}
}

// parseTBS reads the TBSCertList, which ends at the given offset.
func (c *crl) parseTBS(tbs cryptobyte.String, end int64) (broken finding) {
	var in, algorithm, issuer cryptobyte.String
	if !tbs.ReadASN1(&in, asn1.SEQUENCE) {
		return crlSyntax("TBSCertList is not a SEQUENCE")
	}
	if broken := readCRLVersion(&in); broken.check != passed {
		return broken
	}
	if !in.ReadASN1Element(&algorithm, asn1.SEQUENCE) || !in.ReadASN1Element(&issuer, asn1.SEQUENCE) {
		return crlSyntax("version is not followed by an AlgorithmIdentifier and a Name")
	}
	c.signed, c.issuerName = algorithm, issuer
	if c.thisUpdate, broken = readCRLTime(&in); broken.check != passed {
		return broken
	}
	c.nextUpdate = index.NoTime
	if in.PeekASN1Tag(asn1.UTCTime) || in.PeekASN1Tag(asn1.GeneralizedTime) {
		if c.nextUpdate, broken = readCRLTime(&in); broken.check != passed {
			return broken
		}
	}
	var entries, extensions cryptobyte.String
	var hasExtensions bool
	if !in.ReadOptionalASN1(&entries, &c.hasEntries, asn1.SEQUENCE) {
		return crlSyntax("revokedCertificates is not DER")
	}
	c.entries, c.entriesOffset = entries, end-int64(len(in)+len(entries))
	if !in.ReadOptionalASN1(&extensions, &hasExtensions, tag0) || !in.Empty() {
		return crlSyntax("TBSCertList has something else where crlExtensions can be")
	}
	if !hasExtensions {
		return finding{}
	}
	return c.crlExtensions.parse(extensions)
}

func readCRLVersion(in *cryptobyte.String) finding {
	const v2 = 1
	if !in.PeekASN1Tag(asn1.INTEGER) {
		return finding{checkCRLVersion, "CRL is of version 1, which has no extensions: want version 2"}
	}
	var version int64
	if !in.ReadASN1Integer(&version) {
		return crlSyntax("version is not a DER INTEGER")
	}
	if version != v2 {
		return finding{checkCRLVersion, fmt.Sprintf("CRL has the version number %d, want %d, which says version 2", version, v2)}
	}
	return finding{}
}

// countEntries reads all entries for their syntax, so that walk cannot fail.
func (c *crl) countEntries() finding {
	in := cryptobyte.String(c.entries)
	for !in.Empty() {
		var e crlEntry
		at := c.entriesOffset + int64(len(c.entries)-len(in))
		if broken := e.read(&in); broken.check != passed {
			return finding{broken.check, fmt.Sprintf("entry %d, at offset %d: %s", c.count+1, at, broken.reason)}
		}
		c.count++
	}
	return finding{}
}

// walk calls visit for every entry, in the order of the CRL. The entry it is given
// is used again for the next.
func (c *crl) walk(visit func(e *crlEntry)) {
	var e crlEntry
	in := cryptobyte.String(c.entries)
	for !in.Empty() {
		at := c.entriesOffset + int64(len(c.entries)-len(in))
		e.read(&in)
		e.offset = at
		visit(&e)
	}
}

// entry is the entry at an offset that walk gave.
func (c *crl) entry(offset int64) (e crlEntry) {
	in := cryptobyte.String(c.der[offset:])
	e.read(&in)
	e.offset = offset
	return e
}

// serial is the serial number, as content octets, of that entry.
func (c *crl) serial(offset int64) []byte {
	in := cryptobyte.String(c.der[offset:])
	var seq, serial cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&serial, asn1.INTEGER) {
		return nil // not if walk gave the offset
	}
	return serial
}

// validity is for how long c holds, in seconds, both ends included.
func (c *crl) validity() int64 { return c.nextUpdate - c.thisUpdate + 1 }
