package server

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// A Request is what matters of an OCSPRequest. It aliases the octets it was
// parsed from.
type Request struct {
	ids      [index.MaxCertIDs]index.CertID
	count    int  // of ids, at least 1
	size     int  // of the OCSPRequest, in octets
	nonce    bool // a nonce was asked for, which a stored response cannot have
	critical bool // there is a critical extension that must be understood and is not
	defect   defect
}

// A defect is what keeps octets from being an OCSPRequest. It is a metric's label.
type defect uint8

const (
	sound            defect = iota
	defectBase64            // a GET target that is none
	defectEmpty             // a POST without a body
	defectStructure         // not DER, not the SEQUENCEs of an OCSPRequest, or more behind them
	defectVersion           // other than v1
	defectCount             // no certificate, or more than index.MaxCertIDs
	defectCertID            // not one, or with a hash of the wrong length
	defectExtensions        // those of the request or of a certificate
	numDefects
)

var defectLabels = [numDefects]string{
	"none", "base64", "empty", "structure", "version", "certificate_count", "certid", "extensions",
}

// CertIDs are the certificates asked for, in the order of the request.
func (r *Request) CertIDs() []index.CertID { return r.ids[:r.count] }

// The extensions of RFC 6960 section 4.4 that a request may carry and that may be
// ignored even if critical: what they ask for cannot change a stored response.
var (
	oidOCSP = []byte{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01} // id-pkix-ocsp
	extensionNonce, extensionResponse,
	extensionServiceLocator, extensionPrefSigAlgs = byte(2), byte(4), byte(7), byte(8)
)

// Context-specific, constructed tags of the optional fields.
const (
	tagVersion     = asn1.Tag(0xa0)
	tagRequestor   = asn1.Tag(0xa1)
	tagExtensions  = asn1.Tag(0xa2)
	tagSignature   = asn1.Tag(0xa0)
	tagSingleExtns = asn1.Tag(0xa0)
)

// Parse reads one DER OCSPRequest and reports whether der is one (RFC 6960
// section 4.1.1):
//
//	OCSPRequest ::= SEQUENCE {
//	    tbsRequest               TBSRequest,
//	    optionalSignature    [0] EXPLICIT Signature OPTIONAL }
//	TBSRequest ::= SEQUENCE {
//	    version              [0] EXPLICIT Version DEFAULT v1,
//	    requestorName        [1] EXPLICIT GeneralName OPTIONAL,
//	    requestList              SEQUENCE OF Request,
//	    requestExtensions    [2] EXPLICIT Extensions OPTIONAL }
//
// A version that is spelled out although it is the default, which DER forbids,
// is accepted: Apple sends it. Name and signature are skipped unread. It does
// not allocate.
func (r *Request) Parse(der []byte) bool {
	r.count, r.size, r.nonce, r.critical = 0, len(der), false, false
	r.defect = r.parse(der)
	return r.defect == sound
}

func (r *Request) parse(in cryptobyte.String) defect {
	var outer, tbs, version, list cryptobyte.String
	var hasVersion bool
	switch {
	case in.Empty():
		return defectEmpty
	case !in.ReadASN1(&outer, asn1.SEQUENCE) || !in.Empty() ||
		!outer.ReadASN1(&tbs, asn1.SEQUENCE) ||
		!outer.SkipOptionalASN1(tagSignature) || !outer.Empty() ||
		!tbs.ReadOptionalASN1(&version, &hasVersion, tagVersion):
		return defectStructure
	case hasVersion && !bytes.Equal(version, []byte{0x02, 0x01, 0x00}):
		return defectVersion
	case !tbs.SkipOptionalASN1(tagRequestor) || !tbs.ReadASN1(&list, asn1.SEQUENCE):
		return defectStructure
	}
	if d := r.parseList(list); d != sound {
		return d
	}
	switch {
	case !r.parseExtensions(&tbs, tagExtensions):
		return defectExtensions
	case !tbs.Empty():
		return defectStructure
	}
	return sound
}

// parseList reads
//
//	Request ::= SEQUENCE {
//	    reqCert                      CertID,
//	    singleRequestExtensions  [0] EXPLICIT Extensions OPTIONAL }
func (r *Request) parseList(list cryptobyte.String) defect {
	for ; !list.Empty(); r.count++ {
		var entry cryptobyte.String
		switch {
		case r.count == index.MaxCertIDs:
			return defectCount
		case !list.ReadASN1(&entry, asn1.SEQUENCE):
			return defectStructure
		case !index.ReadCertID(&entry, &r.ids[r.count]):
			return defectCertID
		case !r.parseExtensions(&entry, tagSingleExtns):
			return defectExtensions
		case !entry.Empty():
			return defectStructure
		}
	}
	if r.count == 0 {
		return defectCount
	}
	return sound
}

// parseExtensions reads Extensions under an optional explicit tag. They may be
// empty, against RFC 5280: a monitor of the web PKI sends them so.
func (r *Request) parseExtensions(in *cryptobyte.String, tag asn1.Tag) bool {
	var explicit, list cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&explicit, &has, tag) {
		return false
	}
	if !has {
		return true
	}
	if !explicit.ReadASN1(&list, asn1.SEQUENCE) || !explicit.Empty() {
		return false
	}
	for !list.Empty() {
		var e index.Extension
		if !index.ReadExtension(&list, &e) {
			return false
		}
		r.noteExtension(&e)
	}
	return true
}

func (r *Request) noteExtension(e *index.Extension) {
	arc, ours := bytes.CutPrefix(e.OID, oidOCSP)
	if ours && len(arc) == 1 {
		switch arc[0] {
		case extensionNonce:
			r.nonce = true
			return
		case extensionResponse, extensionServiceLocator, extensionPrefSigAlgs:
			return
		}
	}
	r.critical = r.critical || e.Critical
}
