package index

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// An Entry is a response made ready for a Writer: all the work that needs no
// other response, so that it can be done on many goroutines, each with Entries of
// its own. Its memory is reused by the next Set.
type Entry struct {
	cutter
	keys      []uint64 // of certIDs
	sum       uint64   // of the shape
	tombstone bool
	status    Status
	times     entryTimes
	etag      uint64
}

// entryTimes are Unix seconds; nextUpdate is 0 in a tombstone.
type entryTimes struct{ thisUpdate, nextUpdate, producedAt uint32 }

// Set makes e hold r, whose octets must stay unchanged until e was added. It
// refuses what the format has no room for.
func (e *Entry) Set(r *Response) error {
	if len(r.DER) > MaxResponse {
		return fmt.Errorf("response has %d octets, a store takes %d", len(r.DER), MaxResponse)
	}
	if len(r.Singles) > MaxCertIDs {
		return fmt.Errorf("response has %d SingleResponses, a store takes %d", len(r.Singles), MaxCertIDs)
	}
	for i := range r.Singles {
		if err := storableID(&r.Singles[i].CertID); err != nil {
			return err
		}
	}
	if r.NextUpdate == NoTime {
		return fmt.Errorf("response has no nextUpdate: nobody could tell how long to serve it")
	}
	var err error
	if e.times, err = storableTimes(r.ThisUpdate, r.NextUpdate, r.ProducedAt); err != nil {
		return err
	}
	e.cut(r)
	e.status, e.tombstone, e.etag = r.Status, false, etagOf(r.DER)
	e.finish()
	return nil
}

// SetTombstone makes e hold the answer "ours, but no current response" for id,
// whose octets must stay unchanged until e was added. thisUpdate and producedAt,
// Unix seconds, decide between it and other entries for id.
func (e *Entry) SetTombstone(id *CertID, thisUpdate, producedAt int64) error {
	if err := storableID(id); err != nil {
		return err
	}
	var err error
	if e.times, err = storableTimes(thisUpdate, 0, producedAt); err != nil {
		return err
	}
	e.bury(id)
	e.status, e.tombstone, e.etag = Good, true, 0
	e.finish()
	return nil
}

func (e *Entry) finish() {
	e.keys = e.keys[:0]
	for i := range e.certIDs {
		if key := e.certIDs[i].Key(); !slices.Contains(e.keys, key) {
			e.keys = append(e.keys, key)
		}
	}
	e.sum = e.cutter.sum()
}

// makeWhole changes e to share nothing with other responses but the given tail.
func (e *Entry) makeWhole(tail []byte) {
	e.keepWhole(e.der, tail, e.certIDs)
	e.sum = e.cutter.sum()
}

// appendRecord appends the record of e, whose shape has the given number.
func (e *Entry) appendRecord(b []byte, shape uint32) []byte {
	start := len(b)
	bits := shape | uint32(e.status)<<statusShift
	if e.tombstone {
		bits |= tombstoneBit
	}
	for _, n := range [...]uint32{0, bits, e.times.thisUpdate, e.times.nextUpdate, e.times.producedAt} {
		b = le.AppendUint32(b, n)
	}
	b = le.AppendUint64(b, e.etag)
	b = append(b, e.payload...)
	le.PutUint32(b[start:], crc32.Checksum(b[start+4:], castagnoli))
	return b
}

// etagOf is the number whose 16 hex digits are the entity tag of a response.
func etagOf(response []byte) uint64 {
	sum := sha256.Sum256(response)
	return binary.BigEndian.Uint64(sum[:])
}

func storableID(id *CertID) error {
	if id.Alg.Size() == 0 {
		return fmt.Errorf("CertID has a hash algorithm that is none of SHA-1, SHA-256, SHA-384 and SHA-512")
	}
	if n := len(id.Serial); n == 0 || n > MaxSerial {
		return fmt.Errorf("serial number has %d octets, a store takes 1 to %d", n, MaxSerial)
	}
	return nil
}

func storableTimes(thisUpdate, nextUpdate, producedAt int64) (t entryTimes, err error) {
	if t.thisUpdate, err = storableTime("thisUpdate", thisUpdate); err != nil {
		return t, err
	}
	if t.nextUpdate, err = storableTime("nextUpdate", nextUpdate); err != nil {
		return t, err
	}
	t.producedAt, err = storableTime("producedAt", producedAt)
	return t, err
}

func storableTime(name string, unix int64) (uint32, error) {
	seconds, ok := storable(unix)
	if !ok {
		return 0, fmt.Errorf("%s is %d Unix seconds, a store takes 0 to %d (2106-02-07)", name, unix, uint32(math.MaxUint32))
	}
	return seconds, nil
}
