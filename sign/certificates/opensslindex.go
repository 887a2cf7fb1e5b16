package certificates

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"lancre/index"
)

// The index of openssl ca, index.txt, has a line for each certificate, of six fields
// with tabs between them:
//
//	V           valid; R revoked, E expired, S suspended
//	300101…Z    notAfter: YYMMDDHHMMSSZ, from 2050 on YYYYMMDDHHMMSSZ
//	            the revocation, see opensslRevocation; empty unless it is one
//	1A2B        serial number, in hex
//	unknown     file
//	/CN=…       subject
//
// E is what openssl ca -updatedb makes of V, and of nothing else.

// maxIndexLine is the longest line, in octets: subjects are some hundred.
const maxIndexLine = 64 << 10

func (r *reader) opensslIndex(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxIndexLine)
	r.base = Hex
	n := 0
	for lines.Scan() {
		n++
		if strings.HasPrefix(lines.Text(), "#") { // a comment, as openssl has it
			continue
		}
		err := r.opensslLine(lines.Text())
		if err == nil {
			err = r.pass(n, true)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is too long: want at most %d octets", n+1, maxIndexLine)
	}
	return lines.Err()
}

func (r *reader) opensslLine(line string) error {
	const count = 6
	fields := strings.SplitN(line, "\t", count)
	if len(fields) < count {
		return fmt.Errorf("%d fields %.100q, want %d with tabs between them: is this the index of openssl ca?", len(fields), line, count)
	}
	letter, notAfter, revocation, serial := fields[0], fields[1], fields[2], fields[3]
	if err := r.serial(serial); err != nil {
		return err
	}
	var err error
	if r.cert.NotAfter, err = opensslTime(notAfter); err != nil {
		return fmt.Errorf("notAfter %w", err)
	}
	switch letter {
	case "V", "E":
		if revocation != "" {
			return fmt.Errorf("status %s with the revocation %q: is it revoked (R) or not?", letter, revocation)
		}
		if letter == "E" && r.cert.NotAfter > r.at {
			return fmt.Errorf("status E, expired, but notAfter is %s and it is %s", utc(r.cert.NotAfter), utc(r.at))
		}
		r.good()
		return nil
	case "R":
		return r.opensslRevocation(revocation)
	case "S": // which openssl reads and never writes
		if err := r.opensslRevocation(revocation); err != nil {
			return fmt.Errorf("status S, suspended: %w", err)
		}
		r.cert.Reason = reasonHold
		return nil
	}
	return fmt.Errorf("status %q: want V, R, E or S", letter)
}

// opensslReasons are the names of reasons, in lower case: openssl takes them in any.
var opensslReasons = map[string]int{
	"unspecified": 0, "keycompromise": 1, "cacompromise": 2, "affiliationchanged": 3, "superseded": 4,
	"cessationofoperation": 5, "certificatehold": 6, "removefromcrl": 8,
	"holdinstruction": 6, "keytime": 1, "cakeytime": 2, // with an argument, which is for CRLs
}

// opensslRevocation reads a revocation, which is one of
//
//	DATE
//	DATE,REASON
//	DATE,holdInstruction,OID
//	DATE,keyTime,TIME    the key was compromised then; CAkeyTime, that of a CA
func (r *reader) opensslRevocation(text string) error {
	date, rest, given := strings.Cut(text, ",")
	at, err := opensslTime(date)
	if err != nil {
		return fmt.Errorf("revocation date %w", err)
	}
	reason := noReason
	if given {
		name, _, _ := strings.Cut(rest, ",")
		known := false
		if reason, known = opensslReasons[strings.ToLower(name)]; !known {
			return fmt.Errorf("revocation %q: the reason %q is none that openssl knows", text, name)
		}
	}
	return r.revoked(at, reason)
}

// opensslTime reads a UTCTime or GeneralizedTime.
func opensslTime(text string) (int64, error) {
	whole := text
	if len(text) == len("YYMMDDHHMMSSZ") {
		century := "20"
		if year, err := strconv.Atoi(text[:2]); err != nil || year >= 50 { // RFC 5280 section 4.1.2.5.1
			century = "19"
		}
		whole = century + text
	}
	unix, ok := index.ParseTime([]byte(whole))
	if !ok {
		return 0, fmt.Errorf("%q: want the form YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ", text)
	}
	return unix, nil
}
