package server

import "bytes"

// maxSlashes bounds the work on a target that lost a slash or got some more. One base64 character
// in 64 is a slash, so a request for one certificate, some 100 characters, has
// one or two.
const maxSlashes = 8

// salvage reads the request in a target that is no request as it stands, but was
// one before a client or a proxy changed it. It reports whether x.req holds it.
func (x *exchange) salvage(target []byte) bool {
	if bytes.Contains(target, []byte("%25")) { // encoded twice
		target = unescape(x.alt[:0], target)
		if x.decode(target) {
			return true
		}
	}
	trimmed := target
	for range maxSlashes { // one by one, for the base64 itself may end in some
		if !bytes.HasSuffix(trimmed, []byte("/")) {
			break
		}
		if trimmed = trimmed[:len(trimmed)-1]; x.decode(trimmed) {
			return true
		}
	}
	return x.readBelow(target) || x.restoreSlashes(target, "/") || x.restoreSlashes(target, "//")
}

// readBelow reads the request behind a path that --prefix does not name, for a POST
// to that path is answered, too.
func (x *exchange) readBelow(target []byte) bool {
	for range maxSlashes {
		_, rest, ok := bytes.Cut(target, []byte("/"))
		if !ok {
			return false
		}
		if target = rest; x.decode(target) {
			return true
		}
	}
	return false
}

// restoreSlashes undoes the merging of "//" or "///" into "/", which proxies do to
// paths. Where the lost ones were cannot be seen, so each place is tried; what comes
// out counts only if the store knows the certificate.
func (x *exchange) restoreSlashes(target []byte, lost string) bool {
	if bytes.Count(target, []byte("/")) > maxSlashes || len(target)+len(lost) > maxTarget {
		return false
	}
	for i, c := range target {
		if c != '/' {
			continue
		}
		whole := append(append(append(x.restored[:0], target[:i]...), lost...), target[i:]...)
		if x.decode(whole) && x.known() {
			return true
		}
	}
	return false
}

// known reports whether the store has a record for a certificate of x.req.
func (x *exchange) known() bool {
	for i := range x.req.CertIDs() {
		if _, _, found, _ := x.find(&x.req.ids[i]); found {
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
