// Package index reads and writes segment files: immutable, memory-mapped tables
// from CertID to pre-signed OCSP response.
//
// # What a segment is
//
// A segment answers one question: which stored OCSPResponse, octet for octet, is
// to be sent for this CertID. It is written once, front to back, never changed,
// and read through a mapping by any number of goroutines at a time. All numbers
// are little-endian; all offsets are octets from the start of the file. The four
// sections follow each other in this order and without gaps, but for zero octets
// that align the slots to 8:
//
//	header    200 octets
//	records   one per response or tombstone, of varying length
//	slots     8 octets each: the hash table from key to record
//	issuers   algorithm, issuerNameHash and issuerKeyHash of CertIDs, each once
//	shapes    what responses have in common, each once
//
// A look-up touches one slot and one record at random places. Issuers and shapes
// are few; Open reads them into memory.
//
// # Header
//
//	  0  8  magic: 89 'L' 'N' 'C' 'R' 0D 0A 1A
//	  8  4  version: 3
//	 12  4  longest probe: slots that the longest successful look-up examines
//	 16  8  size of the file
//	 24  8  number of records
//	 32  8  number of keys: CertIDs that lead to a record
//	 40  8  number of tombstones
//	 48  8  number of home slots, H
//	 56  4  number of issuers
//	 60  4  number of shapes
//	 64  4  earliest nextUpdate  ⎫
//	 68  4  latest thisUpdate    ⎬ Unix seconds, over all records
//	 72  4  earliest producedAt  ⎪ but tombstones; 0 if none
//	 76  4  latest producedAt    ⎭
//	 80  4  index of the shard  ⎫ of the certificates that
//	 84  4  number of shards    ⎭ the segment is for
//	 88  8  reserved: 0
//	 96 24  records: offset, size, xxhash64 of the section
//	120 24  slots:   the same three
//	144 24  issuers: the same three
//	168 24  shapes:  the same three
//	192  8  xxhash64 of octets 0 to 191
//
// Of N shards, a power of two, a certificate lies in the one that the first log2(N)
// bits of the xxhash64, seed 0, of its serialNumber's content octets count.
//
// # Key and slots
//
// The key of a CertID is the xxhash64, seed 0, of its canonical form: one octet
// for the algorithm (1 SHA-1, 2 SHA-256, 3 SHA-384, 4 SHA-512), issuerNameHash,
// issuerKeyHash, and the content octets of serialNumber.
//
// The home slot of a key is floor(key × H / 2⁶⁴), so slots lie in the order of
// their keys. A slot that is taken moves the key to the next free one; the table
// has as many slots beyond H as that needs, never wraps around, and ends with a
// free slot. H is at least keys × 5/4 + 1, so at most 4
// slots of 5 are taken.
//
//	bits  0–39  offset of the record; 0 in a free slot
//	bits 40–63  fingerprint: bits 0–23 of the key
//
// A look-up examines slots from the home slot on, at most as many as the longest
// probe says, until one is free. Where the fingerprint agrees it compares the
// whole CertID with the record's, so a wrong answer is impossible, not improbable.
//
// # Records
//
//	 0  4  CRC-32C of the rest of the record
//	 4  4  bits 0–23 number of the shape; bits 24–25 status (0 good, 1 revoked,
//	       2 unknown: the gravest of its CertIDs); bit 26 tombstone
//	 8  4  thisUpdate: the latest in the response, Unix seconds
//	12  4  nextUpdate: the earliest in the response; 0 in a tombstone
//	16  4  producedAt
//	20     payload: what this response does not share with others of its shape
//
// A record is entered under CertIDs of its response, which its shape lists: the
// table leads from each of them to the record, and no two records share one. They
// all lie in the shard of the segment. It may be that not all CertIDs of a response
// in the shard are among them: where a response is for several certificates and
// another one answers for some of these, it is entered under the rest. So a merge
// can decide by the position of records in a store, and not by their times, and a
// reader need not know how it decided: of a CertID that is not listed, a record
// answers nothing.
//
// A tombstone has a CertID and no response: "ours, but nothing to say at present".
// It hides what older segments hold, and keeps the times and the status of that. Its
// payload ends with the rest, the revocation:
//
//	0     serialNumber
//	n  4  revocationTime, Unix seconds; 0 if there is none
//	+4 1  reason (RFC 5280 section 5.3.1); FF if there is none
//
// # Issuers
//
// One octet for the algorithm, issuerNameHash, issuerKeyHash, each hash as long as
// the algorithm says. Issuers are numbered from 0 in their order.
//
// # Shapes
//
// The responses that one signer gives for one issuer differ in serial number,
// times and signature. A shape is such a response with those places cut out:
//
//	0  4  size of this shape
//	4  4  length of the response, without what a rest hole adds
//	8  2  length of the payload, without what a rest hole adds
//	10 1  number of CertIDs that records of this shape are entered under, c
//	11 1  number of holes, h
//	12 4  number of the shape that has the tail: this one or an earlier one
//	16    c × { issuer 4, payload offset of the serial 2, its length 2 }
//	      h × { literal octets before the hole 2, kind 1, 0 1, payload offset 2, length 2 }
//	      literal octets
//	      the tail, if this shape has it
//
// The response is the literal octets with the holes filled in, and then the tail,
// which is what follows the signature: the responder's certificate, if there is
// one. Shapes of one responder differ by the lengths of its signatures' numbers, of
// serials and the like, so that hundreds would repeat it.
//
// The kinds of hole:
//
//	kind 1  payload     length octets from the payload offset on
//	kind 2  time        the Unix seconds at the payload offset (4 octets)
//	kind 3  thisUpdate  ⎫
//	kind 4  nextUpdate  ⎬ of the record's head
//	kind 5  producedAt  ⎭
//	kind 6  rest        the octets after the payload; the last 4 octets of the
//	                    payload say how many
//
// Times are filled in as YYYYMMDDHHMMSSZ, 15 octets. The fields that a kind does
// not use are 0. An ECDSA signature is cut into its two numbers, so that its DER
// framing is shared too. A response that shares its shape with no earlier one is stored
// whole, or whole but for a tail that it shares: its shape has no literal octets and
// one hole of kind rest. The shape of a tombstone has one CertID and no hole.
//
// # Example
//
// The golden test spells a whole segment. In it, two responses of 192 octets for
// the serials 5E 01 and 5E 02 share this shape:
//
//	203, 192, 8, 1, 5, 1       size, length of response and payload, CertIDs, holes, itself has the tail
//	{0, 0, 2}                  CertID: issuer 0, serial at payload 0, 2 octets
//	{58, producedAt}           after 30 81 BD … A2 16 04 14 ‹responder's key hash› 18 0F
//	{63, payload, 0, 2}        after 30 65 30 63 … ‹name hash› 04 14 ‹key hash› 02 02
//	{ 4, thisUpdate}           after 80 00 18 0F
//	{ 4, nextUpdate}           after A0 11 18 0F
//	{10, payload, 2, 6}        after 30 05 06 03 2B 65 70 03 07 00
//
// and are 28 octets each in the file: 20 of head, 2 of serial, 6 of signature.
// With a P-256 key and an 18-octet serial it is 102 in place of some 300.
//
// # Versions
//
// Versions 1 and 2 are read, for edges are upgraded before what builds their
// stores; they are not written.
//
// Version 2 knows no shards: octets 80 to 87 of the header are 0. A record has all
// CertIDs of its response, and several records may share one: the table leads to one
// that is not older than the others. A record's head has 28 octets: 20 to 27 hold a
// tag, which nobody needs any more and which is covered by the record's checksum
// alone. A tombstone's payload is the serialNumber alone, and its status is good.
//
// Version 1 is as 2 but for tails: a shape lacks the number at 12, so that its
// CertIDs begin there, and has its own tail.
//
// # Limits
//
// 2⁴⁰ octets a file, 2²⁴ shapes, serial numbers of 21 content octets, 16 CertIDs
// a response, 1 MiB a response, times from 1970-01-01 to 2106-02-07.
package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

