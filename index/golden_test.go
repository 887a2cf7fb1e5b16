package index

import (
	"bytes"
	"fmt"
	"os"
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

// golden is the segment of goldenResponses and a tombstone, as the package
// comment describes it.
var golden = "" +
	// Header
	"\x89\x4c\x4e\x43\x52\x0d\x0a\x1a" + // magic
	"\x01\x00\x00\x00" + // version
	"\x02\x00\x00\x00" + // longest probe
	"\xa9\x03\x00\x00\x00\x00\x00\x00" + // size of the file
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
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\xc8\x00\x00\x00\x00\x00\x00\x00\x47\x01\x00\x00\x00\x00\x00\x00" + // records: offset, size
	"\xd3\x01\x10\x97\x6b\x66\xe7\xae" + // xxhash64
	"\x10\x02\x00\x00\x00\x00\x00\x00\x38\x00\x00\x00\x00\x00\x00\x00" + // slots: offset, size
	"\xe8\x64\xd2\xd9\xce\xe3\x72\x23" + // xxhash64
	"\x48\x02\x00\x00\x00\x00\x00\x00\x6a\x00\x00\x00\x00\x00\x00\x00" + // issuers: offset, size
	"\xfe\x2e\x87\xfd\x1f\x52\x29\x54" + // xxhash64
	"\xb2\x02\x00\x00\x00\x00\x00\x00\xf7\x00\x00\x00\x00\x00\x00\x00" + // shapes: offset, size
	"\xbe\x2e\xc2\x10\x38\x31\x83\x0c" + // xxhash64
	"\xef\x52\x16\x64\x46\xac\x82\x5e" + // header xxhash64

	// Records: the first of a shape is stored whole.
	"\xb1\xf4\xcf\x70" + // CRC-32C
	"\x00\x00\x00\x00" + // shape, status, tombstone
	"\x60\xd5\xe6\x6a" + // thisUpdate
	"\x60\x1b\xec\x6a" + // nextUpdate
	"\x04\xd7\xe6\x6a" + // producedAt
	"\x9f\xe2\x7e\xc9\x82\xac\x7d\x36" + // ETag
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
	"\xca\x26\xd9\xdd" + // CRC-32C
	"\x01\x00\x00\x00" + // shape, status, tombstone
	"\x60\xd5\xe6\x6a" + // thisUpdate
	"\x60\x1b\xec\x6a" + // nextUpdate
	"\x05\xd7\xe6\x6a" + // producedAt
	"\xfe\x0c\x00\x34\xfc\x0a\x59\xc2" + // ETag
	"\x5e\x01\xa1\xa1\xa1\xa1\xa1\xa1" + // payload
	"\x2b\x97\xcc\x1a" + // CRC-32C
	"\x01\x00\x00\x00" + // shape, status, tombstone
	"\x60\xd5\xe6\x6a" + // thisUpdate
	"\x60\x1b\xec\x6a" + // nextUpdate
	"\x06\xd7\xe6\x6a" + // producedAt
	"\xca\xa4\xca\x05\xd3\x81\xf6\x38" + // ETag
	"\x5e\x02\xa2\xa2\xa2\xa2\xa2\xa2" + // payload

	// A tombstone: serial 7F under SHA-256.
	"\x95\x81\x46\x77" + // CRC-32C
	"\x02\x00\x00\x04" + // shape, status, tombstone
	"\x01\x00\x00\x00" + // thisUpdate
	"\x00\x00\x00\x00" + // nextUpdate
	"\x02\x00\x00\x00" + // producedAt
	"\x00\x00\x00\x00\x00\x00\x00\x00" + // ETag
	"\x7f" + // payload

	// Slots
	"\x00" + // padding
	"\x00\x00\x00\x00\x00\x00\x00\x00" + // slot
	"\xc8\x00\x00\x00\x00\x72\x5b\x25" + // slot
	"\x00\x00\x00\x00\x00\x00\x00\x00" + // slot
	"\xce\x01\x00\x00\x00\x99\xfe\x26" + // slot
	"\xaa\x01\x00\x00\x00\x7c\xb1\x8e" + // slot
	"\xf2\x01\x00\x00\x00\x7b\x6b\xa0" + // slot
	"\x00\x00\x00\x00\x00\x00\x00\x00" + // slot

	// Issuers
	"\x01" + // alg
	name1 + // name
	key1 + // key
	"\x02" + // alg
	name2 + // name
	key2 + // key

	// Shapes: of responses stored whole,
	"\x1c\x00\x00\x00" + // size
	"\x00\x00\x00\x00" + // response
	"\x06\x00" + // payload
	"\x01\x01" + // CertIDs, holes
	"\x00\x00\x00\x00\x00\x00\x02\x00" + // issuer, offset, length
	"\x00\x00\x06\x00\x00\x00\x00\x00" + // literal, kind, offset, length

	// of the good answers,
	"\xc7\x00\x00\x00" + // size
	"\xc0\x00\x00\x00" + // response
	"\x08\x00" + // payload
	"\x01\x05" + // CertIDs, holes
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
	"\x14\x00\x00\x00" + // size
	"\x00\x00\x00\x00" + // response
	"\x01\x00" + // payload
	"\x01\x00" + // CertIDs, holes
	"\x01\x00\x00\x00\x00\x00\x01\x00" // issuer, offset, length

// The octets of a segment do not change from release to release.
func TestGoldenSegment(t *testing.T) {
	w, err := NewWriter(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, der := range goldenResponses() {
		add(t, w, der)
	}
	var e Entry
	buried := testID(SHA256, 0x22, 0x7f)
	if err := e.SetTombstone(&buried, 1, 2); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(&e); err != nil {
		t.Fatal(err)
	}
	path, _, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(got) || i < len(golden); i += 16 {
		row := func(b string) string { return b[min(i, len(b)):min(i+16, len(b))] }
		if g, w := row(string(got)), row(golden); g != w {
			t.Errorf("octets %d to %d:\n got % x\nwant % x", i, i+15, g, w)
		}
	}
}

// Segments of earlier releases are read.
func TestGoldenSegmentIsRead(t *testing.T) {
	s, err := OpenBytes([]byte(golden))
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(s); err != nil {
		t.Error(err)
	}
	for _, der := range goldenResponses() {
		checkHolds(t, s, der)
	}
	buried := testID(SHA256, 0x22, 0x7f)
	if rec, found, err := s.Lookup(buried.Key(), &buried); !found || err != nil || !rec.Tombstone() || rec.ResponseSize() != 0 {
		t.Errorf("tombstone: found %v, %v", found, err)
	}
}
