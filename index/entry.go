package index

import (
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"time"
)

// An Entry is a response made ready for a Writer: all the work that needs no
// other response, so that it can be done on many goroutines, each with Entries of
// its own. Its memory is reused by the next Set.
type Entry struct {
	cutter
	keys      []uint64 // of certIDs, each once
	sum       uint64   // of the shape; of one that others share, when a Writer asks for it
	tombstone bool
	copied    bool // octets are the record, which shares its shape; der and payload are of no meaning
	status    Status
	times     entryTimes

	// What SetRecord needs.
	octets   []byte // of the record, once it was compared with its checksum
	response []byte
	parsed   Response
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
	e.status, e.tombstone, e.copied = r.Status, false, false
	e.finish()
	return nil
}

// SetTombstone makes e hold the answer "ours, but no current response" for id,
// whose octets must stay unchanged until e was added, in place of an answer that
// said hidden of it. The moment of that decides between e and other entries for id.
// A revocationTime that a record cannot hold is as none.
func (e *Entry) SetTombstone(id *CertID, hidden CertStatus) error {
	if err := storableID(id); err != nil {
		return err
	}
	if hidden.Status > Unknown {
		return fmt.Errorf("certificate status %d is none of good, revoked and unknown", hidden.Status)
	}
	var err error
	if e.times, err = storableTimes(hidden.ThisUpdate, 0, hidden.ProducedAt); err != nil {
		return err
	}
	e.bury(id, &hidden)
	e.status, e.tombstone, e.copied = hidden.Status, true, false
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
	if !e.shared() {
		e.sum = e.cutter.sum()
	}
}

// makeWhole changes e to share nothing with other responses but the given tail.
func (e *Entry) makeWhole(tail []byte) {
	e.keepWhole(e.whole(), tail, e.certIDs)
	e.copied = false
	e.sum = e.cutter.sum()
}

// whole is the response.
func (e *Entry) whole() []byte {
	if e.copied {
		return e.shape.appendResponse(nil, e.octets, e.octets[recordHeadSize:])
	}
	return e.der
}

// appendRecord appends the record of e, whose shape has the given number.
func (e *Entry) appendRecord(b []byte, shape uint32) []byte {
	start := len(b)
	if e.copied {
		b = append(b, e.octets...)
		le.PutUint32(b[start+4:], le.Uint32(b[start+4:])&^(maxShapes-1)|shape)
		return summed(b, start)
	}
	bits := shape | uint32(e.status)<<statusShift
	if e.tombstone {
		bits |= tombstoneBit
	}
	for _, n := range [...]uint32{0, bits, e.times.thisUpdate, e.times.nextUpdate, e.times.producedAt} {
		b = le.AppendUint32(b, n)
	}
	return summed(append(b, e.payload...), start)
}

// summed is b with the checksum of the record that begins at start and ends with b.
func summed(b []byte, start int) []byte {
	le.PutUint32(b[start:], crc32.Checksum(b[start+4:], castagnoli))
	return b
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
		spelled := func(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
		return 0, fmt.Errorf("%s is %s, a store takes %s to %s", name, spelled(unix), spelled(0), spelled(math.MaxUint32))
	}
	return seconds, nil
}
