package build

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"time"

	"lancre/index"
)

// An inventory is every certificate that the CAs have assigned a serial number to.
// It takes 32 octets of memory a certificate. The nil inventory knows of none.
type inventory struct {
	file    string
	at      int64             // what has expired by then is not looked at; Unix seconds
	named   map[naming]*named // caIssuers URLs; nil if there is none
	entries []assigned        // sorted by issuer, then serial; each once
}

// assigned is one certificate.
type assigned struct {
	issuer   uint16          // its number
	serial   [maxSerial]byte // padded with zeros at the front
	algs     uint8           // 1 << HashAlg for each CertID that a response was accepted for
	notAfter int64           // Unix seconds
}

// hex is the serial number for people, without leading zeros.
func (a *assigned) hex() string { return hex.EncodeToString(bytes.TrimLeft(a.serial[:], "\x00")) }

// compareAssigned takes pointers because algs may change meanwhile.
func compareAssigned(a, b *assigned) int {
	return cmp.Or(cmp.Compare(a.issuer, b.issuer), bytes.Compare(a.serial[:], b.serial[:]))
}

// find returns the certificate of is with that serial number, the content octets of
// a DER INTEGER; nil if the inventory does not have it. It does not allocate.
func (v *inventory) find(is *issuer, serial []byte) *assigned {
	serial = bytes.TrimLeft(serial, "\x00")
	if v == nil || len(serial) > maxSerial {
		return nil
	}
	wanted := assigned{issuer: uint16(is.number)}
	copy(wanted.serial[maxSerial-len(serial):], serial)
	i := sort.Search(len(v.entries), func(i int) bool { return compareAssigned(&v.entries[i], &wanted) >= 0 })
	if i == len(v.entries) || compareAssigned(&v.entries[i], &wanted) != 0 {
		return nil
	}
	return &v.entries[i]
}

// sort puts the entries in order. Of one that is there twice, the later notAfter counts.
func (v *inventory) sort() {
	slices.SortFunc(v.entries, func(a, b assigned) int {
		return cmp.Or(compareAssigned(&a, &b), cmp.Compare(b.notAfter, a.notAfter))
	})
	v.entries = slices.CompactFunc(v.entries, func(a, b assigned) bool { return compareAssigned(&a, &b) == 0 })
}

// checkAssigned checks that the CA vouches for no certificate it has not assigned.
// It returns the line of the one that s is for, nil if there is none.
func (c *checker) checkAssigned(s *index.Single, is *issuer) *assigned {
	a := c.inventory.find(is, s.CertID.Serial)
	if c.inventory != nil && a == nil && s.Status == index.Good {
		c.found(checkUnassigned, func() string {
			return fmt.Sprintf("certStatus is good, but %s does not have the serial number", c.inventory.file)
		})
	}
	return a
}

// A gap is the certificates of an issuer that have not expired and lack a response
// under a hash algorithm that the issuer has responses for.
type gap struct {
	of       *issuer
	assigned uint64 // that have not expired
	missing  uint64
	first    string // of those missing
}

// gapOf looks for the gap of one issuer.
func (b *builder) gapOf(is *issuer) gap {
	g := gap{of: is}
	want, at := b.report.Issuers[is.number].algs(), b.config.At.Unix()
	for _, a := range b.inventory.of(is) {
		if a.notAfter <= at {
			continue
		}
		g.assigned++
		if a.algs == 0 || a.algs&want != want {
			g.missing++
			g.first = cmp.Or(g.first, fmt.Sprintf("%s, which expires %s", a.hex(), utc(a.notAfter)))
		}
	}
	return g
}

// checkCoverage checks that certificates have responses. A few without, issued
// since the responses were signed, need not hold up the build.
func (b *builder) checkCoverage() {
	if b.inventory == nil {
		return
	}
	var gaps []gap
	var missing uint64
	for _, is := range b.issuers.list {
		if g := b.gapOf(is); g.missing > 0 {
			gaps = append(gaps, g)
			missing += g.missing
		}
	}
	for _, g := range gaps {
		reason := fmt.Sprintf("%d of %d unexpired certificates of %s have no response, or not by every hash algorithm, %d allowed in all (--max-missing); the first: %s",
			g.missing, g.assigned, g.of.cert.Subject, b.config.MaxMissing, g.first)
		if missing <= uint64(b.config.MaxMissing) {
			b.warn(checkCoverage, whole(b.inventory.file), "", reason)
		} else {
			b.found(checkCoverage, whole(b.inventory.file), "", reason)
		}
	}
}

// of are the certificates of is.
func (v *inventory) of(is *issuer) []assigned {
	number := uint16(is.number)
	start, _ := slices.BinarySearchFunc(v.entries, number, func(a assigned, n uint16) int { return cmp.Compare(a.issuer, n) })
	end, _ := slices.BinarySearchFunc(v.entries, number+1, func(a assigned, n uint16) int { return cmp.Compare(a.issuer, n) })
	return v.entries[start:end]
}

// parseSerial reads a serial number in hexadecimal digits.
func parseSerial(text string) (serial [maxSerial]byte, err error) {
	if len(text)%2 == 1 {
		text = "0" + text
	}
	for len(text) > 2*maxSerial && text[:2] == "00" {
		text = text[2:]
	}
	if len(text) == 0 || len(text) > 2*maxSerial {
		return serial, fmt.Errorf("%d octets, want 1 to %d", len(text)/2, maxSerial)
	}
	if _, err := hex.Decode(serial[maxSerial-len(text)/2:], []byte(text)); err != nil {
		return serial, fmt.Errorf("want hexadecimal digits: %w", err)
	}
	if serial == [maxSerial]byte{} {
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
