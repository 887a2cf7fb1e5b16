package index

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestDecodeShapesFindsTails(t *testing.T) {
	with := func(tail string, tailOf uint32) shape {
		return shape{
			ids: []shapeID{{size: 1}}, holes: []hole{{kind: holePayload, size: 1}}, payload: 1,
			size: 1 + len(tail), tail: []byte(tail), tailOf: tailOf,
		}
	}
	for _, c := range []struct {
		name   string
		shapes []shape
		ok     bool
	}{
		{"own", []shape{with("one", 0), with("two", 1)}, true},
		{"of an earlier one", []shape{with("one", 0), with("two", 1), with("one", 0), with("two", 1)}, true},
		{"of a later one", []shape{with("one", 1), with("one", 1)}, false},
		{"of none", []shape{with("one", 9)}, false},
		{"of one that has it from another", []shape{with("one", 0), with("one", 0), with("one", 1)}, false},
		{"of another length", []shape{with("one", 0), with("three", 0)}, false},
	} {
		var b []byte
		for i := range c.shapes {
			b = c.shapes[i].append(b, uint32(i))
		}
		got, err := decodeShapes(b, &header{version: version, numShapes: uint32(len(c.shapes))}, 1)
		if (err == nil) != c.ok {
			t.Errorf("tail %s: error %v, want one: %t", c.name, err, !c.ok)
		}
		for i := range got {
			if !slices.Equal(got[i].tail, c.shapes[i].tail) {
				t.Errorf("tail %s: shape %d has %q, want %q", c.name, i, got[i].tail, c.shapes[i].tail)
			}
		}
	}
}

// aShape has a hole of each kind but rest, and everything at the end of where it may be.
func aShape() shape {
	return shape{
		ids: []shapeID{{issuer: 1, offset: 4, size: 2}},
		holes: []hole{
			{literal: 3, kind: holePayload, offset: 4, size: 2}, {kind: holeTime, offset: 2},
			{kind: holeThisUpdate}, {literal: 4, kind: holeNextUpdate}, {kind: holeProducedAt},
		},
		literal: []byte("literal"), tail: []byte("tail"), payload: 6, size: 7 + 2 + 4*timeSize + 4,
	}
}

// aWhole is the shape of responses stored whole, with a tail.
func aWhole() shape {
	return shape{
		ids: []shapeID{{size: 2}}, holes: []hole{{kind: holeRest}},
		tail: []byte("tail"), payload: 4, size: 4, whole: true,
	}
}

// What a record of a shape needs is inside its payload and adds up, or the segment
// does not open: each number at its limit, and one beyond.
func TestShapeIsValid(t *testing.T) {
	for _, c := range []struct {
		name   string
		shape  shape
		change func(s *shape)
		want   bool
	}{
		{"as it is", aShape(), func(s *shape) {}, true},
		{"no CertID", aShape(), func(s *shape) { s.ids = nil }, false},
		{"16 CertIDs", aShape(), func(s *shape) { s.ids = slices.Repeat(s.ids, MaxCertIDs) }, true},
		{"17 CertIDs", aShape(), func(s *shape) { s.ids = slices.Repeat(s.ids, MaxCertIDs+1) }, false},
		{"an issuer that there is not", aShape(), func(s *shape) { s.ids[0].issuer = 2 }, false},
		{"no serial", aShape(), func(s *shape) { s.ids[0].size = 0 }, false},
		{"serial beyond the payload", aShape(), func(s *shape) { s.ids[0].offset++ }, false},
		{"longest serial", aShape(), func(s *shape) { s.ids[0], s.payload = shapeID{0, 0, MaxSerial}, MaxSerial }, true},
		{"longer serial", aShape(), func(s *shape) { s.ids[0], s.payload = shapeID{0, 0, MaxSerial + 1}, MaxSerial+1 }, false},
		{"a response longer than its parts", aShape(), func(s *shape) { s.size++ }, false},
		{"a response shorter than its parts", aShape(), func(s *shape) { s.size-- }, false},
		{"longest response", aShape(), func(s *shape) { s.tail, s.size = make([]byte, MaxResponse-69), MaxResponse }, true},
		{"longer response", aShape(), func(s *shape) { s.tail, s.size = make([]byte, MaxResponse-68), MaxResponse+1 }, false},

		{"nothing of the payload", aShape(), func(s *shape) { s.holes[0].size, s.size = 0, s.size-2 }, false},
		{"payload beyond the payload", aShape(), func(s *shape) { s.holes[0].offset++ }, false},
		{"time beyond the payload", aShape(), func(s *shape) { s.holes[1].offset++ }, false},
		{"time with a size", aShape(), func(s *shape) { s.holes[1].size++ }, false},
		{"thisUpdate with an offset", aShape(), func(s *shape) { s.holes[2].offset++ }, false},
		{"nextUpdate with a size", aShape(), func(s *shape) { s.holes[3].size++ }, false},
		{"producedAt with an offset", aShape(), func(s *shape) { s.holes[4].offset++ }, false},
		{"kind 0", aShape(), func(s *shape) { s.holes[2].kind = 0 }, false},
		{"kind 7", aShape(), func(s *shape) { s.holes[2].kind = holeRest + 1 }, false},

		{"whole", aWhole(), func(s *shape) {}, true},
		{"whole, without room for its length", aWhole(), func(s *shape) { s.payload-- }, false},
		{"whole, with an offset", aWhole(), func(s *shape) { s.holes[0].offset++ }, false},
		{"whole, with a size", aWhole(), func(s *shape) { s.holes[0].size++ }, false},
		{"whole twice", aWhole(), func(s *shape) { s.holes = slices.Repeat(s.holes, 2) }, false},
		{"whole, and another hole", aWhole(), func(s *shape) { s.holes = append(s.holes, hole{kind: holeThisUpdate}); s.size += timeSize }, false},
		{"whole, and literal octets", aWhole(), func(s *shape) { s.literal = []byte("x"); s.size++ }, false},

		{"tombstone", shape{ids: []shapeID{{size: 2}}, payload: 2}, func(s *shape) {}, true},
	} {
		c.change(&c.shape)
		if got := c.shape.valid(2); got != c.want {
			t.Errorf("%s: valid is %t, want %t", c.name, got, c.want)
		}
	}
}