const (
	magic      = "\x89LNCR\r\n\x1a" // as PNG's: shows a transfer that mangled line ends or the eighth bit
	version    = 3
	headerSize = 200

	slotSize        = 8
	slotOffsetBits  = 40
	slotOffsetMask  = 1<<slotOffsetBits - 1
	fingerprintMask = 1<<(64-slotOffsetBits) - 1

	recordHeadSize = 20
	taggedHeadSize = 28 // of a record in versions 1 and 2
	shapeBits      = 24
	maxShapes      = 1 << shapeBits
	statusShift    = shapeBits
	statusMask     = 3 << statusShift
	tombstoneBit   = 1 << 26
	knownBits      = maxShapes - 1 | statusMask | tombstoneBit

	minIssuerSize = 1 + 2*20 // SHA-1's
	shapeHeadSize = 16
	firstHeadSize = 12 // of a shape in version 1
	shapeIDSize   = 8
	holeSize      = 8

	// MaxCertIDs is how many certificates one response may be for, and how many one
	// request may ask for. RFC 6960 sets no limit; no known client asks for two.
	MaxCertIDs = 16

	// MaxResponse is the longest response, in octets, that a segment can hold:
	// ten times what OpenSSL's client accepts by default.
	MaxResponse = 1 << 20
)

