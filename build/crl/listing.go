package crl

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// A Listing finds the entries of the CRLs of one issuer by serial number. It takes
// 16 octets an entry and keeps the CRLs themselves, of some 40 octets an entry, in
// memory: a million revoked certificates are some 56 MB. It is immutable once
// sorted, and safe for concurrent use then.
type Listing struct {
	crls    []*CRL
	counts  []bool   // which of them tell what is revoked, once sorted
	since   int64    // up to when they tell it all
	entries []listed // sorted by hash, CRL, serial number and offset
}

// listed is one entry of a listing.
type listed struct {
	hash   uint64 // of the serial number
	crl    uint32 // position in crls
	offset uint32 // in that; a file has less than 4 GiB (store.MaxFileSize)
}

// Add enters the entries of c, but for those of an indirect CRL that are for what others
// issued. Sort must follow.
func (l *Listing) Add(c *CRL) {
	number := uint32(len(l.crls))
	l.crls = append(l.crls, c)
	l.entries = slices.Grow(l.entries, c.Count)
	c.Walk(func(e *Entry) {
		if e.Foreign {
			return
		}
		l.entries = append(l.entries, listed{xxhash.Sum64(e.Serial), number, uint32(e.Offset)})
	})
}

// Sort makes what was added ready to be found.
func (l *Listing) Sort() {
	parts := make([]part, len(l.crls))
	for i, c := range l.crls {
		parts[i] = c.part()
	}
	l.counts, l.since = counting(parts)
	slices.SortFunc(l.entries, func(a, b listed) int {
		if a.hash != b.hash || a.crl != b.crl {
			return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.crl, b.crl))
		}
		return cmp.Or(bytes.Compare(l.serial(a), l.serial(b)), cmp.Compare(a.offset, b.offset))
	})
}

// Find implements Revocations. A nil Listing lists nothing. It allocates only for a
// certificate that is listed.
func (l *Listing) Find(serial []byte) (r Revocation, ok bool) {
	if l == nil {
		return Revocation{}, false
	}
	hash := xxhash.Sum64(serial)
	for _, at := range l.entries[l.search(hash):] {
		if at.hash != hash {
			break
		}
		c := l.crls[at.crl]
		if l.counts[at.crl] && bytes.Equal(l.serial(at), serial) && (!ok || c.ThisUpdate > r.AsOf) {
			e := c.EntryAt(int64(at.offset))
			r, ok = Revocation{e.Revoked, e.Reason, c.ThisUpdate}, true
		}
	}
	return r, ok && r.Reason != ReasonRemove
}

// Lists reports whether the CRL c of the listing has an entry for serial.
func (l *Listing) Lists(c *CRL, serial []byte) bool {
	hash := xxhash.Sum64(serial)
	for _, at := range l.entries[l.search(hash):] {
		if at.hash != hash {
			break
		}
		if l.crls[at.crl] == c && bytes.Equal(l.serial(at), serial) {
			return true
		}
	}
	return false
}

// search returns the position of the first entry with that hash, or where it
// would be.
func (l *Listing) search(hash uint64) int {
	i, _ := slices.BinarySearchFunc(l.entries, hash, func(e listed, hash uint64) int { return cmp.Compare(e.hash, hash) })
	return i
}

// serial is the serial number of an entry.
func (l *Listing) serial(at listed) []byte { return l.crls[at.crl].SerialAt(int64(at.offset)) }

// Duplicates calls visit for every entry of a CRL that has one for the same serial
// number before it.
func (l *Listing) Duplicates(visit func(c *CRL, e *Entry)) {
	for i := 1; i < len(l.entries); i++ {
		before, at := l.entries[i-1], l.entries[i]
		if before.hash == at.hash && before.crl == at.crl && bytes.Equal(l.serial(before), l.serial(at)) {
			c := l.crls[at.crl]
			e := c.EntryAt(int64(at.offset))
			visit(c, &e)
		}
	}
}

// Differences calls visit for every entry of a complete CRL that says something else of a
// certificate than the first one, in the order in which they were added, that lists it.
func (l *Listing) Differences(visit func(c *CRL, e *Entry, first *CRL, said Revocation)) {
	for i, at := range l.entries {
		before, ok := l.before(i)
		if !ok {
			continue
		}
		first, e := l.crls[before.crl], l.crls[at.crl].EntryAt(int64(at.offset))
		b := first.EntryAt(int64(before.offset))
		if b.Revoked != e.Revoked || max(b.Reason, 0) != max(e.Reason, 0) {
			visit(l.crls[at.crl], &e, first, Revocation{b.Revoked, b.Reason, first.ThisUpdate})
		}
	}
}

// before is the first entry for the serial number of entry i, if these are on two
// complete CRLs.
func (l *Listing) before(i int) (first listed, ok bool) {
	at := l.entries[i]
	first = at
	for i--; i >= 0 && l.entries[i].hash == at.hash; i-- {
		if other := l.entries[i]; !l.crls[other.crl].Delta() && bytes.Equal(l.serial(other), l.serial(at)) {
			first = other
		}
	}
	return first, first.crl != at.crl && !l.crls[at.crl].Delta()
}

// A Revocation is what a CRL says of a certificate.
type Revocation struct {
	At     int64 // revocationDate, Unix seconds
	Reason int   // reasonCode; ReasonAbsent if there is none
	AsOf   int64 // thisUpdate of the CRL
}
