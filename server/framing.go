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
// made of them may differ. The lines of a trailer are not there to be looked at, so a
// request must have none: no client has been seen to send one.
func wellFramed(h *fasthttp.RequestHeader) bool {
	rest := h.RawHeaders()
	if len(h.PeekTrailerKeys()) > 0 {
		return false
	}
	for n := 0; len(rest) > 0; n++ {
		end := bytes.IndexByte(rest, '\n')
		if end < 1 || rest[end-1] != '\r' || n > maxHeaders {
			return false
		}
		if rest[0] == ' ' || rest[0] == '\t' {
			return false
		}
		rest = rest[end+1:]
	}
	// With both, fasthttp takes the connection for closed after this request.
	return !h.ConnectionClose() ||
		!hasLine(h.RawHeaders(), "content-length") || !hasLine(h.RawHeaders(), "transfer-encoding")
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
