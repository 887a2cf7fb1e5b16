package server

import (
	"bytes"
	"net/http"
	"time"

	"lancre/index/store"
)

// Content types that decide how long caches keep a file.
const (
	typeCRL  = "application/pkix-crl"
	typeCert = "application/pkix-cert"
	typeCMS  = "application/pkcs7-mime"
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
	contentType []byte
	etag        []byte
	expires     []byte // nil if it never does
}

// anyHost is the host under which a store publishes files for any host.
const anyHost = "_"

func newFileSet(files []store.File, defaultHost string) fileSet {
	s := fileSet{hosts: make(map[string]*host), defaultHost: defaultHost}
	for _, f := range files {
		h := s.hosts[f.Host]
		if h == nil {
			h = &host{paths: make(map[string]*file)}
			s.hosts[f.Host] = h
		}
		h.paths[f.Path] = newFile(f)
		h.files = h.files || f.ContentType == typeCRL || f.ContentType == typeCert || f.ContentType == typeCMS
	}
	return s
}

func newFile(f store.File) *file {
	r := &file{File: f, contentType: []byte(f.ContentType), etag: []byte(`"` + f.SHA256 + `"`)}
	if !f.Expires.IsZero() {
		r.expires = appendDate(nil, f.Expires.Unix())
	}
	return r
}

// find returns the file at path on the host that hostPort names, or nil.
// fileHost says that CRLs or certificates are published at that very host. It does not
// allocate.
func (s *fileSet) find(hostPort, path []byte) (f *file, fileHost bool) {
	h := s.hosts[string(hostName(hostPort))]
	if h == nil {
		h = s.hosts[s.defaultHost]
	}
	if h != nil {
		f, fileHost = h.paths[string(path)], h.files
	}
	if f == nil {
		if h = s.hosts[anyHost]; h != nil {
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

// serveFile answers GET and HEAD with f, a part of it, or 304.
func (x *exchange) serveFile(f *file) outcome {
	h := &x.ctx.Response.Header
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
	case f.ContentType == typeCert || f.ContentType == typeCMS:
		return append(dst, certificateCache...)
	case f.ContentType != typeCRL || f.Expires.IsZero():
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
