package build

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// A crlEntry is what a CRL says of one certificate (RFC 5280 section 5.1.2.6):
//
//	CRLEntry ::= SEQUENCE {
//	    userCertificate     INTEGER,
//	    revocationDate      Time,
//	    crlEntryExtensions  Extensions OPTIONAL }
type crlEntry struct {
	offset     int64  // in the file
	serial     []byte // content octets, aliases the CRL
	revoked    int64  // revocationDate, Unix seconds
	reason     int    // reasonAbsent if there is none
	invalidity int64  // invalidityDate, Unix seconds; index.NoTime if absent

	criticalReason bool
	hasIssuer      bool   // certificateIssuer is present
	critical       []byte // OID of an unknown critical extension; nil if there is none
	twice          []byte // OID of an extension that is there twice; nil if there is none
}

// read reads the entry at the front of in and checks its syntax.
func (e *crlEntry) read(in *cryptobyte.String) (broken finding) {
	*e = crlEntry{reason: reasonAbsent, invalidity: index.NoTime}
	var seq, serial, list cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&serial, asn1.INTEGER) || !minimal(serial) {
		return crlSyntax("not a SEQUENCE that begins with a DER INTEGER")
	}
	e.serial = serial
	if e.revoked, broken = readCRLTime(&seq); broken.check != passed || seq.Empty() {
		return broken
	}
	if !seq.ReadASN1(&list, asn1.SEQUENCE) || !seq.Empty() || list.Empty() {
		return crlSyntax("revocationDate is followed by something else than Extensions")
	}
	return readExtensions(list, e.extension, &e.twice)
}

// minimal reports whether b is the content of a DER INTEGER (X.690 section 8.3.2).
func minimal(b []byte) bool {
	return len(b) == 1 || len(b) > 1 && !(b[0] == 0 && b[1] < 0x80) && !(b[0] == 0xff && b[1] >= 0x80)
}

// Entry extensions (RFC 5280 section 5.3) beside reasonCode, by the content octets
// of their OID.
const (
	oidInvalidityDate    = "\x55\x1d\x18"
	oidCertificateIssuer = "\x55\x1d\x1d"
)

func (e *crlEntry) extension(x *index.Extension) finding {
	value := cryptobyte.String(x.Value)
	switch string(x.OID) {
	case oidReasonCode:
		var reason cryptobyte.String
		if !value.ReadASN1(&reason, asn1.ENUM) || !value.Empty() || len(reason) != 1 || reason[0] >= 0x80 {
			return crlSyntax("reasonCode is not an ENUMERATED of one octet")
		}
		e.reason, e.criticalReason = int(reason[0]), x.Critical
	case oidInvalidityDate:
		var date cryptobyte.String
		var ok bool
		if value.ReadASN1(&date, asn1.GeneralizedTime) && value.Empty() {
			e.invalidity, ok = index.ParseTime(date)
		}
		if !ok {
			return crlSyntax("invalidityDate is not a GeneralizedTime of the form YYYYMMDDHHMMSSZ")
		}
	case oidCertificateIssuer:
		e.hasIssuer = true
	default:
		if x.Critical {
			e.critical = x.OID
		}
	}
	return finding{}
}

// maxExtensions bounds how many extensions a CRL or an entry may have: those of
// RFC 5280 are a dozen.
const maxExtensions = 64

// readExtensions calls visit for each element of the content of an Extensions,
// and notes the OID of one that is there twice.
func readExtensions(list cryptobyte.String, visit func(*index.Extension) finding, twice *[]byte) finding {
	var seen [maxExtensions][]byte
	for n := 0; !list.Empty(); n++ {
		var x index.Extension
		if n == maxExtensions || !index.ReadExtension(&list, &x) {
			return crlSyntax("Extensions: element %d is not a DER Extension, or one too many", n+1)
		}
		for _, other := range seen[:n] {
			if bytes.Equal(other, x.OID) {
				*twice = x.OID
			}
		}
		seen[n] = x.OID
		if broken := visit(&x); broken.check != passed {
			return broken
		}
	}
	return finding{}
}
