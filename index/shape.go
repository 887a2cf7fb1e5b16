package index

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A shape is a response with holes where the responses of one signer differ.
// Its encoding is in the package comment.
type shape struct {
	ids     []shapeID
	holes   []hole
	literal []byte // before each hole
	tail    []byte // behind the last one
	tailOf  uint32 // number of the shape that has the tail
	payload int    // length of the payload, without what a rest hole adds
	size    int    // length of the response, without what a rest hole adds
	whole   bool   // there is a rest hole
}

// A shapeID is a CertID of a shape: the serial is in the payload.
type shapeID struct {
	issuer       uint32
	offset, size uint16
}

type hole struct {
	literal      uint16 // octets before it
	kind         uint8
	offset, size uint16 // in the payload
}

// filled is how many octets of the response the hole stands for.
func (h *hole) filled() int {
	switch h.kind {
	case holePayload:
		return int(h.size)
	case holeRest:
		return 0
	}
	return timeSize
}

// appendResponse appends the response that the record stands for whose head is at
// the front of head, and whose payload was checked against s.
func (s *shape) appendResponse(dst, head, payload []byte) []byte {
	literal := s.literal
	for i := range s.holes {
		h := &s.holes[i]
		dst = append(dst, literal[:h.literal]...)
		literal = literal[h.literal:]
		switch h.kind {
		case holePayload:
			dst = append(dst, payload[h.offset:int(h.offset)+int(h.size)]...)
		case holeTime:
			dst = AppendTime(dst, le.Uint32(payload[h.offset:]))
		case holeThisUpdate:
			dst = AppendTime(dst, le.Uint32(head[8:]))
		case holeNextUpdate:
			dst = AppendTime(dst, le.Uint32(head[12:]))
		case holeProducedAt:
			dst = AppendTime(dst, le.Uint32(head[16:]))
		case holeRest:
			dst = append(dst, payload[s.payload:]...)
		}
	}
	return append(dst, s.tail...)
}

// sameOctets reports whether payloads stand for the same octets in both shapes.
func (s *shape) sameOctets(other *shape) bool {
	return slices.Equal(s.holes, other.holes) && bytes.Equal(s.literal, other.literal) && bytes.Equal(s.tail, other.tail)
}

// append appends the encoding of s, whose number is the given one.
func (s *shape) append(b []byte, number uint32) []byte {
	var tail []byte
	if s.tailOf == number {
		tail = s.tail
	}
	size := shapeHeadSize + shapeIDSize*len(s.ids) + holeSize*len(s.holes) + len(s.literal) + len(tail)
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint32(b, uint32(s.size))
	b = le.AppendUint16(b, uint16(s.payload))
	b = append(b, byte(len(s.ids)), byte(len(s.holes)))
	b = le.AppendUint32(b, s.tailOf)
	for _, id := range s.ids {
		b = le.AppendUint32(b, id.issuer)
		b = le.AppendUint16(b, id.offset)
		b = le.AppendUint16(b, id.size)
	}
	for _, h := range s.holes {
		b = le.AppendUint16(b, h.literal)
		b = append(b, h.kind, 0)
		b = le.AppendUint16(b, h.offset)
		b = le.AppendUint16(b, h.size)
	}
	return append(append(b, s.literal...), tail...)
}

// decodeShapes reads the shapes section and checks every shape, so that nothing
// of a shape needs to be checked when it is used. The result aliases b.
func decodeShapes(b []byte, h *header, issuers int) ([]shape, error) {
	list := make([]shape, 0, h.numShapes)
	head := uint32(shapeHeadSize)
	if h.version == 1 {
		head = firstHeadSize
	}
	for rest := b; len(rest) > 0; {
		if len(rest) < int(head) || le.Uint32(rest) < head || uint64(le.Uint32(rest)) > uint64(len(rest)) {
			return nil, fmt.Errorf("shape %d: its size does not fit the %d octets that are left: %w", len(list), len(rest), ErrCorrupt)
		}
		size := le.Uint32(rest)
		s, ok := decodeShape(rest[:head], rest[head:size])
		if s.tailOf = uint32(len(list)); h.version > 1 {
			s.tailOf = le.Uint32(rest[firstHeadSize:])
		}
		if !ok || !s.findTail(list) || !s.valid(issuers) || s.tombstone() && h.version > 2 && !s.validTombstone() {
			return nil, fmt.Errorf("shape %d: its parts contradict each other: %w", len(list), ErrCorrupt)
		}
		list = append(list, s)
		rest = rest[size:]
	}
	if uint32(len(list)) != h.numShapes {
		return nil, fmt.Errorf("%d shapes, the header says %d: %w", len(list), h.numShapes, ErrCorrupt)
	}
	return list, nil
}

