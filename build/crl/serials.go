package crl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"lancre/index"
)

// Revocations tell what CRLs of one issuer list. They are safe for concurrent use.
type Revocations interface {
	// Find returns what they say of the certificate with that serial number, the
	// content octets of a DER INTEGER: the newest CRL that lists it counts, and one that
	// a delta CRL has removed is not listed.
	Find(serial []byte) (r Revocation, ok bool)

	// Since is the moment, in Unix seconds, up to which they list all that was revoked:
	// thisUpdate of the oldest complete CRL, or of the delta CRL that goes on from it;
	// index.NoTime if there are delta CRLs alone.
	Since() int64
}

// Since implements Revocations.
func (l *Listing) Since() int64 { return l.since }

// Serials are the entries of one CRL by serial number, in a form that needs no
// parsing: what a CRL that has not changed lists is known without reading it again.
// The form is
//
//	magic        8    "lancrl 3"
//	thisUpdate   8    Unix seconds
//	key          20   of who signed it: SHA-1 of the subjectPublicKey bits
//	name         4+n  its Name, DER, behind its length
//	point        4+n  the value of issuingDistributionPoint, DER, behind its length; 0 for none
//	number       4+n  the content octets of cRLNumber, behind their length; 0 for none
//	base         4+n  those of BaseCRLNumber; 0 of a complete CRL
//	count        8    entries
//	entries      32 each, sorted by length and serial
//	checksum     8    xxhash64 of all before it
//
// and an entry is the length of its serial number, 1; the serial number, 21; reason,
// 1 (255 for none); revocationDate, 8, Unix seconds; and a zero. Numbers are little-endian.
type Serials struct {
	Key    [20]byte // SHA-1 of the signer's subjectPublicKey bits
	Name   []byte   // the signer's, DER
	of     part
	point  *IssuingPoint // nil if there is none
	number []byte        // cRLNumber, content octets; empty if there is none
	base   []byte        // BaseCRLNumber; empty of a complete CRL

	entries []byte
}

const (
	serialsMagic = "lancrl 3"
	serialsHead  = len(serialsMagic) + 8 + 20
	serialsLeast = serialsHead + 4*4 + 8 + 8 // of nothing
	entrySize    = 32
	reasonAt     = 1 + index.MaxSerial // in an entry, behind what it is found by
	revokedAt    = reasonAt + 1
	noReason     = 0xff
)

var le = binary.LittleEndian

// NewSerials lists the entries of c, which the issuer of that key signed; nil if one
// does not fit the form: then c itself must be asked.
func NewSerials(c *CRL, key [20]byte) *Serials {
	s := &Serials{Key: key, Name: c.Issuer, of: c.part(), point: c.Point, number: c.Number, base: c.Base}
	fits := true
	var list [][entrySize]byte
	c.Walk(func(e *Entry) {
		if e.Foreign {
			return
		}
		if len(e.Serial) == 0 || len(e.Serial) > index.MaxSerial || e.Reason >= noReason {
			fits = false
			return
		}
		var b [entrySize]byte
		b[0] = byte(len(e.Serial))
		copy(b[1:], e.Serial)
		b[reasonAt] = noReason
		if e.Reason >= 0 {
			b[reasonAt] = byte(e.Reason)
		}
		le.PutUint64(b[revokedAt:], uint64(e.Revoked))
		list = append(list, b)
	})
	if !fits {
		return nil
	}
	slices.SortFunc(list, func(a, b [entrySize]byte) int { return bytes.Compare(a[:reasonAt], b[:reasonAt]) })
	for i := range list {
		s.entries = append(s.entries, list[i][:]...)
	}
	return s
}

// Encode is the form of s.
func (s *Serials) Encode() []byte {
	b := []byte(serialsMagic)
	b = le.AppendUint64(b, uint64(s.of.thisUpdate))
	b = append(b, s.Key[:]...)
	var point []byte
	if s.point != nil {
		point = s.point.DER
	}
	for _, value := range [][]byte{s.Name, point, s.number, s.base} {
		b = le.AppendUint32(b, uint32(len(value)))
		b = append(b, value...)
	}
	b = le.AppendUint64(b, uint64(len(s.entries)/entrySize))
	b = append(b, s.entries...)
	return le.AppendUint64(b, xxhash.Sum64(b))
}

var errSerials = errors.New("not the entries of a CRL, or damaged: remove it, it is made again")

