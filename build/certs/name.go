package certs

import (
	"bytes"
	"cmp"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
)

// SameName reports whether two DER names are one name, in whatever encoding (RFC 5280
// section 7.1): the kind of string does not matter, nor do case and white space in it.
func SameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, y := plainName(a), plainName(b)
	return x != nil && slices.EqualFunc(x, y, slices.Equal)
}

// plainName is a DER name in the form in which encodings do not differ: attributes by
// RDN, sorted, as a DER SET is by the octets of its elements. It is nil if der is no name.
func plainName(der []byte) (plain [][]string) {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return nil
	}
	for _, rdn := range name {
		var attributes []string
		for _, a := range rdn {
			value := strings.Join(strings.Fields(fmt.Sprint(a.Value)), " ")
			attributes = append(attributes, a.Type.String()+"="+strings.ToLower(value))
		}
		slices.SortFunc(attributes, cmp.Compare[string])
		plain = append(plain, attributes)
	}
	return plain
}
