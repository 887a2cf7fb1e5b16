// Package der has what several readers of DER need beside cryptobyte.
package der

import (
	"encoding/hex"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// Tags of EXPLICIT and of constructed IMPLICIT elements.
const (
	Tag0 = asn1.Tag(0 | 0x80 | 0x20) // [0]
	Tag1 = asn1.Tag(1 | 0x80 | 0x20) // [1]
)

// MustHex is for tables of octets, whose digits are there for the reader to compare.
func MustHex(digits string) string {
	octets, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return string(octets)
}