// The kinds of hole in a shape.
const (
	holePayload = 1 + iota
	holeTime
	holeThisUpdate
	holeNextUpdate
	holeProducedAt
	holeRest
)

var (
	le         = binary.LittleEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// ErrCorrupt is what a segment's readers return for octets that contradict the
// format. Verify says which octets.
var ErrCorrupt = errors.New("segment is corrupt")

// homeSlots is the least H for a number of keys.
func homeSlots(keys uint64) uint64 { return keys + keys/4 + 1 }

// home is the slot at which the probe for key begins.
func home(key, homeSlots uint64) uint64 {
	hi, _ := bits.Mul64(key, homeSlots)
	return hi
}

// A section is a part of the file: where it is and the xxhash64 of its octets.
type section struct{ offset, size, sum uint64 }

// header is the first 200 octets of a segment.
type header struct {
	version                        uint32 // of a segment that was read
	longestProbe                   uint32
	size                           uint64
	records, keys, tombstones      uint64
	homeSlots                      uint64
	numIssuers, numShapes          uint32
	times                          timeRange
	shard                          Shard
	recs, slots, issuers, shapeSec section
}

// timeRange is what a header says of the times of its records, Unix seconds.
type timeRange struct {
	minNextUpdate, maxThisUpdate, minProducedAt, maxProducedAt uint32
}

// widen takes a response into account; first says that it is the first.
func (t *timeRange) widen(thisUpdate, nextUpdate, producedAt uint32, first bool) {
	if first {
		*t = timeRange{nextUpdate, thisUpdate, producedAt, producedAt}
		return
	}
	t.minNextUpdate = min(t.minNextUpdate, nextUpdate)
	t.maxThisUpdate = max(t.maxThisUpdate, thisUpdate)
	t.minProducedAt = min(t.minProducedAt, producedAt)
	t.maxProducedAt = max(t.maxProducedAt, producedAt)
}

// recordHead is the size of a record's head.
func (h *header) recordHead() uint64 {
	if h.version < 3 {
		return taggedHeadSize
	}
	return recordHeadSize
}

func (h *header) sections() [4]*section {
	return [4]*section{&h.recs, &h.slots, &h.issuers, &h.shapeSec}
}

func (h *header) encode() []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, magic...)
	b = le.AppendUint32(b, version)
	b = le.AppendUint32(b, h.longestProbe)
	for _, n := range [...]uint64{h.size, h.records, h.keys, h.tombstones, h.homeSlots} {
		b = le.AppendUint64(b, n)
	}
	t := h.times
	for _, n := range [...]uint32{h.numIssuers, h.numShapes,
		t.minNextUpdate, t.maxThisUpdate, t.minProducedAt, t.maxProducedAt, h.shard.Index, h.shard.Of, 0, 0} {
		b = le.AppendUint32(b, n)
	}
	for _, s := range h.sections() {
		b = le.AppendUint64(b, s.offset)
		b = le.AppendUint64(b, s.size)
		b = le.AppendUint64(b, s.sum)
	}
	return le.AppendUint64(b, xxhash.Sum64(b))
}

// decodeHeader reads the header of a segment of size octets and checks all that
// can be checked without looking further. b is at most the first headerSize
// octets of it.
func decodeHeader(b []byte, size uint64) (*header, error) {
	if len(b) < headerSize {
		return nil, fmt.Errorf("%d octets are too few for a segment's header of %d: the file was cut off; copy it again", len(b), headerSize)
	}
	if got := string(b[:8]); got != magic {
		return nil, fmt.Errorf("the file begins with %q, a segment with %q: this is another kind of file", got, magic)
	}
	if got := le.Uint32(b[8:]); got < 1 || got > version {
		return nil, fmt.Errorf("segment format version %d, this program reads versions 1 to %d: build the store again with the lancre of this release", got, version)
	}
	if want, got := le.Uint64(b[headerSize-8:]), xxhash.Sum64(b[:headerSize-8]); got != want {
		return nil, fmt.Errorf("header checksum is %016x, its octets give %016x: the file was changed or damaged; copy it again", want, got)
	}
	h := &header{
		version:      le.Uint32(b[8:]),
		longestProbe: le.Uint32(b[12:]),
		size:         le.Uint64(b[16:]),
		records:      le.Uint64(b[24:]),
		keys:         le.Uint64(b[32:]),
		tombstones:   le.Uint64(b[40:]),
		homeSlots:    le.Uint64(b[48:]),
		numIssuers:   le.Uint32(b[56:]),
		numShapes:    le.Uint32(b[60:]),
		times:        timeRange{le.Uint32(b[64:]), le.Uint32(b[68:]), le.Uint32(b[72:]), le.Uint32(b[76:])},
		shard:        Shard{le.Uint32(b[80:]), le.Uint32(b[84:])},
	}
	if h.version < 3 {
		h.shard = Everything
	}
	for i, s := range h.sections() {
		at := 96 + 24*i
		*s = section{le.Uint64(b[at:]), le.Uint64(b[at+8:]), le.Uint64(b[at+16:])}
	}
	if h.size != size {
		return nil, fmt.Errorf("the file has %d octets, its header says %d: it was cut off or added to; copy it again", size, h.size)
	}
	return h, h.checkLayout()
}

