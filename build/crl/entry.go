package crl

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
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
	Issuer         []byte // content of certificateIssuer, GeneralNames; nil if absent
	CriticalIssuer bool
	Foreign        bool   // of an indirect CRL: what others issued (RFC 5280 section 5.3.3); set by Walk
	Critical       []byte // OID of an unknown critical extension; nil if there is none
	der.Flaws             // of the extensions
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
	if !seq.ReadASN1(&list, asn1.SEQUENCE) || !seq.Empty() {
		return syntax("revocationDate is followed by something else than Extensions")
	}
	if reason, alone := strings.CutPrefix(string(list), reasonAlone); alone && len(reason) == 1 && reason[0] < 0x80 {
		e.Reason = int(reason[0])
		return nil
	}
	if err := der.WalkExtensions(list, &e.Flaws, e.extension); err != nil {
		return syntax("%v", err)
	}
	return nil
}

// reasonAlone is the one extension that most entries have, up to the octet of the reason:
// read in a third of the time, where there are a million.
var reasonAlone = der.MustHex("300a" + "0603551d15" + "0403" + "0a01")

// OIDReasonCode is the content octets of the OID of reasonCode (RFC 5280 section 5.3.1).
const OIDReasonCode = "\x55\x1d\x15"

// The other entry extensions (RFC 5280 section 5.3), by the content octets of their OID.
const (
	oidInvalidityDate    = "\x55\x1d\x18"
	oidCertificateIssuer = "\x55\x1d\x1d"
)

func (e *Entry) extension(x *index.Extension) error {
	if err := checkValue(x); err != nil {
		return err
	}
	value := cryptobyte.String(x.Value)
	switch string(x.OID) {
	case OIDReasonCode:
		var reason cryptobyte.String
		if !value.ReadASN1(&reason, asn1.ENUM) || len(reason) != 1 || reason[0] >= 0x80 {
			return errors.New("reasonCode is not an ENUMERATED of one octet")
		}
		e.Reason, e.CriticalReason = int(reason[0]), x.Critical
	case oidInvalidityDate:
		var date cryptobyte.String
		value.ReadASN1(&date, asn1.GeneralizedTime)
		e.Invalidity, _ = index.ParseTime(date) // checkValue did it before
	case oidCertificateIssuer:
		var names cryptobyte.String
		value.ReadASN1(&names, asn1.SEQUENCE)
		e.Issuer, e.CriticalIssuer = names, x.Critical
	default:
		if x.Critical {
			e.Critical = x.OID
		}
	}
	return nil
}

// checkValue checks that the value of an extension is of its type.
func checkValue(x *index.Extension) error {
	if fault := der.ValueFault(x.OID, x.Value); fault != "" {
		return fmt.Errorf("the value of extension %s %s", OIDText(x.OID), fault)
	}
	return nil
}
