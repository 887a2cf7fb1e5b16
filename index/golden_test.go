package index

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// goldenResponses are three good answers of one signer.
func goldenResponses() [][]byte {
	var list [][]byte
	for i := range byte(3) {
		d := simple(testID(SHA1, 0x11, 0x5e, i))
		d.produced = fmt.Sprintf("2026110106070%dZ", i)
		d.signature = bytes.Repeat([]byte{0xa0 + i}, 6)
		list = append(list, d.build())
	}
	return list
}

var (
	name1, key1 = strings.Repeat("\x11", 20), strings.Repeat("\xee", 20)
	name2, key2 = strings.Repeat("\x22", 32), strings.Repeat("\xdd", 32)
)

// goldenHidden is what the tombstone hides.
var goldenHidden = CertStatus{Moment{1, 2}, Revoked, 3, 4}

// golden is the segment of goldenResponses and a tombstone, as the package
// comment describes it.
var golden = "" +
	// Header
	"\x89\x4c\x4e\x43\x52\x0d\x0a\x1a" + // magic
	"\x03\x00\x00\x00" + // version
	"\x02\x00\x00\x00" + // longest probe
	"\x9d\x03\x00\x00\x00\x00\x00\x00" + // size of the file
	"\x04\x00\x00\x00\x00\x00\x00\x00" + // records
	"\x04\x00\x00\x00\x00\x00\x00\x00" + // keys
	"\x01\x00\x00\x00\x00\x00\x00\x00" + // tombstones
	"\x06\x00\x00\x00\x00\x00\x00\x00" + // home slots
	"\x02\x00\x00\x00" + // issuers
	"\x03\x00\x00\x00" + // shapes
	"\x60\x1b\xec\x6a" + // earliest nextUpdate
	"\x60\xd5\xe6\x6a" + // latest thisUpdate
	"\x04\xd7\xe6\x6a" + // earliest producedAt
	"\x06\xd7\xe6\x6a" + // latest producedAt
	"\x00\x00\x00\x00" + // shard: index
	"\x01\x00\x00\x00" + // number of shards
	"\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\xc8\x00\x00\x00\x00\x00\x00\x00\x2c\x01\x00\x00\x00\x00\x00\x00" + // records: offset, size
	"\xc5\xe0\xec\xc1\x9a\x96\x57\x2e" + // xxhash64
	"\xf8\x01\x00\x00\x00\x00\x00\x00\x38\x00\x00\x00\x00\x00\x00\x00" + // slots: offset, size
	"\x3f\x24\x26\xb7\xa5\xd8\x70\xae" + // xxhash64
	"\x30\x02\x00\x00\x00\x00\x00\x00\x6a\x00\x00\x00\x00\x00\x00\x00" + // issuers: offset, size
	"\xfe\x2e\x87\xfd\x1f\x52\x29\x54" + // xxhash64
	"\x9a\x02\x00\x00\x00\x00\x00\x00\x03\x01\x00\x00\x00\x00\x00\x00" + // shapes: offset, size
	"\x30\xc2\xf6\xf7\xc4\x51\xf7\xee" + // xxhash64
	"\xec\x2b\x70\x8b\xf5\xee\x96\x9f" + // header xxhash64

	// Records: the first of a shape is stored whole.
	"\x4d\xa1\x85\x48" + // CRC-32C
	"\x00\x00\x00\x00" + // shape, status, tombstone
	"\x60\xd5\xe6\x6a" + // thisUpdate
	"\x60\x1b\xec\x6a" + // nextUpdate
	"\x04\xd7\xe6\x6a" + // producedAt
	"\x5e\x00\xc0\x00\x00\x00\x30\x81\xbd\x0a\x01\x00\xa0\x81\xb7\x30\x81\xb4\x06\x09" + // payload
	"\x2b\x06\x01\x05\x05\x07\x30\x01\x01\x04\x81\xa6\x30\x81\xa3\x30\x81\x90\xa2\x16" +
	"\x04\x14" +
	"responder key sha1.." +
	"\x18\x0f" +
	"20261101060700Z" +
	"\x30\x65\x30\x63\x30\x3b\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14" +
	name1 +
	"\x04\x14" +
	key1 +
	"\x02\x02\x5e\x00\x80\x00\x18\x0f" +
	"20261101060000Z" +
	"\xa0\x11\x18\x0f" +
	"20261105060000Z" +
	"\x30\x05\x06\x03\x2b\x65\x70\x03\x07\x00\xa0\xa0\xa0\xa0\xa0\xa0" +

	// The second and third share a shape.
	"\xdc\x83\x8a\xcf" + // CRC-32C
	"\x01\x00\x00\x00" + // shape, status, tombstone
	"\x60\xd5\xe6\x6a" + // thisUpdate
	"\x60\x1b\xec\x6a" + // nextUpdate
	"\x05\xd7\xe6\x6a" + // producedAt
	"\x5e\x01\xa1\xa1\xa1\xa1\xa1\xa1" + // payload
	"\xdd\xe3\x29\xf7" + // CRC-32C
	"\x01\x00\x00\x00" + // shape, status, tombstone
	"\x60\xd5\xe6\x6a" + // thisUpdate
	"\x60\x1b\xec\x6a" + // nextUpdate
	"\x06\xd7\xe6\x6a" + // producedAt
	"\x5e\x02\xa2\xa2\xa2\xa2\xa2\xa2" + // payload

	// A tombstone: serial 7F under SHA-256, revoked.
	"\x45\x04\x66\x62" + // CRC-32C
	"\x02\x00\x00\x05" + // shape, status, tombstone
	"\x01\x00\x00\x00" + // thisUpdate
	"\x00\x00\x00\x00" + // nextUpdate
	"\x02\x00\x00\x00" + // producedAt
	"\x7f" + // serial
	"\x03\x00\x00\x00" + // revocationTime
	"\x04" + // reason

	// Slots
	"\x00\x00\x00\x00" + // padding
	"\x00\x00\x00\x00\x00\x00\x00\x00" + // slot
	"\xc8\x00\x00\x00\x00\x72\x5b\x25" + // slot
	"\x00\x00\x00\x00\x00\x00\x00\x00" + // slot
	"\xbe\x01\x00\x00\x00\x99\xfe\x26" + // slot
	"\xa2\x01\x00\x00\x00\x7c\xb1\x8e" + // slot
	"\xda\x01\x00\x00\x00\x7b\x6b\xa0" + // slot
	"\x00\x00\x00\x00\x00\x00\x00\x00" + // slot

	// Issuers
	"\x01" + // alg
	name1 + // name
	key1 + // key
	"\x02" + // alg
	name2 + // name
	key2 + // key

	// Shapes: of responses stored whole,
	"\x20\x00\x00\x00" + // size
	"\x00\x00\x00\x00" + // response
	"\x06\x00" + // payload
	"\x01\x01" + // CertIDs, holes
	"\x00\x00\x00\x00" + // shape that has the tail
	"\x00\x00\x00\x00\x00\x00\x02\x00" + // issuer, offset, length
	"\x00\x00\x06\x00\x00\x00\x00\x00" + // literal, kind, offset, length

	// of the good answers,
	"\xcb\x00\x00\x00" + // size
	"\xc0\x00\x00\x00" + // response
	"\x08\x00" + // payload
	"\x01\x05" + // CertIDs, holes
	"\x01\x00\x00\x00" + // shape that has the tail
	"\x00\x00\x00\x00\x00\x00\x02\x00" + // issuer, offset, length
	"\x3a\x00\x05\x00\x00\x00\x00\x00" + // literal, kind, offset, length
	"\x3f\x00\x01\x00\x00\x00\x02\x00" + // literal, kind, offset, length
	"\x04\x00\x03\x00\x00\x00\x00\x00" + // literal, kind, offset, length
	"\x04\x00\x04\x00\x00\x00\x00\x00" + // literal, kind, offset, length
	"\x0a\x00\x01\x00\x02\x00\x06\x00" + // literal, kind, offset, length
	"\x30\x81\xbd\x0a\x01\x00\xa0\x81\xb7\x30\x81\xb4\x06\x09\x2b\x06\x01\x05\x05\x07" + // literal
	"\x30\x01\x01\x04\x81\xa6\x30\x81\xa3\x30\x81\x90\xa2\x16\x04\x14" +
	"responder key sha1.." +
	"\x18\x0f\x30\x65\x30\x63\x30\x3b\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04" +
	"\x14" +
	name1 +
	"\x04\x14" +
	key1 +
	"\x02\x02\x80\x00\x18\x0f\xa0\x11\x18\x0f\x30\x05\x06\x03\x2b\x65\x70\x03\x07\x00" +

	// of the tombstone.
	"\x18\x00\x00\x00" + // size
	"\x00\x00\x00\x00" + // response
	"\x06\x00" + // payload
	"\x01\x00" + // CertIDs, holes
	"\x02\x00\x00\x00" + // shape that has the tail
	"\x01\x00\x00\x00\x00\x00\x01\x00" // issuer, offset, length

