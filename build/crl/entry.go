package crl

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/rule"
	"lancre/index"
)

// The values of CRLReason that rules are about (RFC 5280 section 5.3.1).
const (
	ReasonAbsent      = -1 // there is none
	ReasonUnspecified = 0
	ReasonCA          = 2 // cACompromise
	ReasonHold        = 6 // certificateHold
	ReasonUnused      = 7
	ReasonRemove      = 8 // removeFromCRL
	ReasonAA          = 10
	ReasonLast        = ReasonAA
)

// An Entry is what a CRL says of one certificate (RFC 5280 section 5.1.2.6):
//
//	CRLEntry ::= SEQUENCE {
//	    userCertificate     INTEGER,
//	    revocationDate      Time,
//	    crlEntryExtensions  Extensions OPTIONAL }
type Entry struct {
	Offset     int64  // in the CRL
	Serial     []byte // content octets, aliases the CRL
	Revoked    int64  // revocationDate, Unix seconds
	Reason     int    // ReasonAbsent if there is none
	Invalidity int64  // invalidityDate, Unix seconds; index.NoTime if absent

	CriticalReason bool
	HasIssuer      bool   // certificateIssuer is present
	Critical       []byte // OID of an unknown critical extension; nil if there is none
	Twice          []byte // OID of an extension that is there twice; nil if there is none
}

// read reads the entry at the front of in and checks its syntax.
func (e *Entry) read(in *cryptobyte.String) (broken *rule.Finding) {
	*e = Entry{Reason: ReasonAbsent, Invalidity: index.NoTime}
	var seq, serial, list cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&serial, asn1.INTEGER) || !index.MinimalInteger(serial) {
		return syntax("not a SEQUENCE that begins with a DER INTEGER")
	}
	e.Serial = serial
	if e.Revoked, broken = readTime(&seq); broken != nil || seq.Empty() {
		return broken
	}
	if !seq.ReadASN1(&list, asn1.SEQUENCE) || !seq.Empty() || list.Empty() {
		return syntax("revocationDate is followed by something else than Extensions")
	}
	return readExtensions(list, e.extension, &e.Twice)
}

// OIDReasonCode is the content octets of the OID of reasonCode (RFC 5280 section 5.3.1).
const OIDReasonCode = "\x55\x1d\x15"

// The other entry extensions (RFC 5280 section 5.3), by the content octets of their OID.
const (
	oidInvalidityDate    = "\x55\x1d\x18"
	oidCertificateIssuer = "\x55\x1d\x1d"
)

func (e *Entry) extension(x *index.Extension) *rule.Finding {
	value := cryptobyte.String(x.Value)
	switch string(x.OID) {
	case OIDReasonCode:
		var reason cryptobyte.String
		if !value.ReadASN1(&reason, asn1.ENUM) || !value.Empty() || len(reason) != 1 || reason[0] >= 0x80 {
			return syntax("reasonCode is not an ENUMERATED of one octet")
		}
		e.Reason, e.CriticalReason = int(reason[0]), x.Critical
	case oidInvalidityDate:
		var date cryptobyte.String
		var ok bool
		if value.ReadASN1(&date, asn1.GeneralizedTime) && value.Empty() {
			e.Invalidity, ok = index.ParseTime(date)
		}
		if !ok {
			return syntax("invalidityDate is not a GeneralizedTime of the form YYYYMMDDHHMMSSZ")
		}
	case oidCertificateIssuer:
		e.HasIssuer = true
	default:
		if x.Critical {
			e.Critical = x.OID
		}
	}
	return nil
}

// maxExtensions bounds how many extensions a CRL or an entry may have: those of
// RFC 5280 are a dozen.
const maxExtensions = 64

// readExtensions calls visit for each element of the content of an Extensions,
// and notes the OID of one that is there twice.
func readExtensions(list cryptobyte.String, visit func(*index.Extension) *rule.Finding, twice *[]byte) *rule.Finding {
	var seen [maxExtensions][]byte
	for n := 0; !list.Empty(); n++ {
		var x index.Extension
		if n == maxExtensions || !index.ReadExtension(&list, &x) {
			return syntax("Extensions: element %d is not a DER Extension, or one too many", n+1)
		}
		for _, other := range seen[:n] {
			if bytes.Equal(other, x.OID) {
				*twice = x.OID
			}
		}
		seen[n] = x.OID
		if broken := visit(&x); broken != nil {
			return broken
		}
	}
	return nil
}