// Shapes are read as they were written, and a section of them that was cut anywhere, or
// one of which a shape has another size, is refused.
func TestDecodeShapes(t *testing.T) {
	one, two := aShape(), aWhole()
	two.tailOf = 1
	b := one.append(nil, 0)
	end := len(b)
	b = two.append(b, 1)
	decode := func(b []byte, n uint32) ([]shape, error) {
		return decodeShapes(b, &header{version: version, numShapes: n}, 2)
	}
	got, err := decode(b, 2)
	if want := []shape{one, two}; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read %v, %v\nwant %v", got, err, want)
	}
	for n := range b {
		_, err := decode(b[:n], 2)
		if n == end { // the number in the header tells
			_, err = decode(b[:n], 1)
			if err != nil {
				t.Errorf("one shape: %v", err)
			}
			_, err = decode(b[:n], 2)
		}
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d of %d octets: %v", n, len(b), err)
		}
	}
	for size, want := range map[int]string{
		0: "its size does not fit", shapeHeadSize - 1: "its size does not fit", shapeHeadSize: "its parts contradict each other",
		end - 1: "its parts contradict each other", end + 1: "its parts contradict each other", len(b): "its parts contradict each other", len(b) + 1: "its size does not fit",
	} {
		bad := bytes.Clone(b)
		le.PutUint32(bad, uint32(size))
		if _, err := decode(bad, 2); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("the first of %d octets says that it has %d: %v, want %q", end, size, err, want)
		}
	}
	noID := shape{}
	if _, err := decode(noID.append(nil, 0), 1); err == nil || !strings.Contains(err.Error(), "contradict") {
		t.Errorf("a shape of a head alone: %v", err)
	}
}

// Cut into shape and payload, every form of response comes back.
func TestCutComesBack(t *testing.T) {
	all := forms(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		der := all[name]
		var e Entry
		if err := e.Set(parse(t, der)); err != nil {
			t.Fatal(err)
		}
		record := e.appendRecord(nil, 0)
		if got := e.shape.appendResponse(nil, record[:recordHeadSize], record[recordHeadSize:]); !bytes.Equal(got, der) {
			t.Errorf("%s:\n got %x\nwant %x", name, got, der)
		}
		if whole := len(der) > maxShaped; e.shape.whole != whole {
			t.Errorf("%s: %d octets are whole: %t", name, len(der), e.shape.whole)
		}
	}
}

