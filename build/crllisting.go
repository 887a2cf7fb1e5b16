package build

import (
	"bytes"
	"cmp"
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
// listing lists nothing. It allocates only for a certificate that is listed.
func (l *listing) find(serial []byte) (r revocation, ok bool) {
	if l == nil {
		return revocation{}, false
	}
	var newest int64
	hash := xxhash.Sum64(serial)
	for _, at := range l.entries[l.search(hash):] {
		if at.hash != hash {
			break
		}
		c := l.crls[at.crl]
		if bytes.Equal(l.serial(at), serial) && (!ok || c.thisUpdate > newest) {
			e := c.entry(int64(at.offset))
			r, ok, newest = revocation{e.revoked, e.reason}, true, c.thisUpdate
		}
	}
	return r, ok
}

// lists reports whether the CRL c of the listing has an entry for serial.
func (l *listing) lists(c *crl, serial []byte) bool {
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
func (l *listing) search(hash uint64) int {
	i, _ := slices.BinarySearchFunc(l.entries, hash, func(e listed, hash uint64) int { return cmp.Compare(e.hash, hash) })
	return i
}

// serial is the serial number of an entry.
func (l *listing) serial(at listed) []byte { return l.crls[at.crl].serial(int64(at.offset)) }

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
