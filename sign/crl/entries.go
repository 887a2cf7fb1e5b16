package crl

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
	"lancre/index"
	"lancre/internal/parallel"
)

// Entries are those of one CRL, in DER, in the order in which they were added. They are
// in a temporary file without a name, so that a million of them take no memory. The zero
// value has none. Not safe for concurrent use.
type Entries struct {
	file  *os.File
	out   *bufio.Writer
	size  int64 // octets
	count int
	entry []byte // scratch
}

// Add adds an entry: the content octets of a serial number, of 21 octets at most, Unix
// seconds from 1970 to 2106, and a CRLReason, −1 for none. It returns the entry in DER, which
// is valid until the next.
func (e *Entries) Add(serial []byte, revoked int64, reason int) (entry []byte, err error) {
	if e.file == nil {
		if err := e.open(); err != nil {
			return nil, err
		}
	}
	e.entry = appendEntry(e.entry[:0], serial, revoked, reason)
	e.size += int64(len(e.entry))
	e.count++
	_, err = e.out.Write(e.entry)
	return e.entry, err
}

func (e *Entries) open() (err error) {
	if e.file, err = os.CreateTemp("", "lancre-crl-*"); err != nil {
		return err
	}
	e.out = bufio.NewWriterSize(e.file, 32<<10)
	return os.Remove(e.file.Name())
}

// Count is how many there are.
func (e *Entries) Count() int { return e.count }

// copyTo writes them to w. More may be added then, at the end.
func (e *Entries) copyTo(w io.Writer) error {
	if e.file == nil {
		return nil
	}
	if err := e.out.Flush(); err != nil {
		return err
	}
	_, err := io.Copy(w, io.NewSectionReader(e.file, 0, e.size))
	return err
}

// Close frees what they take.
func (e *Entries) Close() {
	if e.file != nil {
		e.file.Close()
	}
}

// Hashes are those of serial numbers, by xxhash64, in parts that can be sorted at a time.
// The zero value has none.
type Hashes [16][]uint64

// Add adds that of a serial number.
func (h *Hashes) Add(serial []byte) {
	hash := xxhash.Sum64(serial)
	part := &h[hash>>60]
	*part = append(*part, hash)
}

// twice is which of them are there more than once. It sorts them.
func (h *Hashes) twice() map[uint64]bool {
	var mu sync.Mutex
	same := make(map[uint64]bool)
	parallel.Each(len(h), func() func(int) {
		return func(i int) {
			part := h[i]
			slices.Sort(part)
			for i := 1; i < len(part); i++ {
				if part[i] == part[i-1] {
					mu.Lock()
					same[part[i]] = true
					mu.Unlock()
				}
			}
		}
	})
	return same
}

// Twice returns a serial number that two of them have, nil if there is none. It looks at
// those that have one of the hashes.
func (e *Entries) Twice(hashes *Hashes) ([]byte, error) {
	same := hashes.twice()
	if len(same) == 0 {
		return nil, nil
	}
	seen := make(map[string]bool)
	var found []byte
	err := e.each(func(serial []byte) {
		if same[xxhash.Sum64(serial)] {
			if seen[string(serial)] {
				found = serial
			}
			seen[string(serial)] = true
		}
	})
	return found, err
}

// each calls visit for every serial number.
func (e *Entries) each(visit func(serial []byte)) error {
	if err := e.out.Flush(); err != nil {
		return err
	}
	in := bufio.NewReader(io.NewSectionReader(e.file, 0, e.size))
	for {
		var head [2]byte
		if _, err := io.ReadFull(in, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		content := make([]byte, head[1]) // shorter than 128, see appendEntry
		if _, err := io.ReadFull(in, content); err != nil {
			return err
		}
		var serial cryptobyte.String
		if s := cryptobyte.String(content); !s.ReadASN1(&serial, asn1.INTEGER) {
			return errors.New("the entries in the temporary file are none any more")
		}
		visit(serial)
	}
}

const noReason = -1

// reasonHead is what lies before the octet of a reason: crlEntryExtensions with the one
// extension reasonCode (RFC 5280 section 5.3.1), not critical.
var reasonHead = der.MustHex("300c" + "300a" + "0603551d15" + "0403" + "0a01")

// appendEntry appends an entry (RFC 5280 section 5.1.2.6):
//
//	SEQUENCE { INTEGER serial, Time revoked, SEQUENCE { reasonCode } OPTIONAL }
//
// Its content is at most 23 + 17 + 14 octets: lengths are one octet.
func appendEntry(dst, serial []byte, revoked int64, reason int) []byte {
	start := len(dst)
	dst = append(dst, 0x30, 0, 0x02, byte(len(serial)))
	dst = append(dst, serial...)
	dst = appendTime(dst, revoked)
	if reason != noReason {
		dst = append(append(dst, reasonHead...), byte(reason))
	}
	dst[start+1] = byte(len(dst) - start - 2)
	return dst
}

// firstGeneralized is 2050-01-01, from which on a Time is a GeneralizedTime, with the
// century (RFC 5280 section 5.1.2.4).
const firstGeneralized = 2524608000

// appendTime appends a Time, of Unix seconds from 1970 to 2106.
func appendTime(dst []byte, unix int64) []byte {
	if unix >= firstGeneralized {
		return index.AppendTime(append(dst, 0x18, 15), uint32(unix))
	}
	var text [15]byte
	index.AppendTime(text[:0], uint32(unix))
	return append(append(dst, 0x17, 13), text[2:]...)
}
