package server

import (
	"bytes"

	"lancre/index/store"
)

// maxTarget is the longest request target, in octets: 4 KiB of base64, enough
// for 16 CertIDs under any algorithm, and room for a prefix and for the scheme
// and authority that a proxy may write. RFC 9919 section 6 has clients keep to 255.
const maxTarget = 5 << 10

// What an octet means in the base64 of a target, for those that stand for no
// six bits.
const (
	sextetSkip = 64 + iota // line breaks and tabs that some encoders leave in
	sextetPad
	sextetBad
)

// sextets maps an octet to the six bits it stands for in base64, in either
// alphabet (RFC 4648 sections 4 and 5), or to one of the constants above. A
// space is a plus that a form decoder has been at.
var sextets = makeSextets()

func makeSextets() (t [256]byte) {
	for i := range t {
		t[i] = sextetBad
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i, c := range []byte(alphabet) {
		t[c] = byte(i)
	}
	t['-'], t['_'], t[' '] = t['+'], t['/'], t['+']
	t['\r'], t['\n'], t['\t'] = sextetSkip, sextetSkip, sextetSkip
	t['='] = sextetPad
	return t
}

// unhex is the value of a hexadecimal digit of either case, or more than 15.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// decodeTarget appends to dst what target says in percent-encoded base64. The
// padding may be missing. It reports false if target is something else. One
// pass, and no allocation if dst has room for 3/4 of target.
func decodeTarget(dst, target []byte) ([]byte, bool) {
	var bits uint32 // of a group of four sextets
	var n, pad int  // sextets in bits; padding characters seen
	for i := 0; i < len(target); i++ {
		c := target[i]
		if c == '%' {
			if len(target)-i < 3 || unhex(target[i+1])|unhex(target[i+2]) > 15 {
				return dst, false
			}
			c = unhex(target[i+1])<<4 | unhex(target[i+2])
			i += 2
		}
		switch v := sextets[c]; {
		case v < 64 && pad == 0:
			bits = bits<<6 | uint32(v)
			if n++; n == 4 {
				dst = append(dst, byte(bits>>16), byte(bits>>8), byte(bits))
				bits, n = 0, 0
			}
		case v == sextetSkip:
		case v == sextetPad:
			pad++
		default:
			return dst, false
		}
	}
	switch n {
	case 2:
		dst = append(dst, byte(bits>>4))
	case 3:
		dst = append(dst, byte(bits>>10), byte(bits>>2))
	}
	return dst, n != 1 && pad <= 2
}

// get answers GET and HEAD.
func (x *exchange) get() outcome {
	if len(x.ctx.Request.Header.RequestURI()) > maxTarget {
		return x.refuse(targetTooLong)
	}
	if x.gen == nil {
		return x.refuse(unavailable)
	}
	// Not Path(), which percent-decodes and collapses "//": both are base64 here.
	path := x.ctx.URI().PathOriginal()
	file, fileHost := x.gen.files.find(x.ctx.URI().Host(), path)
	if f := x.queried(path); f != nil {
		file = f
	}
	if file != nil {
		return x.serveFile(file)
	}
	target, ok := x.srv.cfg.cutPrefix(path)
	// A slash in front is never base64: a request begins 0x30, so with an M. It
	// comes from an AIA URL that ends in one.
	target = bytes.TrimLeft(target, "/")
	ok = ok && !reserved(target)
	if ok && len(target) > 0 && x.read(target) {
		return x.answer()
	}
	if o, found := x.page(path); found {
		return o
	}
	switch {
	case ok && len(target) == 0:
		return x.refuse(landing) // what load balancers probe
	case fileHost:
		return x.refuse(noSuchFile)
	case !ok:
		return x.refuse(notFound)
	}
	return x.malformed()
}

// queried returns the file that is published for path with just the query of the
// request: the one whose name has the question mark, as search.cgi?iHash=x. Without
// one a query says nothing.
func (x *exchange) queried(path []byte) *file {
	query := x.ctx.URI().QueryString()
	if len(query) == 0 {
		return nil
	}
	f, _ := x.gen.files.find(x.ctx.URI().Host(), store.AppendQueriedPath(x.alt[:0], path, query))
	return f
}

// reserved reports whether target is a path that browsers and crawlers ask any
// host for.
func reserved(target []byte) bool {
	return string(target) == "robots.txt" || string(target) == "favicon.ico" ||
		bytes.HasPrefix(target, []byte(".well-known/"))
}

// read reads the request in target, mended if need be, into x.req. The defect it
// leaves there is that of target as it came.
func (x *exchange) read(target []byte) bool {
	if x.decode(target) {
		return true
	}
	first := x.req.defect
	mended := x.salvage(target)
	if !mended {
		x.req.defect = first
	}
	return mended
}

// decode reads the request in target into x.req.
func (x *exchange) decode(target []byte) bool {
	der, ok := decodeTarget(x.der[:0], target)
	if !ok {
		x.req.defect = defectBase64
		return false
	}
	return x.req.Parse(der)
}