// The octets of a segment do not change from release to release.
func TestGoldenSegment(t *testing.T) {
	w := newWriter(t)
	add(t, w, goldenResponses()...)
	hide(t, w, testID(SHA256, 0x22, 0x7f), goldenHidden)
	got := octets(t, w)
	for i := 0; i < len(got) || i < len(golden); i += 16 {
		row := func(b string) string { return b[min(i, len(b)):min(i+16, len(b))] }
		if g, w := row(string(got)), row(golden); g != w {
			t.Errorf("octets %d to %d:\n got % x\nwant % x", i, i+15, g, w)
		}
	}
}

// goldenOfVersion1 is golden as version 1 spelled it: as version 2, but its shapes do
// not say which of them has the tail.
func goldenOfVersion1() []byte {
	b := []byte(goldenOfVersion2)
	shapes := int(le.Uint64(b[168:]))
	old := append([]byte(nil), b[:shapes]...)
	for rest := b[shapes:]; len(rest) > 0; {
		size := le.Uint32(rest)
		old = le.AppendUint32(old, size-4)
		old = append(old, rest[4:12]...)
		old = append(old, rest[16:size]...)
		rest = rest[size:]
	}
	le.PutUint32(old[8:], 1)
	le.PutUint64(old[16:], uint64(len(old)))
	le.PutUint64(old[176:], uint64(len(old)-shapes))
	return mendChecksums(old)
}

