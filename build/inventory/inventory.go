// Package inventory knows which certificates there are: by a file in which a CA lists
// all that it has assigned a serial number to, with their expiry and the URLs that
// they name.
package inventory

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"lancre/build/ca"
	"lancre/build/rule"
	"lancre/index"
)

// An Inventory is every certificate that the CAs have assigned a serial number to. It
// takes 33 octets of memory a certificate. The nil Inventory knows of none.
//
// Find is safe for concurrent use, and while Cover is called.
type Inventory struct {
	File string

	at      int64             // what has expired by then is not looked at; Unix seconds
	named   map[naming]*named // URLs; nil if there is none
	entries []assigned        // sorted by issuer, then serial; each once
	covered []uint8           // by entry, 1 << HashAlg for each CertID that there is a response for
}

// assigned is one certificate.
type assigned struct {
	issuer   uint16             // its number
	serial   [ca.MaxSerial]byte // padded with zeros at the front
	kind     Kind
	notAfter int64 // Unix seconds
}

// A Kind says whose certificate one is.
type Kind uint8

// The kinds of certificates. Their order is that of what is known.
const (
	AnyKind  Kind = iota // not known
	UserCert             // not that of a CA
	CACert
)

var kinds = map[string]Kind{"": AnyKind, "false": UserCert, "true": CACert}

// A Line is what an inventory says of one certificate.
type Line struct {
	NotAfter int64 // Unix seconds
	Kind     Kind
	position int // among the entries
}

// Expired reports whether the certificate has expired at the given time.
func (l Line) Expired(at time.Time) bool { return l.NotAfter <= at.Unix() }

// retention is how long after it expires, in years, the status of a revoked
// certificate for code signing is kept (CSBR section 4.10.1).
const retention = 10

// Retained reports whether the status of the certificate, if it is one for code
// signing and was revoked, must still be told at the given time.
func (l Line) Retained(at time.Time) bool {
	return time.Unix(l.NotAfter, 0).UTC().AddDate(retention, 0, 0).After(at)
}

// hex is the serial number for people, without leading zeros.
func (a *assigned) hex() string { return hex.EncodeToString(bytes.TrimLeft(a.serial[:], "\x00")) }

func compareAssigned(a, b assigned) int {
	return cmp.Or(cmp.Compare(a.issuer, b.issuer), bytes.Compare(a.serial[:], b.serial[:]))
}

// Find returns what the inventory says of the certificate of is with that serial
// number, the content octets of a DER INTEGER; false if it does not have it. It does
// not allocate.
func (v *Inventory) Find(is *ca.Issuer, serial []byte) (Line, bool) {
	serial = bytes.TrimLeft(serial, "\x00")
	if v == nil || len(serial) > ca.MaxSerial {
		return Line{}, false
	}
	wanted := assigned{issuer: uint16(is.Number)}
	copy(wanted.serial[ca.MaxSerial-len(serial):], serial)
	i, found := slices.BinarySearchFunc(v.entries, wanted, compareAssigned)
	if !found {
		return Line{}, false
	}
	return Line{v.entries[i].notAfter, v.entries[i].kind, i}, true
}

// CoverID notes that id, of a certificate of is, is answered by a response.
func (v *Inventory) CoverID(is *ca.Issuer, id *index.CertID) {
	if line, known := v.Find(is, id.Serial); known {
		v.Cover(line, 1<<id.Alg)
	}
}

// Cover notes that a certificate has responses by a set of hash algorithms, 1 << HashAlg
// each. Not safe for concurrent use.
func (v *Inventory) Cover(l Line, algs uint8) { v.covered[l.position] |= algs }

// sort puts the entries in order. Of one that is there twice, the later notAfter counts,
// and of those with the same the kind that is known.
func (v *Inventory) sort() {
	slices.SortFunc(v.entries, func(a, b assigned) int {
		return cmp.Or(compareAssigned(a, b), cmp.Compare(b.notAfter, a.notAfter), cmp.Compare(b.kind, a.kind))
	})
	v.entries = slices.CompactFunc(v.entries, func(a, b assigned) bool { return compareAssigned(a, b) == 0 })
	v.covered = make([]uint8, len(v.entries))
}

// A Gap is the certificates of an issuer that have not expired and lack a response
// under a hash algorithm that the issuer has responses for.
type Gap struct {
	Issuer   *ca.Issuer
	Assigned uint64 // certificates that have not expired
	Missing  uint64
	First    string // of those missing, for people
}

// Gap looks for the gap of an issuer that has responses by these hash algorithms,
// 1 << HashAlg each, among the certificates that of tells by their serial number, the
// content octets of a DER INTEGER; nil for all.
func (v *Inventory) Gap(is *ca.Issuer, algs uint8, of func(serial []byte) bool) Gap {
	g := Gap{Issuer: is}
	entries, covered := v.of(is)
	for i, a := range entries {
		if a.notAfter <= v.at || of != nil && !of(contentOctets(a.serial[:])) {
			continue
		}
		g.Assigned++
		if covered[i] == 0 || covered[i]&algs != algs {
			g.Missing++
			g.First = cmp.Or(g.First, fmt.Sprintf("%s, which expires %s", a.hex(), rule.UTC(a.notAfter)))
		}
	}
	return g
}

// of are the certificates of is.
func (v *Inventory) of(is *ca.Issuer) (entries []assigned, covered []uint8) {
	number := uint16(is.Number)
	start, _ := slices.BinarySearchFunc(v.entries, number, func(a assigned, n uint16) int { return cmp.Compare(a.issuer, n) })
	end, _ := slices.BinarySearchFunc(v.entries, number+1, func(a assigned, n uint16) int { return cmp.Compare(a.issuer, n) })
	return v.entries[start:end], v.covered[start:end]
}

// parseSerial reads a serial number in hexadecimal digits.
func parseSerial(text string) (serial [ca.MaxSerial]byte, err error) {
	if len(text)%2 == 1 {
		text = "0" + text
	}
	for len(text) > 2*ca.MaxSerial && text[:2] == "00" {
		text = text[2:]
	}
	if len(text) == 0 || len(text) > 2*ca.MaxSerial {
		return serial, fmt.Errorf("%d octets, want 1 to %d", len(text)/2, ca.MaxSerial)
	}
	if _, err := hex.Decode(serial[ca.MaxSerial-len(text)/2:], []byte(text)); err != nil {
		return serial, fmt.Errorf("want hexadecimal digits: %w", err)
	}
	if serial == [ca.MaxSerial]byte{} {
		return serial, fmt.Errorf("want a positive number")
	}
	return serial, nil
}

// parseNotAfter reads the end of a certificate's validity.
func parseNotAfter(text string) (int64, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("want a time such as 2027-03-01T12:00:00Z: %w", err)
	}
	return at.Unix(), nil
}