// decodeShape reads a shape but for the number of the one that has its tail; b is
// what follows its head.
func decodeShape(head, b []byte) (s shape, ok bool) {
	s = shape{
		ids:     make([]shapeID, head[10]),
		holes:   make([]hole, head[11]),
		size:    int(le.Uint32(head[4:])),
		payload: int(le.Uint16(head[8:])),
	}
	if len(b) < shapeIDSize*len(s.ids)+holeSize*len(s.holes) {
		return s, false
	}
	for i := range s.ids {
		s.ids[i] = shapeID{le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:])}
		b = b[shapeIDSize:]
	}
	for i := range s.holes {
		s.holes[i] = hole{le.Uint16(b), b[2], le.Uint16(b[4:]), le.Uint16(b[6:])}
		if b[3] != 0 {
			return s, false
		}
		s.whole = s.whole || b[2] == holeRest
		b = b[holeSize:]
	}
	literal := 0
	for _, h := range s.holes {
		literal += int(h.literal)
	}
	if len(b) < literal {
		return s, false
	}
	s.literal, s.tail = b[:literal], b[literal:]
	return s, true
}

// findTail finds the tail of s, which comes next after the shapes in list, in the
// shape that has it.
func (s *shape) findTail(list []shape) bool {
	of := int(s.tailOf)
	if of < len(list) && list[of].tailOf == s.tailOf && len(s.tail) == 0 {
		s.tail = list[of].tail
		return true
	}
	return of == len(list)
}

// valid reports whether every offset lies inside the payload and the lengths add up.
func (s *shape) valid(issuers int) bool {
	if len(s.ids) == 0 || len(s.ids) > MaxCertIDs || s.size > MaxResponse {
		return false
	}
	for _, id := range s.ids {
		if int(id.issuer) >= issuers || id.size == 0 || id.size > MaxSerial || int(id.offset)+int(id.size) > s.payload {
			return false
		}
	}
	filled := 0
	for i := range s.holes {
		h := &s.holes[i]
		filled += h.filled()
		if !s.validHole(h) {
			return false
		}
	}
	return len(s.literal)+filled+len(s.tail) == s.size
}

func (s *shape) validHole(h *hole) bool {
	switch h.kind {
	case holePayload:
		return h.size > 0 && int(h.offset)+int(h.size) <= s.payload
	case holeTime:
		return h.size == 0 && int(h.offset)+4 <= s.payload
	case holeThisUpdate, holeNextUpdate, holeProducedAt:
		return h.size == 0 && h.offset == 0
	case holeRest:
		// Alone and without literal octets: the only use there is for it.
		return h.size == 0 && h.offset == 0 && len(s.holes) == 1 && len(s.literal) == 0 && s.payload >= 4
	}
	return false
}

// validTombstone reports whether a tombstone's payload is a serial and a revocation.
func (s *shape) validTombstone() bool {
	return len(s.ids) == 1 && s.ids[0].offset == 0 && s.payload == int(s.ids[0].size)+revocationSize
}

// tombstone reports whether records of this shape have no response.
func (s *shape) tombstone() bool { return s.size == 0 && !s.whole }

// A cutter makes a shape and a payload out of a response. Its memory is reused.
type cutter struct {
	certIDs []CertID // the CertIDs, aliasing the response
	shape   *shape   // without the issuers' numbers: own, or one that others share, which stays as it is
	payload []byte

	own shape
	der []byte // the response
	at  int    // how much of it is in the shape by now
}

// shared reports whether others have the very shape.
func (c *cutter) shared() bool { return c.shape != &c.own }

// maxShaped is the longest response that is cut into holes: offsets in a shape
// have 16 bits. Real responses have 0.3 to 4 KiB.
const maxShaped = 1<<16 - 1

// cut makes the shape and payload of r; one that is too long is kept whole.
func (c *cutter) cut(r *Response) {
	if r.pattern != nil {
		c.fill(r)
		return
	}
	if len(r.DER) > maxShaped {
		c.certIDs = c.certIDs[:0]
		for i := range r.Singles {
			c.certIDs = append(c.certIDs, r.Singles[i].CertID)
		}
		c.keepWhole(r.DER, nil, c.certIDs)
		return
	}
	c.begin(r.DER)
	c.hole(r.producedAt, timeSize, hole{kind: holeProducedAt})
	for i := range r.Singles {
		s := &r.Singles[i]
		id := c.addID(&s.CertID)
		c.hole(s.serial, len(s.CertID.Serial), hole{kind: holePayload, offset: id.offset, size: id.size})
		if s.RevokedAt != NoTime {
			c.time(s.revokedAt, s.RevokedAt)
		}
		if s.ThisUpdate == r.ThisUpdate {
			c.hole(s.thisUpdate, timeSize, hole{kind: holeThisUpdate})
		} else {
			c.time(s.thisUpdate, s.ThisUpdate)
		}
		switch {
		case s.NextUpdate == NoTime:
		case s.NextUpdate == r.NextUpdate:
			c.hole(s.nextUpdate, timeSize, hole{kind: holeNextUpdate})
		default:
			c.time(s.nextUpdate, s.NextUpdate)
		}
	}
	for _, p := range signatureParts(r.Signature) {
		c.octets(r.signature+p.at, p.size)
	}
	c.shape.tail = r.DER[c.at:]
	c.shape.size, c.shape.payload = len(r.DER), len(c.payload)
}