// checkLayout makes sure that the sections follow each other up to the end of
// the file and that the numbers of things fit into them.
func (h *header) checkLayout() error {
	at := uint64(headerSize)
	for i, s := range h.sections() {
		if i == 1 {
			at = align(at)
		}
		if s.offset != at || s.size > h.size-at {
			return fmt.Errorf("section %d lies at %d with %d octets, want it at %d in a file of %d: %w", i+1, s.offset, s.size, at, h.size, ErrCorrupt)
		}
		at += s.size
	}
	slots := h.slots.size / slotSize
	switch {
	case !h.shard.Valid():
		return fmt.Errorf("shard %s: %w", h.shard, ErrCorrupt)
	case at != h.size || h.size > slotOffsetMask:
		return fmt.Errorf("sections end at %d in a file of %d octets: %w", at, h.size, ErrCorrupt)
	case h.slots.size%slotSize != 0 || h.homeSlots < homeSlots(h.keys) || slots <= h.homeSlots:
		return fmt.Errorf("%d octets of slots for %d keys: %w", h.slots.size, h.keys, ErrCorrupt)
	case h.records > h.recs.size/h.recordHead() || h.tombstones > h.records || h.keys > h.records*MaxCertIDs:
		return fmt.Errorf("%d records with %d keys and %d tombstones in %d octets: %w", h.records, h.keys, h.tombstones, h.recs.size, ErrCorrupt)
	case h.numShapes > maxShapes || uint64(h.numShapes) > h.shapeSec.size/firstHeadSize || uint64(h.numIssuers) > h.issuers.size/minIssuerSize:
		return fmt.Errorf("%d issuers in %d octets and %d shapes in %d octets: %w", h.numIssuers, h.issuers.size, h.numShapes, h.shapeSec.size, ErrCorrupt)
	}
	return nil
}

// align rounds up to where slots may begin.
func align(offset uint64) uint64 { return (offset + slotSize - 1) &^ (slotSize - 1) }

// An issuer is the part of a CertID that its certificates share.
type issuer struct {
	alg               HashAlg
	nameHash, keyHash []byte
}

func (i *issuer) append(b []byte) []byte {
	b = append(b, byte(i.alg))
	b = append(b, i.nameHash...)
	return append(b, i.keyHash...)
}

// names reports whether id has the hashes of the issuer.
func (i *issuer) names(id *CertID) bool {
	return i.alg == id.Alg && bytes.Equal(i.keyHash, id.KeyHash) && bytes.Equal(i.nameHash, id.NameHash)
}

// decodeIssuers reads the issuers section. The result aliases b.
func decodeIssuers(b []byte, n uint32) ([]issuer, error) {
	list := make([]issuer, 0, n)
	for rest := b; len(rest) > 0; {
		alg := HashAlg(rest[0])
		size := alg.Size()
		if size == 0 || len(rest) < 1+2*size {
			return nil, fmt.Errorf("issuer %d: algorithm %d in %d octets: %w", len(list), alg, len(rest), ErrCorrupt)
		}
		list = append(list, issuer{alg, rest[1 : 1+size], rest[1+size : 1+2*size]})
		rest = rest[1+2*size:]
	}
	if uint32(len(list)) != n {
		return nil, fmt.Errorf("%d issuers, the header says %d: %w", len(list), n, ErrCorrupt)
	}
	return list, nil
}

// storable converts Unix seconds to what a record holds.
func storable(unix int64) (uint32, bool) {
	return uint32(unix), unix >= 0 && unix <= math.MaxUint32
}
