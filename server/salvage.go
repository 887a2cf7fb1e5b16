package server

import "bytes"

const (
	// maxSlashes bounds the work on a target that lost slashes or got some more. One
	// base64 character in 64 is a slash, so a request for one certificate, some 100
	// characters, has one or two.
	maxSlashes = 8

	// maxTries bounds how often one target is decoded, to some 100 µs: twice what a
	// request with maxSlashes takes that lost two of them.
	maxTries = 2 * maxSlashes * (maxSlashes + 1) / 2

	// maxTwice is the longest target, in octets, of which two slashes are looked for at
	// different places: longer ones should come by POST (RFC 9919 section 6).
	maxTwice = 255
)

// salvage reads the request in a target that is no request as it stands, but was
// one before a client or a proxy changed it. It reports whether x.req holds it.
func (x *exchange) salvage(target []byte) bool {
	x.tries = maxTries
	if bytes.Contains(target, []byte("%25")) { // encoded twice
		target = unescape(x.alt[:0], target)
		if x.try(target) {
			return true
		}
	}
	trimmed := target
	for range maxSlashes { // one by one, for the base64 itself may end in some
		if !bytes.HasSuffix(trimmed, []byte("/")) {
			break
		}
		if trimmed = trimmed[:len(trimmed)-1]; x.try(trimmed) {
			return true
		}
	}
	return x.restoreSlashes(target) || x.readBelow(target)
}

// try is decode, for as long as there are tries left.
func (x *exchange) try(target []byte) bool {
	if x.tries == 0 {
		return false
	}
	x.tries--
	return x.decode(target)
}

// readBelow reads the request behind a path that --prefix does not name, for a POST
// to that path is answered, too. A request begins with an M, or with its escape.
func (x *exchange) readBelow(target []byte) bool {
	for x.tries > 0 {
		_, rest, ok := bytes.Cut(target, []byte("/"))
		if !ok {
			return false
		}
		target = rest
		begins := len(target) > 0 && (target[0] == 'M' || target[0] == '%')
		if begins && (x.try(target) || x.restoreSlashes(target)) {
			return true
		}
	}
	return false
}

// restoreSlashes undoes the merging of slashes into one, which proxies do to paths:
// of "//" once or twice, or of "///". Where the lost ones were cannot be seen, so each
// place is tried; what comes out counts only if the store knows the certificate.
func (x *exchange) restoreSlashes(target []byte) bool {
	if bytes.Count(target, []byte("/")) > maxSlashes || len(target)+2 > maxTarget {
		return false
	}
	for i, c := range target {
		if c == '/' && x.tryWith(target, i, len(target)) {
			return true
		}
	}
	if len(target) > maxTwice {
		return false
	}
	for i, c := range target {
		for j := i; c == '/' && j < len(target); j++ {
			if target[j] == '/' && x.tryWith(target, i, j) {
				return true
			}
		}
	}
	return false
}

// tryWith tries target with a slash more at i and, unless that is its end, at j, and
// reports whether that is a request about a certificate that the store knows.
func (x *exchange) tryWith(target []byte, i, j int) bool {
	if x.tries == 0 {
		return false
	}
	whole := append(append(append(x.restored[:0], target[:i]...), '/'), target[i:j]...)
	if j < len(target) {
		whole = append(append(whole, '/'), target[j:]...)
	}
	return x.try(whole) && x.known()
}

// known reports whether the store has a record for a certificate of x.req.
func (x *exchange) known() bool {
	for i := range x.req.CertIDs() {
		if _, found, _ := x.find(&x.req.ids[i]); found {
			return true
		}
	}
	return false
}

// unescape appends target to dst with every valid percent-encoding decoded once.
func unescape(dst, target []byte) []byte {
	for i := 0; i < len(target); i++ {
		c := target[i]
		if c == '%' && len(target)-i >= 3 && unhex(target[i+1])|unhex(target[i+2]) <= 15 {
			c = unhex(target[i+1])<<4 | unhex(target[i+2])
			i += 2
		}
		dst = append(dst, c)
	}
	return dst
}
