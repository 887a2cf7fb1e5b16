package server

import (
	"bytes"

	"lancre/index/store"
)

// cutElement cuts the first element off an Accept or Accept-Language header, and its
// weight off that, in thousandths (RFC 9110 section 12.4.2): 1000 if it has none, 0 if
// the client wants it not at all, or it cannot be read. Parameters other than q are
// passed over.
func cutElement(list []byte) (value []byte, weight int, rest []byte) {
	element, rest, _ := bytes.Cut(list, []byte(","))
	value, parameters, _ := bytes.Cut(element, []byte(";"))
	return trimSpace(value), readWeight(parameters), rest
}

// readWeight finds the weight among the parameters of an element.
func readWeight(parameters []byte) int {
	for p := range bytes.SplitSeq(parameters, []byte(";")) {
		p = trimSpace(p)
		if len(p) >= 2 && p[0]|0x20 == 'q' && p[1] == '=' {
			return parseWeight(p[2:])
		}
	}
	return 1000
}

// parseWeight reads 0 to 1 with at most three decimals, in thousandths.
func parseWeight(b []byte) (weight int) {
	whole, decimals, _ := bytes.Cut(b, []byte("."))
	if len(whole) != 1 || len(decimals) > 3 {
		return 0
	}
	digits := [4]byte{whole[0], '0', '0', '0'}
	copy(digits[1:], decimals)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0
		}
		weight = 10*weight + int(c-'0')
	}
	if weight > 1000 {
		return 0
	}
	return weight
}

// trimSpace removes the optional white space of RFC 9110 section 5.6.3.
func trimSpace(b []byte) []byte { return bytes.Trim(b, " \t") }

// namesHTML reports whether an Accept header asks for text/html by that name, as
// browsers do. The ranges text/* and */* do not: software sends them.
func namesHTML(accepted []byte) bool {
	for len(accepted) > 0 {
		var value []byte
		var weight int
		value, weight, accepted = cutElement(accepted)
		if weight > 0 && bytes.EqualFold(value, []byte(store.TypeHTML)) {
			return true
		}
	}
	return false
}

// list is a header whose lines count as one list (RFC 9110 section 5.3).
func (x *exchange) list(header string) []byte {
	lines := x.ctx.Request.Header.PeekAll(header)
	if len(lines) == 1 {
		return lines[0]
	}
	return bytes.Join(lines, []byte(","))
}
