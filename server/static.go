package server

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"lancre/index/store"
)

const (
	// CRL ages, in seconds. Relying parties must be able to get the current CRL
	// every four hours (CCADB policy 6.2): an hour at the edge leaves three for the
	// caches before it. A minute keeps off the herd when a CRL is about to expire.
	maxCRLAge = 3600
	minCRLAge = 60

	certificateCache = "public, max-age=86400, no-transform" // they never change
	pageCache        = "public, max-age=3600"
)

// A fileSet finds files by host and path: hosts in lower case without a port,
// paths as they are on the wire.
type fileSet struct {
	hosts       map[string]*host
	defaultHost string
}

// A host is the files of one host.
type host struct {
	paths map[string]*file
	files bool // among them are CRLs or certificates
}

// A file is a published file and the header values that do not depend on when
// they are sent. Immutable.
type file struct {
	store.File
	media       string // its Content-Type without parameters
	contentType []byte
	etag        []byte
	expires     []byte // nil if it never does

	page     *page  // which it is the one for everybody else of; nil for none
	language []byte // tag of the language that it is in; nil if that is not known
	location []byte // path that is answered in its place, and it has nothing else; nil for none
}

func newFileSet(files []store.File, defaultHost string) fileSet {
	s := fileSet{hosts: make(map[string]*host), defaultHost: defaultHost}
	for _, f := range files {
		h := s.hosts[f.Host]
		if h == nil {
			h = &host{paths: make(map[string]*file)}
			s.hosts[f.Host] = h
		}
		file := newFile(f)
		h.paths[string(store.AppendNormalPath(nil, []byte(f.Path)))] = file
		h.files = h.files || file.fetched()
	}
	for _, h := range s.hosts {
		h.linkPages()
	}
	return s
}

func newFile(f store.File) *file {
	media, _, _ := strings.Cut(f.ContentType, ";")
	r := &file{File: f, media: media, contentType: []byte(f.ContentType), etag: []byte(`"` + f.SHA256 + `"`)}
	if !f.Expires.IsZero() {
		r.expires = appendDate(nil, f.Expires.Unix())
	}
	return r
}

// fetched reports whether f is for software: a CRL, or certificates.
func (f *file) fetched() bool {
	return f.media == store.TypeCRL || f.media == store.TypeCertificate || f.media == store.TypeCMS
}

// find returns the file at a path in normal form on the host that hostPort names, or
// nil. fileHost says that CRLs or certificates are published at that very host. It
// does not allocate.
func (s *fileSet) find(hostPort, path []byte) (f *file, fileHost bool) {
	h := s.hosts[string(hostName(hostPort))]
	if h == nil {
		h = s.hosts[s.defaultHost]
	}
	if h != nil {
		f, fileHost = h.paths[string(path)], h.files
	}
	if f == nil {
		if h = s.hosts[store.AnyHost]; h != nil {
			f = h.paths[string(path)]
		}
	}
	return f, fileHost
}

// hostName is hostPort, in lower case already, without port and trailing dot.
func hostName(hostPort []byte) []byte {
	if i := bytes.LastIndexByte(hostPort, ':'); i >= 0 && bytes.IndexByte(hostPort[i:], ']') < 0 {
		hostPort = hostPort[:i]
	}
	return bytes.TrimSuffix(hostPort, []byte("."))
}

// serveFile answers GET and HEAD with f, a part of it, or 304; with a variant of
// its page; or with the place to go to.
func (x *exchange) serveFile(f *file) outcome {
	h := &x.ctx.Response.Header
	if f.location != nil {
		h.SetCanonical(headerLocation, f.location)
		return x.refuse(redirected)
	}
	if f.page != nil {
		f = f.page.choose(x.list("Accept-Language"))
		h.SetCanonical(headerVary, []byte("Accept-Language"))
	}
	if f.language != nil {
		h.SetCanonical(headerContentLanguage, f.language)
	}
	f.guard(h)
	modified := appendDate(x.modified[:0], min(f.LastModified.Unix(), x.now))
	h.SetCanonical(headerETag, f.etag)
	h.SetCanonical(headerCacheControl, f.appendCacheControl(x.buf[:0], x.now))
	if f.expires != nil {
		h.SetCanonical(headerExpires, f.expires)
	}
	if x.clientHas(f.etag, modified) {
		x.ctx.SetStatusCode(http.StatusNotModified)
		return fileNotModified
	}
	h.SetCanonical(headerLastModified, modified)
	h.SetCanonical(headerAcceptRanges, []byte("bytes"))
	h.SetContentTypeBytes(f.contentType)

	body, o := x.selectRange(f)
	x.ctx.Response.SetBodyRaw(body) // on the heap, so it may outlive the handler
	x.allowTime(len(body))
	return o
}

// appendCacheControl appends the Cache-Control of f. A CRL past its nextUpdate is
// served still: that of an offline root is better than none.
func (f *file) appendCacheControl(dst []byte, now int64) []byte {
	switch {
	case f.media == store.TypeCertificate || f.media == store.TypeCMS:
		return append(dst, certificateCache...)
	case f.media != store.TypeCRL || f.Expires.IsZero():
		return append(dst, pageCache...)
	}
	left := f.Expires.Unix() - now
	if left <= 0 {
		return appendMaxAge(dst, minCRLAge, ", must-revalidate")
	}
	return appendMaxAge(append(dst, "public, "...), min(maxCRLAge, max(minCRLAge, left)), ", no-transform, must-revalidate")
}

// minRate, in octets a second, is what a download must keep up on average: a poor
// mobile line does.
const minRate = 32 << 10

// allowTime gives the client the time that size octets take at minRate.
func (x *exchange) allowTime(size int) {
	if size > minRate {
		// An error means a connection that is gone, which the write will find.
		_ = x.ctx.SetWriteDeadline(time.Now().Add(timeFor(size)))
	}
}

// timeFor is how long a client may take over an answer of size octets.
func timeFor(size int) time.Duration {
	return usualTimeouts.write + time.Duration(size/minRate)*time.Second
}
