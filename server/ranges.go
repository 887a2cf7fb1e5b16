package server

import (
	"bytes"
	"net/http"
	"strconv"
)

// selectRange returns what of f's body the request asks for, and makes the
// answer a 206 or 416 where that is not all of it (RFC 9110 section 14). Several
// ranges at once, or a Range that cannot be read, are answered with all of it.
func (x *exchange) selectRange(f *file) ([]byte, outcome) {
	h := &x.ctx.Request.Header
	spec := h.PeekCanonical(headerRange)
	if len(spec) == 0 || !h.IsGet() { // section 14.2: of GET only
		return f.Body, fileServed
	}
	// A date or a weak tag does not make sure that the parts fit together.
	if cond := h.PeekCanonical(headerIfRange); len(cond) > 0 && !bytes.Equal(cond, f.etag) {
		return f.Body, fileServed
	}
	from, to, ok := parseRange(spec, int64(len(f.Body)))
	switch {
	case !ok:
		return f.Body, fileServed
	case from >= to:
		x.refuse(fileBadRange)
		x.ctx.Response.Header.SetCanonical(headerContentRange, strconv.AppendInt(append(x.buf[:0], "bytes */"...), int64(len(f.Body)), 10))
		return nil, fileBadRange
	}
	x.ctx.SetStatusCode(http.StatusPartialContent)
	b := strconv.AppendInt(append(x.buf[:0], "bytes "...), from, 10)
	b = strconv.AppendInt(append(b, '-'), to-1, 10)
	x.ctx.Response.Header.SetCanonical(headerContentRange, strconv.AppendInt(append(b, '/'), int64(len(f.Body)), 10))
	return f.Body[from:to], filePart
}

// parseRange reads the one range of a Range header over size octets as the half
// open interval [from, to), which is empty if the range cannot be satisfied.
func parseRange(spec []byte, size int64) (from, to int64, ok bool) {
	set, isBytes := bytes.CutPrefix(spec, []byte("bytes="))
	first, last, one := bytes.Cut(set, []byte("-"))
	if !isBytes || !one {
		return 0, 0, false
	}
	if len(first) == 0 { // the last n octets
		n, ok := parseDecimal(last)
		return max(0, size-n), size, ok
	}
	if from, ok = parseDecimal(first); !ok {
		return 0, 0, false
	}
	if len(last) == 0 {
		return from, size, true
	}
	to, ok = parseDecimal(last)
	return from, min(to, size-1) + 1, ok && from <= to
}

// parseDecimal reads digits and nothing else. More than 18 would overflow, and
// are no part of any file.
func parseDecimal(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}
