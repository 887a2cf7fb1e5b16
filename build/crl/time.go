package crl

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/rule"
	"lancre/index"
)

const (
	utcTimeSize = len("YYMMDDHHMMSSZ")

	// firstGeneralized is the first year of GeneralizedTime: times before it are
	// UTCTime, whose two digits stand for 1950 to 2049 (RFC 5280 section 4.1.2.5).
	firstGeneralized = "2050"
)

// readCRLTime reads a Time as Unix seconds (RFC 5280 sections 5.1.2.4 to 5.1.2.6).
func readTime(in *cryptobyte.String) (unix int64, broken *rule.Finding) {
	var text cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&text, &tag) || tag != asn1.UTCTime && tag != asn1.GeneralizedTime {
		return 0, syntax("no UTCTime and no GeneralizedTime where a time must be")
	}
	if tag == asn1.GeneralizedTime {
		unix, ok := index.ParseTime(text)
		if !ok {
			return 0, rule.Broken(rule.CRLTimeForm, "GeneralizedTime %q: want the form YYYYMMDDHHMMSSZ", text)
		}
		if string(text[:4]) < firstGeneralized {
			return 0, rule.Broken(rule.CRLTimeForm, "GeneralizedTime %q: want a UTCTime for a year before %s", text, firstGeneralized)
		}
		return unix, nil
	}
	var whole [2 + utcTimeSize]byte
	if len(text) == utcTimeSize {
		copy(whole[:], "20")
		copy(whole[2:], text)
		if text[0] >= '5' {
			copy(whole[:], "19")
		}
	}
	unix, ok := index.ParseTime(whole[:])
	if !ok {
		return 0, rule.Broken(rule.CRLTimeForm, "UTCTime %q: want the form YYMMDDHHMMSSZ", text)
	}
	return unix, nil
}
