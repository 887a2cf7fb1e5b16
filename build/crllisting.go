package build

import (
	"bytes"
	"cmp"
	"iter"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// A listing finds the entries of the CRLs of one issuer by serial number. It takes
// 16 octets an entry and keeps the CRLs themselves, of some 40 octets an entry, in
// memory: a million revoked certificates are some 56 MB. It is immutable once
// sorted, and safe for concurrent use then.
type listing struct {
	crls       []*crl
	entries    []listed // sorted by hash, CRL, serial number and offset
	thisUpdate int64    // of the oldest of the CRLs: up to then they list all that was revoked
}

// listed is one entry of a listing.
type listed struct {
	hash   uint64 // of the serial number
	crl    uint32 // position in crls
	offset uint32 // in that; a file has less than 4 GiB (store.MaxFileSize)
}

// add enters all entries of c. sort must follow.
func (l *listing) add(c *crl) {
	number := uint32(len(l.crls))
	if number == 0 || c.thisUpdate < l.thisUpdate {
		l.thisUpdate = c.thisUpdate
	}
	l.crls = append(l.crls, c)
	l.entries = slices.Grow(l.entries, c.count)
	c.walk(func(e *crlEntry) {
		l.entries = append(l.entries, listed{xxhash.Sum64(e.serial), number, uint32(e.offset)})
	})
}

func (l *listing) sort() {
	slices.SortFunc(l.entries, func(a, b listed) int {
		if a.hash != b.hash || a.crl != b.crl {
			return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.crl, b.crl))
		}
		return cmp.Or(bytes.Compare(l.serial(a), l.serial(b)), cmp.Compare(a.offset, b.offset))
	})
}

// find returns what the CRLs say of the certificate with that serial number, the
// content octets of a DER INTEGER; the newest CRL that lists it counts. A nil
// listing lists nothing. It does not allocate.
func (l *listing) find(serial []byte) (r revocation, ok bool) {
	var newest int64
	for c, e := range l.having(serial) {
		if !ok || c.thisUpdate > newest {
			r, ok, newest = revocation{e.revoked, e.reason}, true, c.thisUpdate
		}
	}
	return r, ok
}

// lists reports whether the CRL c of the listing has an entry for serial.
func (l *listing) lists(c *crl, serial []byte) bool {
	for in := range l.having(serial) {
		if in == c {
			return true
		}
	}
	return false
}

// having iterates over the entries for serial, and the CRLs they are in.
func (l *listing) having(serial []byte) iter.Seq2[*crl, crlEntry] {
	return func(yield func(*crl, crlEntry) bool) {
		if l == nil {
			return
		}
		hash := xxhash.Sum64(serial)
		i, _ := slices.BinarySearchFunc(l.entries, hash, func(e listed, hash uint64) int { return cmp.Compare(e.hash, hash) })
		for ; i < len(l.entries) && l.entries[i].hash == hash; i++ {
			c := l.crls[l.entries[i].crl]
			e := c.entry(int64(l.entries[i].offset))
			if bytes.Equal(e.serial, serial) && !yield(c, e) {
				return
			}
		}
	}
}

// serial is the serial number of an entry.
func (l *listing) serial(at listed) []byte {
	e := l.crls[at.crl].entry(int64(at.offset))
	return e.serial
}

// duplicates calls visit for every entry of a CRL that has one for the same serial
// number before it.
func (l *listing) duplicates(visit func(c *crl, e *crlEntry)) {
	for i := 1; i < len(l.entries); i++ {
		before, at := l.entries[i-1], l.entries[i]
		if before.hash == at.hash && before.crl == at.crl && bytes.Equal(l.serial(before), l.serial(at)) {
			c := l.crls[at.crl]
			e := c.entry(int64(at.offset))
			visit(c, &e)
		}
	}
}

// A revocation is what a CRL says of a certificate.
type revocation struct {
	at     int64 // revocationDate, Unix seconds
	reason int   // reasonCode; reasonAbsent if there is none
}