func (c *cutter) begin(der []byte) {
	c.der, c.at = der, 0
	c.certIDs, c.payload = c.certIDs[:0], c.payload[:0]
	c.own = shape{ids: c.own.ids[:0], holes: c.own.holes[:0], literal: c.own.literal[:0]}
	c.shape = &c.own
}

// hole cuts size octets at offset, behind all earlier ones, out of the response.
func (c *cutter) hole(offset, size int, h hole) {
	h.literal = uint16(offset - c.at)
	c.shape.literal = append(c.shape.literal, c.der[c.at:offset]...)
	c.shape.holes = append(c.shape.holes, h)
	c.at = offset + size
}

// octets moves size octets at offset to the payload.
func (c *cutter) octets(offset, size int) {
	if size > 0 {
		c.hole(offset, size, hole{kind: holePayload, offset: uint16(len(c.payload)), size: uint16(size)})
		c.payload = append(c.payload, c.der[offset:offset+size]...)
	}
}

// time moves a time of its own to the payload; one that 32 bits cannot hold
// stays a part of the shape.
func (c *cutter) time(offset int, unix int64) {
	if seconds, ok := storable(unix); ok {
		c.hole(offset, timeSize, hole{kind: holeTime, offset: uint16(len(c.payload))})
		c.payload = le.AppendUint32(c.payload, seconds)
	}
}

// addID appends a CertID, and its serial to the payload unless it is there.
func (c *cutter) addID(id *CertID) shapeID {
	n := shapeID{offset: uint16(len(c.payload)), size: uint16(len(id.Serial))}
	same := slices.IndexFunc(c.certIDs, func(other CertID) bool { return bytes.Equal(other.Serial, id.Serial) })
	if same >= 0 {
		n = c.shape.ids[same]
	} else {
		c.payload = append(c.payload, id.Serial...)
	}
	c.certIDs = append(c.certIDs, *id)
	c.shape.ids = append(c.shape.ids, n)
	return n
}

// keepWhole makes a shape that shares nothing but the tail: the payload holds the
// rest of the response. ids may be c's own.
func (c *cutter) keepWhole(der, tail []byte, ids []CertID) {
	c.begin(der)
	for i := range ids {
		c.addID(&ids[i])
	}
	rest := len(der) - len(tail)
	c.payload = le.AppendUint32(c.payload, uint32(rest))
	c.shape.payload = len(c.payload)
	c.payload = append(c.payload, der[:rest]...)
	c.shape.holes = append(c.shape.holes, hole{kind: holeRest})
	c.shape.whole, c.shape.tail, c.shape.size = true, tail, len(tail)
}

// bury makes the shape and payload of a tombstone.
func (c *cutter) bury(id *CertID, of *CertStatus) {
	c.begin(nil)
	c.addID(id)
	c.payload = of.appendRevocation(c.payload)
	c.shape.payload = len(c.payload)
}

// sum identifies the shape: equal shapes of equal issuers have equal sums.
func (c *cutter) sum() uint64 {
	var d xxhash.Digest
	d.Reset()
	var buf [256]byte
	b := buf[:0]
	for i, id := range c.shape.ids {
		b = append(b, byte(c.certIDs[i].Alg), byte(id.offset), byte(id.offset>>8), byte(id.size))
		d.Write(c.certIDs[i].NameHash)
		d.Write(c.certIDs[i].KeyHash)
	}
	for _, h := range c.shape.holes {
		b = append(b, h.kind, byte(h.literal), byte(h.literal>>8), byte(h.offset), byte(h.offset>>8), byte(h.size), byte(h.size>>8))
	}
	d.Write(b)
	d.Write(c.shape.literal)
	d.Write(c.shape.tail)
	return d.Sum64()
}

// A part of some octets.
type part struct{ at, size int }

// signatureParts are the parts of sig that differ from one signature to the next: all
// of it, or the magnitudes of r and s in
//
//	ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }
//
// (RFC 3279 section 2.2.3) without the sign octet that each may have.
func signatureParts(sig []byte) [2]part {
	in := cryptobyte.String(sig)
	var seq, r, s cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&r, asn1.INTEGER) {
		return [2]part{{0, len(sig)}}
	}
	rEnd := len(sig) - len(seq)
	if !seq.ReadASN1(&s, asn1.INTEGER) || !seq.Empty() {
		return [2]part{{0, len(sig)}}
	}
	return [2]part{magnitude(r, rEnd), magnitude(s, len(sig))}
}

// magnitude is the part that the magnitude of an INTEGER is whose octets end at end.
func magnitude(integer []byte, end int) part {
	size := len(integer)
	if size > 1 && integer[0] == 0 {
		size--
	}
	return part{end - size, size}
}
