package server

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// maxHeaders is how many header lines a request may have. Clients send about
// ten, proxies add some.
const maxHeaders = 100

// wellFramed reports whether the header lines of h leave no doubt about where the
// request ends. fasthttp accepts what RFC 9112 lets a lenient recipient accept,
// lines that end in a bare LF (section 2.2), folded lines (section 5.2), and
// Content-Length beside Transfer-Encoding (section 6.3); what a proxy in front
// made of them may differ.
func wellFramed(h *fasthttp.RequestHeader) bool {
	if !wellFormed(h.RawHeaders()) {
		return false
	}
	// With both, fasthttp takes the connection for closed after this request.
	return !h.ConnectionClose() ||
		!hasLine(h.RawHeaders(), "content-length") || !hasLine(h.RawHeaders(), "transfer-encoding")
}

// wellFormed reports whether lines are few enough, end in CRLF and are not folded.
func wellFormed(lines []byte) bool {
	for n := 0; len(lines) > 0; n++ {
		end := bytes.IndexByte(lines, '\n')
		if end < 1 || lines[end-1] != '\r' || n > maxHeaders {
			return false
		}
		if lines[0] == ' ' || lines[0] == '\t' {
			return false
		}
		lines = lines[end+1:]
	}
	return true
}

// checkTrailer reports whether the trailer that h has is well formed, and whether it was
// there to be looked at: in tail, the end of what came last on the connection. fasthttp
// does not keep its lines.
func checkTrailer(h *fasthttp.RequestHeader, tail []byte) (ok, seen bool) {
	if len(h.PeekTrailerKeys()) > maxHeaders {
		return false, true
	}
	last := bytes.LastIndex(tail, []byte("\r\n0")) // the chunk that is the last
	if last < 0 {
		return true, false
	}
	_, trailer, _ := bytes.Cut(tail[last+len("\r\n"):], []byte("\r\n"))
	for line := range bytes.Lines(trailer) {
		name, _, field := bytes.Cut(line, []byte(":"))
		if field && bytes.ContainsAny(name, " \t") {
			return false, true
		}
	}
	end := bytes.Index(trailer, []byte("\r\n\r\n"))
	return wellFormed(trailer), end == len(trailer)-len("\r\n\r\n")
}

// hasLine reports whether raw has a header line of that name.
func hasLine(raw []byte, name string) bool {
	for len(raw) > 0 {
		if len(raw) > len(name) && raw[len(name)] == ':' && bytes.EqualFold(raw[:len(name)], []byte(name)) {
			return true
		}
		_, raw, _ = bytes.Cut(raw, []byte("\n"))
	}
	return false
}