// Segments of earlier releases are read.
func TestGoldenSegmentIsRead(t *testing.T) {
	first := goldenOfVersion1()
	if got := string(first[192:headerSize]); got != "\xef\x52\x16\x64\x46\xac\x82\x5e" {
		t.Errorf("the header of version 1 has checksum % x, another than it had", got)
	}
	unknown := CertStatus{Moment{1, 2}, Good, NoTime, -1}
	hidden := map[int]CertStatus{1: unknown, 2: unknown, 3: goldenHidden}
	for version, file := range map[int][]byte{1: first, 2: []byte(goldenOfVersion2), 3: []byte(golden)} {
		s, err := OpenBytes(file)
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if err := verify(s); err != nil {
			t.Errorf("version %d: %v", version, err)
		}
		for _, der := range goldenResponses() {
			checkHolds(t, s, der)
		}
		buried := testID(SHA256, 0x22, 0x7f)
		if rec, found, err := s.Lookup(buried.Key(), &buried); !found || err != nil || !rec.Tombstone() || rec.ResponseSize() != 0 {
			t.Errorf("version %d: tombstone: found %v, %v", version, found, err)
		} else if got, ok := rec.CertStatus(&buried); got != hidden[version] || !ok {
			t.Errorf("version %d: tombstone hides %+v, want %+v", version, got, hidden[version])
		}
	}
}
