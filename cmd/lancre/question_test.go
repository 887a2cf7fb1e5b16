package main

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

func TestParseSerial(t *testing.T) {
	for _, tt := range []struct{ in, want string }{ // want is the content octets in hex; "" an error
		{"01", "01"},
		{"1", "01"},
		{"0", "00"},
		{"7f", "7f"},
		{"80", "0080"},
		{"0080", "0080"},
		{"0000007F", "7f"},
		{"0xAbC", "0abc"},
		{"03:F1:c2", "03f1c2"},
		{strings.Repeat("f", 40), "00" + strings.Repeat("f", 40)},
		{"", ""},
		{"0x", ""},
		{":", ""},
		{"-1", ""},
		{"12 34", ""},
		{"serial=01", ""},
	} {
		got, err := parseSerial(tt.in)
		if fmt.Sprintf("%x", got) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: %x, error %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

// The content octets must be those that encoding/asn1 gives the same number.
func FuzzParseSerial(f *testing.F) {
	for _, s := range []string{"01", "0", "0x80", "03:F1:c2", "0000", "-1", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseSerial(s)
		if err != nil {
			return
		}
		digits := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(s), "0x"), ":", "")
		n, ok := new(big.Int).SetString(digits, 16)
		if !ok || n.Sign() < 0 {
			t.Fatalf("%q is no positive number, but gave %x", s, got)
		}
		der, err := asn1.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var want asn1.RawValue
		if _, err := asn1.Unmarshal(der, &want); err != nil || !bytes.Equal(got, want.Bytes) {
			t.Errorf("%q: %x, want %x", s, got, want.Bytes)
		}
	})
}
