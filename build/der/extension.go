package der

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"lancre/index"
)

// maxExtensions bounds how many extensions one thing may have: those of RFC 5280 and
// RFC 6960 are two dozen.
const maxExtensions = 64

// Flaws are what is wrong with an Extensions that can be read all the same. Both are the
// content octets of an OID, and alias what was read.
type Flaws struct {
	Twice    []byte // of an extension that is there twice; nil if there is none
	Explicit []byte // of one whose critical says FALSE, the default, which DER leaves out; nil if there is none
}

// WalkExtensions reads the content of an Extensions (RFC 5280 section 4.1), calls visit
// for each element, up to the first that it fails for, and notes flaws. It is an error
// if there is no element, or an OID that is none: parsers refuse it.
func WalkExtensions(content []byte, flaws *Flaws, visit func(*index.Extension) error) error {
	if len(content) == 0 {
		return errors.New("empty Extensions, want at least one, or none of it")
	}
	in := cryptobyte.String(content)
	var seen [maxExtensions][]byte
	for n := 0; !in.Empty(); n++ {
		var x index.Extension
		if n == maxExtensions || !index.ReadExtension(&in, &x) {
			return fmt.Errorf("element %d of Extensions is not a DER Extension, or one too many", n+1)
		}
		if fault := OIDFault(x.OID); fault != "" {
			return fmt.Errorf("the OID of element %d of Extensions, with the octets %q, %s", n+1, fmt.Sprintf("%x", x.OID), fault)
		}
		for _, other := range seen[:n] {
			if bytes.Equal(other, x.OID) {
				flaws.Twice = x.OID
			}
		}
		seen[n] = x.OID
		if x.Explicit {
			flaws.Explicit = x.OID
		}
		if err := visit(&x); err != nil {
			return err
		}
	}
	return nil
}

// OIDFault says what is wrong with the content octets of an OBJECT IDENTIFIER (X.690
// section 8.19), "" if nothing is.
func OIDFault(oid []byte) string {
	if len(oid) == 0 {
		return "is empty"
	}
	begins := true // an arc, whose last octet alone is less than 0x80
	for _, c := range oid {
		if begins && c == 0x80 {
			return "has an arc that begins with 80, a zero that DER leaves out"
		}
		begins = c < 0x80
	}
	if !begins {
		return "ends in the middle of an arc"
	}
	return ""
}
