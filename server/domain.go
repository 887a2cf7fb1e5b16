package server

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"lancre/index/store"
)

// maxHost is the longest host name, in octets (RFC 1035 section 2.3.4).
const maxHost = 253

// page answers GET and HEAD where neither a file nor a request was found, if it can:
// the path may be another spelling of a file's, or a browser may have opened a host
// that has no page of its own, and is given that of its domain. What fetches OCSP
// responses and CRLs never names text/html, and at / is answered as if there were no
// page; caches must keep the two apart.
func (x *exchange) page(path []byte) (o outcome, ok bool) {
	path = store.AppendNormalPath(x.alt[:0], path)
	host := x.ctx.URI().Host()
	if f, _ := x.gen.files.find(host, path); f != nil {
		return x.serveFile(f), true
	}
	f := x.gen.files.findAbove(host, path)
	switch {
	case f == nil:
		return 0, false
	case len(path) > 1:
		return x.serveFile(f), true
	}
	if ok = namesHTML(x.list("Accept")); ok {
		o = x.serveFile(f)
	}
	x.ctx.Response.Header.SetCanonical(headerVary, []byte("Accept, Accept-Language"))
	return o, ok
}

// findAbove returns what the nearest domain above a host, of those that have a page at
// /, has for people at path; nil if there is none, or the host has a file at /.
// It does not allocate.
func (s *fileSet) findAbove(hostPort, path []byte) *file {
	name := hostName(hostPort)
	if own, _ := s.find(hostPort, []byte("/")); own != nil || len(name) > maxHost {
		return nil
	}
	for {
		_, domain, below := bytes.Cut(name, []byte("."))
		if !below {
			return nil
		}
		h := s.hosts[string(domain)]
		if h == nil || h.paths["/"] == nil || h.paths["/"].media != store.TypeHTML {
			name = domain
			continue
		}
		if f := h.paths[string(path)]; f != nil && f.forPeople() {
			return f
		}
		return nil
	}
}

// forPeople reports whether f is a page or what one consists of. Other files are
// of their own host alone: who may prove by one under /.well-known that a name is
// his may not have proved it of names below.
func (f *file) forPeople() bool {
	switch f.media {
	case store.TypeHTML, store.TypeCSS, store.TypeSVG, store.TypePNG, store.TypeICO, store.TypeWOFF2, store.TypeManifest:
		return true
	}
	return f.location != nil
}

// guard has browsers do no more with f than show it, should it come to hold what its
// author did not write: no scripts, nothing from elsewhere, no frames, no guessing of
// types, and no word to other sites of where a reader came from.
func (f *file) guard(h *fasthttp.ResponseHeader) {
	switch f.media {
	case store.TypeCRL, store.TypeCertificate, store.TypeCMS:
		return // no browser shows them
	case store.TypeHTML, store.TypeSVG:
		h.SetCanonical(headerContentPolicy, []byte(contentPolicy))
		h.SetCanonical(headerReferrerPolicy, []byte("no-referrer"))
	}
	h.SetCanonical(headerContentOptions, []byte("nosniff"))
}

const contentPolicy = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
