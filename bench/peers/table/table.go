// Package table puts indexes side by side that could stand behind an OCSP
// responder: each leads from a CertID to a response.
package table

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// An Entry is a CertID and the response for it. The key is what lancre hashes: one octet
// for the algorithm, which is SHA-1, issuerNameHash, issuerKeyHash, and the content octets
// of serialNumber.
type Entry struct{ Key, Value []byte }

// keyOf is the key of a CertID.
func keyOf(id *index.CertID) []byte {
	return slices.Concat([]byte{byte(id.Alg)}, id.NameHash, id.KeyHash, id.Serial)
}

// CertID is that of a key, which it aliases.
func CertID(key []byte) index.CertID {
	const name, serial = 1 + 20, 1 + 2*20
	return index.CertID{Alg: index.HashAlg(key[0]), NameHash: key[1:name], KeyHash: key[name:serial], Serial: key[serial:]}
}

// A Table is an index that is complete and open. One goroutine uses it.
type Table interface {
	// Find looks key up, reports whether it is there, and returns one octet of
	// what it leads to.
	Find(key []byte) (byte, bool)

	// AppendValue appends the value of key to dst and reports whether there is one.
	AppendValue(dst, key []byte) ([]byte, bool)
	Close() error
}

// A Kind is one way of making a Table, in an empty directory; entries are sorted
// by key. Where the table is files, they are all that it leaves there.
type Kind struct {
	Name string
	Make func(dir string, entries []Entry) (Table, error)
}

// batch is how many entries those write at a time that write in transactions.
const batch = 100_000

// lastOctet is 0 if there is none.
func lastOctet(value []byte) byte {
	if len(value) == 0 {
		return 0
	}
	return value[len(value)-1]
}

// ReadEntries reads a file of DER responses, one after another, and sorts them by key.
func ReadEntries(path string) ([]Entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	var r index.Response
	for in := cryptobyte.String(data); !in.Empty(); {
		var der cryptobyte.String
		if !in.ReadASN1Element(&der, asn1.SEQUENCE) {
			return nil, fmt.Errorf("%s: response %d is no DER SEQUENCE", path, len(entries))
		}
		if err := r.Parse(der); err != nil {
			return nil, fmt.Errorf("%s: response %d: %w", path, len(entries), err)
		}
		entries = append(entries, Entry{keyOf(&r.Singles[0].CertID), der})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return bytes.Compare(a.Key, b.Key) })
	return entries, nil
}
