package certificates

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"lancre/index"
)

// maxSerial is the longest magnitude of a serial number, in octets (RFC 5280 section
// 4.1.2.2).
const maxSerial = 20

// serial makes text, in the base of the list, the serial number of r.cert.
func (r *reader) serial(text string) error {
	digits, prefixed := strings.CutPrefix(text, "0x")
	if !prefixed {
		digits, prefixed = strings.CutPrefix(text, "0X")
	}
	base := r.base
	if base == AnyBase {
		if !prefixed && !strings.ContainsAny(digits, "abcdefABCDEF") {
			return fmt.Errorf("serial %q could be hexadecimal or decimal: say which (--serial hex, or decimal)", text)
		}
		base = Hex
	}
	if base == Decimal {
		if strings.Trim(text, "0123456789") != "" || text == "" {
			return fmt.Errorf("serial %q: want decimal digits", text)
		}
		n, _ := new(big.Int).SetString(text, 10) // which digits cannot fail
		return r.magnitude(n.Bytes(), text)
	}
	r.digits = r.digits[:0]
	if len(digits)%2 == 1 {
		r.digits = append(r.digits, '0')
	}
	r.digits = append(r.digits, digits...)
	n, err := hex.Decode(r.digits, r.digits)
	if err != nil || n == 0 {
		return fmt.Errorf("serial %q: want hexadecimal digits", text)
	}
	return r.magnitude(r.digits[:n], text)
}

// magnitude makes r.cert have a serial number of that magnitude, which text spells.
func (r *reader) magnitude(b []byte, text string) error {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 {
		return fmt.Errorf("serial %q: want a positive number", text)
	}
	if len(b) > maxSerial {
		return fmt.Errorf("serial %q has %d octets, want at most %d", text, len(b), maxSerial)
	}
	copy(r.octet[1:], b)
	r.cert.Serial = r.octet[1 : 1+len(b)]
	if b[0] >= 0x80 {
		r.cert.Serial = r.octet[:1+len(b)] // the sign, 0
	}
	return nil
}

// maxSeconds is the greatest number that is a time in seconds, in the year 5138. As
// milliseconds it was in 1973, before any certificate.
const maxSeconds = 100_000_000_000

// zoned are the forms of a time that say where it is.
var zoned = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-07"}

// parseTime reads the value of a column as Unix seconds.
func parseTime(column, text string) (int64, error) {
	if unix, ok := parseUTC(text); ok {
		return unix, nil
	}
	if strings.Contains(text, ":") {
		return parseZoned(column, text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s %q: want a time with its zone, as 2027-03-01T12:00:00Z, or Unix seconds", column, text)
	case n > maxSeconds || n < -maxSeconds:
		return 0, fmt.Errorf("%s %s is more than %d: milliseconds? want seconds (divide by 1000)", column, text, int64(maxSeconds))
	}
	return n, nil
}

// parseUTC reads a time in the form of most lists, 2027-03-01T12:00:00Z, in a sixth of the
// time that package time takes.
func parseUTC(text string) (unix int64, ok bool) {
	const form = "YYYY-MM-DDTHH:MM:SSZ"
	if len(text) != len(form) || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' {
		return 0, false
	}
	return index.ParseTime([]byte{text[0], text[1], text[2], text[3], text[5], text[6], text[8], text[9],
		text[11], text[12], text[14], text[15], text[17], text[18], text[19]})
}

// parseZoned reads one that is no number.
func parseZoned(column, text string) (int64, error) {
	for _, layout := range zoned {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Unix(), nil
		}
	}
	if _, err := time.Parse(time.DateTime, strings.Replace(text, "T", " ", 1)); err == nil {
		return 0, fmt.Errorf("%s %q has no zone: want one, as 2027-03-01T12:00:00Z, or Unix seconds", column, text)
	}
	return 0, fmt.Errorf("%s %q: want a time with its zone, as 2027-03-01T12:00:00Z, or Unix seconds", column, text)
}

// The values of CRLReason that rules are about (RFC 5280 section 5.3.1).
const (
	noReason   = -1
	reasonHold = 6
	lastReason = 10
)

// revoked makes r.cert one that is revoked.
func (r *reader) revoked(at int64, reason int) error {
	switch {
	case at > r.at+index.MaxSkew:
		return fmt.Errorf("it was revoked %s, which is in the future: it is %s", utc(at), utc(r.at))
	case at < 0:
		return fmt.Errorf("it was revoked %s, before 1970", utc(at))
	case reason == 7 || reason < noReason || reason > lastReason:
		return fmt.Errorf("reason %d is none of a revocation: want 1 to 6, 9, 10 or, for unspecified, 0 or nothing", reason)
	case reason == 8:
		return fmt.Errorf("reason %d (removeFromCRL) is for delta CRLs alone: is it revoked or not?", reason)
	case reason == 0:
		reason = noReason // unspecified is said by leaving the reason out (RFC 5280 section 5.3.1)
	}
	r.cert.Status, r.cert.RevokedAt, r.cert.Reason = index.Revoked, at, reason
	return nil
}

// good makes r.cert one that is not revoked.
func (r *reader) good() {
	r.cert.Status, r.cert.RevokedAt, r.cert.Reason = index.Good, index.NoTime, noReason
}

func utc(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