// Responses that differ in serials, times and signatures only have one shape, and
// its payload is what differs, each thing once.
func TestWhatDiffersIsThePayload(t *testing.T) {
	const ed25519, time = 64, 4
	single := func(status Status, ids ...CertID) *draft {
		d := simple(ids[0])
		d.singles[0].status, d.singles[0].revoked = status, "20260910111213Z"
		for _, id := range ids[1:] {
			d.singles = append(d.singles, d.singles[0])
			d.singles[len(d.singles)-1].id = id
		}
		return d
	}
	reason := single(Revoked, testID(SHA1, 1, 1, 1))
	reason.singles[0].reason = 1
	embedded := single(Good, testID(SHA1, 1, 1, 1))
	embedded.certs, embedded.extensions = []byte{0x30, 0}, []byte{0x30, 0x06, 0x06, 0x01, 0x2a, 0x04, 0x01, 0x00}
	embedded.singles[0].extensions = embedded.extensions
	twoTimes := single(Good, testID(SHA1, 1, 1, 1), testID(SHA1, 1, 1, 2))
	twoTimes.singles[1].this, twoTimes.singles[0].next = "20261031060000Z", "20261106060000Z"
	open := single(Good, testID(SHA1, 1, 1, 1), testID(SHA1, 1, 1, 2))
	open.singles[0].next = ""
	ecdsa := single(Good, testID(SHA1, 1, 1, 1))
	ecdsa.signature = unhex(t, "3045"+"022100"+strings.Repeat("ab", 32)+"0220"+strings.Repeat("7b", 32))
	for _, c := range []struct {
		name    string
		draft   *draft
		payload int
	}{
		{"good", single(Good, testID(SHA1, 1, 1, 1)), 2 + ed25519},
		{"unknown", single(Unknown, testID(SHA1, 1, 1, 1)), 2 + ed25519},
		{"revoked", single(Revoked, testID(SHA1, 1, 1, 1)), 2 + time + ed25519},
		{"revoked with reason", reason, 2 + time + ed25519},
		{"extensions and certs", embedded, 2 + ed25519},
		{"two CertIDs of one serial", single(Good, testID(SHA1, 1, 1, 1), testID(SHA256, 1, 1, 1)), 2 + ed25519},
		{"two serials", single(Good, testID(SHA1, 1, 1, 1), testID(SHA1, 1, 1, 2)), 2 + 2 + ed25519},
		{"two times", twoTimes, 2 + 2 + time + time + ed25519},
		{"a nextUpdate is absent", open, 2 + 2 + ed25519},
		{"ECDSA", ecdsa, 2 + 32 + 32},
	} {
		var first, second Entry
		if err := first.Set(parse(t, c.draft.build())); err != nil {
			t.Fatal(err)
		}
		later(c.draft)
		if err := second.Set(parse(t, c.draft.build())); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(first.shape) != fmt.Sprint(second.shape) || first.sum != second.sum {
			t.Errorf("%s: the shapes are\n%+v\nand\n%+v", c.name, first.shape, second.shape)
		}
		if len(first.payload) != c.payload || bytes.Equal(first.payload, second.payload) {
			t.Errorf("%s: payload %x of %d octets, want %d", c.name, first.payload, len(first.payload), c.payload)
		}
	}
}

// later changes everything of d that its signer would change for another certificate
// an hour later.
func later(d *draft) {
	next := func(s *string) { *s = strings.Replace(*s, "0000Z", "5959Z", 1) }
	d.produced = "20261101230708Z"
	d.signature = bytes.ReplaceAll(bytes.ReplaceAll(d.signature, []byte{0xab}, []byte{0xac}), []byte{0x7b}, []byte{0x7c})
	for i := range d.singles {
		s := &d.singles[i]
		s.id.Serial = append([]byte{0x55}, s.id.Serial[1:]...)
		next(&s.this)
		next(&s.next)
		s.revoked = strings.Replace(s.revoked, "2026", "2025", 1)
	}
}

func TestSignatureParts(t *testing.T) {
	for _, c := range []struct {
		name, sig string
		want      [2]part
	}{
		{"none", "", [2]part{}},
		{"Ed25519", strings.Repeat("ab", 64), [2]part{{0, 64}}},
		{"two numbers", "3008" + "02027b7c" + "02027d7e", [2]part{{4, 2}, {8, 2}}},
		{"with sign octets", "3009" + "020200ab" + "020300cdef", [2]part{{5, 1}, {9, 2}}},
		{"zero, and one octet", "3006" + "020100" + "020101", [2]part{{4, 1}, {7, 1}}},
		{"one number", "3003" + "020101", [2]part{{0, 5}}},
		{"three numbers", "3009" + "020101" + "020101" + "020101", [2]part{{0, 11}}},
		{"something behind", "3006" + "020101" + "020101" + "00", [2]part{{0, 9}}},
		{"other types", "3006" + "040101" + "020101", [2]part{{0, 8}}},
		{"another type", "3006" + "020101" + "040101", [2]part{{0, 8}}},
	} {
		if got := signatureParts(unhex(t, c.sig)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// A tombstone's payload is a serial and a revocation, since version 3.
func TestDecodeShapesOfTombstones(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape shape
		want  [version + 1]bool // by version
	}{
		{"serial and revocation", shape{ids: []shapeID{{size: 2}}, payload: 7}, [...]bool{false, true, true, true}},
		{"serial alone", shape{ids: []shapeID{{size: 2}}, payload: 2}, [...]bool{false, true, true, false}},
		{"an octet too few", shape{ids: []shapeID{{size: 2}}, payload: 6}, [...]bool{false, true, true, false}},
		{"an octet too many", shape{ids: []shapeID{{size: 2}}, payload: 8}, [...]bool{false, true, true, false}},
		{"another place", shape{ids: []shapeID{{size: 2, offset: 5}}, payload: 7}, [...]bool{false, true, true, false}},
		{"two CertIDs", shape{ids: []shapeID{{size: 2}, {size: 2}}, payload: 7}, [...]bool{false, true, true, false}},
	} {
		for version := uint32(1); version < uint32(len(c.want)); version++ {
			b := c.shape.append(nil, 0)
			if version == 1 { // which has no tails
				le.PutUint32(b, uint32(len(b)-4))
				b = slices.Delete(b, firstHeadSize, shapeHeadSize)
			}
			if _, err := decodeShapes(b, &header{version: version, numShapes: 1}, 1); (err == nil) != c.want[version] {
				t.Errorf("%s in version %d: %v", c.name, version, err)
			}
		}
	}
}
