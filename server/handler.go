package server

import (
	"bytes"
	"runtime/debug"

	"github.com/valyala/fasthttp"

	"lancre/index"
)

// Header names in the form fasthttp keeps them in, and values.
var (
	headerAcceptRanges    = []byte("Accept-Ranges")
	headerAllow           = []byte("Allow")
	headerCacheControl    = []byte("Cache-Control")
	headerContentEncoding = []byte("Content-Encoding")
	headerContentLanguage = []byte("Content-Language")
	headerContentRange    = []byte("Content-Range")
	headerContentPolicy   = []byte("Content-Security-Policy")
	headerContentOptions  = []byte("X-Content-Type-Options")
	headerETag            = []byte("ETag")
	headerExpect          = []byte("Expect")
	headerExpires         = []byte("Expires")
	headerIfModifiedSince = []byte("If-Modified-Since")
	headerIfNoneMatch     = []byte("If-None-Match")
	headerIfRange         = []byte("If-Range")
	headerLastModified    = []byte("Last-Modified")
	headerLocation        = []byte("Location")
	headerRange           = []byte("Range")
	headerReferrerPolicy  = []byte("Referrer-Policy")
	headerRetryAfter      = []byte("Retry-After")
	headerVary            = []byte("Vary")

	typeOCSP = []byte("application/ocsp-response") // no parameter: clients compare the whole value
	typeText = []byte("text/plain")
)

// An exchange is one request being answered, and the memory that takes. It is
// reused, so nothing may refer to it once its request is answered.
type exchange struct {
	srv *Server
	ctx *fasthttp.RequestCtx
	now int64     // Unix seconds
	gen *snapshot // nil if there is no generation

	req    Request
	rec    index.Record // what answers
	octets []byte       // of rec, a copy
	seen   observation  // but for the outcome
	tries  int          // that salvage has left

	der      [maxTarget]byte // what a GET target decodes to
	alt      [maxTarget]byte // a target decoded once more
	restored [maxTarget]byte // a target with its lost slash
	etag     [18]byte
	modified [29]byte
	buf      [128]byte // one header value
}

// guarded answers with faults of mapped memory turned into panics: a page that
// cannot be read (a truncated file, a failing disk) would else end the process.
func (x *exchange) guarded() outcome {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return x.route()
}

func (x *exchange) route() outcome {
	if c, ok := x.ctx.Conn().(*conn); ok && !c.allowed() {
		return x.refuse(rateLimited)
	}
	h := &x.ctx.Request.Header
	if !wellFramed(h) {
		return x.refuse(badHTTP)
	}
	if len(h.PeekTrailerKeys()) > 0 && !x.allowTrailer() {
		return x.refuse(badHTTP)
	}
	// fasthttp has dealt with 100-continue; HTTP/1.0 knows none (RFC 9110 section 10.1.1).
	if e := h.PeekCanonical(headerExpect); len(e) > 0 && h.IsHTTP11() && !bytes.EqualFold(e, []byte("100-continue")) {
		return x.refuse(expectationFailed)
	}
	switch {
	case h.IsGet() || h.IsHead():
		return x.get()
	case h.IsPost():
		return x.post()
	}
	return x.refuse(methodNotAllowed)
}

// allowTrailer reports whether the trailer of the request may be there. If it could not
// be looked at, the request is the last on its connection: whoever takes its end to be
// elsewhere gets no further.
func (x *exchange) allowTrailer() bool {
	c, ok := x.ctx.Conn().(*conn)
	if !ok {
		return true
	}
	ok, seen := checkTrailer(&x.ctx.Request.Header, c.tail[:c.kept])
	if !seen {
		x.ctx.SetConnectionClose()
	}
	return ok || !seen
}

// post answers POST. Its Content-Type is of no interest: clients send the right
// one, a form's, or none.
func (x *exchange) post() outcome {
	if x.gen == nil {
		return x.refuse(unavailable)
	}
	if _, ok := x.srv.cfg.cutPrefix(x.ctx.URI().PathOriginal()); !ok {
		return x.refuse(notFound)
	}
	if e := x.ctx.Request.Header.PeekCanonical(headerContentEncoding); len(e) > 0 && !bytes.EqualFold(e, []byte("identity")) {
		return x.refuse(unsupportedEncoding)
	}
	if !x.req.Parse(x.ctx.Request.Body()) {
		return x.malformed()
	}
	return x.answer()
}

// malformed answers what is no OCSPRequest.
func (x *exchange) malformed() outcome {
	x.seen.defect = x.req.defect
	return x.refuse(malformed)
}
