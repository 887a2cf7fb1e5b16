package der

import (
	"bytes"
	"encoding/asn1"
	"strings"
	"testing"
)

// An OID is one where encoding/asn1 reads it, or has an arc that it finds too large.
func TestOIDFault(t *testing.T) {
	for _, arcs := range []string{"", "\x2a", "\x2a\x03", "\x80", "\x2a\x80", "\x2a\x80\x01", "\x80\x01", "\x2a\x81\x00", "\x2a\xff\xff\x7f", "\x2a\x03\x81"} {
		var oid asn1.ObjectIdentifier
		_, err := asn1.Unmarshal(append([]byte{6, byte(len(arcs))}, arcs...), &oid)
		if fault := OIDFault([]byte(arcs)); (fault == "") != (err == nil) {
			t.Errorf("%x: %q, encoding/asn1: %v", arcs, fault, err)
		}
	}
	if fault := OIDFault([]byte("\x69" + strings.Repeat("\xff", 18) + "\x7f")); fault != "" { // of a UUID
		t.Error(fault)
	}
}

// What is nested too deep is refused before the stack ends.
func TestValuesAreNestedOnlySoDeep(t *testing.T) {
	nested := func(depth int) []byte {
		var value []byte
		for range depth {
			value = must(asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: value}))
		}
		return value
	}
	basicConstraints := []byte(MustHex("551d13"))
	for depth, want := range map[int]bool{1: true, maxDepth: true, maxDepth + 2: false, 1000: false} {
		if fault := ValueFault(basicConstraints, nested(depth)); (fault == "") != want {
			t.Errorf("%d deep: %q", depth, fault)
		}
	}
}

func TestReadAuthorityKey(t *testing.T) {
	for text, want := range map[string]AuthorityKey{
		"3000":                             {},
		"3003800101":                       {KeyID: []byte{1}},
		"3002" + "8000":                    {KeyID: []byte{}},
		"300a" + "a105a403300102" + "8201": {}, // cut
		"300c" + "800101" + "a104a4023000" + "820102": {KeyID: []byte{1}, Issuer: []byte{0xa4, 2, 0x30, 0}, Serial: []byte{2}},
		"3005" + "8001010500":                         {}, // more behind
		"3002" + "a100":                               {}, // no name
		"3004" + "82020001":                           {}, // not minimal
		"30030101ff":                                  {},
	} {
		a, ok := ReadAuthorityKey([]byte(MustHex(text)))
		if wanted := text == "3000" || want.KeyID != nil; ok != wanted {
			t.Errorf("%s: %v", text, ok)
		}
		if ok && (!bytes.Equal(a.KeyID, want.KeyID) || !bytes.Equal(a.Issuer, want.Issuer) || !bytes.Equal(a.Serial, want.Serial)) {
			t.Errorf("%s: %+v, want %+v", text, a, want)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