// ParseSerials reads what Encode made. The result aliases b.
func ParseSerials(b []byte) (*Serials, error) {
	if len(b) < serialsLeast || string(b[:len(serialsMagic)]) != serialsMagic {
		return nil, errSerials
	}
	if sum := le.Uint64(b[len(b)-8:]); sum != xxhash.Sum64(b[:len(b)-8]) {
		return nil, errSerials
	}
	s := &Serials{of: part{thisUpdate: int64(le.Uint64(b[8:]))}}
	copy(s.Key[:], b[16:])
	rest := b[serialsHead : len(b)-8]
	var point []byte
	for _, value := range []*[]byte{&s.Name, &point, &s.number, &s.base} {
		var ok bool
		if *value, rest, ok = cutValue(rest); !ok {
			return nil, errSerials
		}
	}
	if len(rest) < 8 {
		return nil, errSerials
	}
	if len(point) > 0 {
		s.point = &IssuingPoint{DER: point}
		if err := s.point.parse(point); err != nil {
			return nil, fmt.Errorf("%w: %w", err, errSerials)
		}
	}
	s.of = s.CRL().part()
	count := le.Uint64(rest)
	if s.entries = rest[8:]; uint64(len(s.entries)) != count*entrySize || count > uint64(len(rest)) {
		return nil, fmt.Errorf("%d entries announced, room for %d: %w", count, len(s.entries)/entrySize, errSerials)
	}
	return s, nil
}

// cutValue takes what its length stands before from the front of b.
func cutValue(b []byte) (value, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := uint64(le.Uint32(b))
	if b = b[4:]; n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}

// CRL is the CRL as far as s knows it: enough to be compared with others. It is not
// known whether its issuingDistributionPoint is critical, nor invalidityDate and the
// faults of its entries, which come sorted by serial number. It aliases s.
func (s *Serials) CRL() *CRL {
	c := &CRL{
		Issuer: s.Name, ThisUpdate: s.of.thisUpdate, NextUpdate: index.NoTime, Count: len(s.entries) / entrySize, known: s,
		Extensions: Extensions{Point: s.point},
	}
	if len(s.number) > 0 {
		c.Number = s.number
	}
	if len(s.base) > 0 {
		c.Base = s.base
	}
	return c
}

// walk is Walk of such a CRL.
func (s *Serials) walk(visit func(e *Entry)) {
	for at := 0; at < len(s.entries); at += entrySize {
		e := s.entry(int64(at))
		visit(&e)
	}
}

// entry is the entry at an offset in s.entries.
func (s *Serials) entry(offset int64) Entry {
	r := s.revocation(s.entries[offset:][:entrySize])
	return Entry{Offset: offset, Serial: s.serial(offset), Revoked: r.At, Reason: r.Reason, Invalidity: index.NoTime}
}

// serial is the serial number in that.
func (s *Serials) serial(offset int64) []byte {
	b := s.entries[offset:][:reasonAt]
	return b[1 : 1+min(int(b[0]), index.MaxSerial)]
}

// revocation is what the entry b says.
func (s *Serials) revocation(b []byte) Revocation {
	r := Revocation{int64(le.Uint64(b[revokedAt:])), int(b[reasonAt]), s.of.thisUpdate}
	if b[reasonAt] == noReason {
		r.Reason = ReasonAbsent
	}
	return r
}

// Find returns the entry for that serial number. It does not allocate.
func (s *Serials) Find(serial []byte) (r Revocation, ok bool) {
	if len(serial) == 0 || len(serial) > index.MaxSerial {
		return r, false
	}
	var want [reasonAt]byte
	want[0] = byte(len(serial))
	copy(want[1:], serial)
	from, to := 0, len(s.entries)/entrySize
	for from < to {
		mid := int(uint(from+to) / 2)
		switch e := s.entries[mid*entrySize:]; bytes.Compare(e[:reasonAt], want[:]) {
		case -1:
			from = mid + 1
		case 1:
			to = mid
		default:
			return s.revocation(e), true
		}
	}
	return r, false
}

// Together is what several CRLs of one issuer list.
func Together(all []*Serials) Revocations {
	parts := make([]part, len(all))
	for i, s := range all {
		parts[i] = s.of
	}
	counts, since := counting(parts)
	t := &several{since: since}
	for i, s := range all {
		if counts[i] {
			t.list = append(t.list, s)
		}
	}
	return t
}

// several are the CRLs that count.
type several struct {
	list  []*Serials
	since int64
}

// Since implements Revocations.
func (t *several) Since() int64 { return t.since }

// Find implements Revocations. It does not allocate.
func (t *several) Find(serial []byte) (r Revocation, ok bool) {
	for _, s := range t.list {
		if found, listed := s.Find(serial); listed && (!ok || found.AsOf > r.AsOf) {
			r, ok = found, true
		}
	}
	return r, ok && r.Reason != ReasonRemove
}
