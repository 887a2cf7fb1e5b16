package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// An outcome is how a request ended. It is a metric's label and, unless stored
// octets are served, the whole of the answer.
type outcome uint8

const (
	served outcome = iota
	notModified
	unauthorized
	expired
	tombstone
	notYetValid
	unavailable
	corrupt
	faulted
	panicked
	malformed
	unsupportedEncoding
	landing
	fileServed
	fileNotModified
	filePart
	fileBadRange
	redirected
	noSuchFile
	notFound
	methodNotAllowed
	badHTTP
	timedOut
	rateLimited
	bodyTooLarge
	targetTooLong
	headersTooLarge
	expectationFailed
	numOutcomes
)

type outcomeTable [numOutcomes]outcomeRow

// An outcomeRow is what is known of an outcome beforehand.
type outcomeRow struct {
	name   string // label of lancred_requests_total
	ocsp   string // label of ocsp_responses; empty if the answer is not OCSP
	status int
	body   []byte // an OCSPResponse without responseBytes; nil for an empty body
	cache  string // Cache-Control; empty if it depends on what is stored

	retryAfter bool
	closes     bool // the connection cannot be used any further
}

// The OCSPResponses that are not signed (RFC 6960 section 4.2.1).
var (
	ocspMalformed     = []byte{0x30, 0x03, 0x0a, 0x01, 0x01}
	ocspInternalError = []byte{0x30, 0x03, 0x0a, 0x01, 0x02}
	ocspTryLater      = []byte{0x30, 0x03, 0x0a, 0x01, 0x03}
	ocspUnauthorized  = []byte{0x30, 0x03, 0x0a, 0x01, 0x06}
)

const (
	noStore = "no-store"
	noCache = "max-age=0, no-cache"

	// retryAfter, in seconds, is the time in which a fresh generation or
	// another edge should have taken over.
	retryAfter = "60"
)

// defaultOutcomes is the contract. An OCSP error that a client should get over
// has a body it understands. The others have none, for some clients take any
// octets for a response (dotnet/runtime#89907).
var defaultOutcomes = outcomeTable{
	served:      {name: "served", ocsp: "Success", status: 200},
	notModified: {name: "not_modified", ocsp: "NotModified", status: 304},

	// Clients look at the body of a 200 only, and must not take this for a
	// server that is down.
	unauthorized: {name: "unauthorized", ocsp: "Unauthorized", status: 200, body: ocspUnauthorized, cache: noCache},

	expired:     {name: "expired", ocsp: "TryLater", status: 503, body: ocspTryLater, cache: noStore, retryAfter: true},
	tombstone:   {name: "tombstone", ocsp: "TryLater", status: 503, body: ocspTryLater, cache: noStore, retryAfter: true},
	notYetValid: {name: "not_yet_valid", ocsp: "TryLater", status: 503, body: ocspTryLater, cache: noStore, retryAfter: true},
	unavailable: {name: "no_generation", ocsp: "TryLater", status: 503, body: ocspTryLater, cache: noStore, retryAfter: true},
	rateLimited: {name: "rate_limited", ocsp: "TryLater", status: 503, body: ocspTryLater, cache: noStore, retryAfter: true},
	faulted:     {name: "fault", ocsp: "TryLater", status: 503, body: ocspTryLater, cache: noStore, retryAfter: true},

	corrupt:   {name: "corrupt", ocsp: "InternalError", status: 500, body: ocspInternalError, cache: noStore},
	panicked:  {name: "panic", ocsp: "InternalError", status: 500, body: ocspInternalError, cache: noStore},
	malformed: {name: "malformed", ocsp: "Malformed", status: 400, body: ocspMalformed, cache: noCache},

	landing: {name: "landing", status: 200, cache: "max-age=3600"},

	fileServed:      {name: "file", status: 200},
	fileNotModified: {name: "file_not_modified", status: 304},
	filePart:        {name: "file_part", status: 206},
	fileBadRange:    {name: "file_bad_range", status: 416, cache: noStore},
	redirected:      {name: "redirect", status: 301, cache: pageCache},
	noSuchFile:      {name: "no_such_file", status: 404, cache: "no-cache"},
	notFound:        {name: "not_found", status: 404, cache: "max-age=60"},

	methodNotAllowed:    {name: "method_not_allowed", status: 405, cache: noStore},
	unsupportedEncoding: {name: "unsupported_encoding", status: 415, cache: noStore},
	expectationFailed:   {name: "expectation_failed", status: 417, cache: noStore},
	badHTTP:             {name: "bad_http", status: 400, cache: noStore, closes: true},
	timedOut:            {name: "timeout", status: 408, cache: noStore, closes: true},
	bodyTooLarge:        {name: "body_too_large", status: 413, cache: noStore, closes: true},
	targetTooLong:       {name: "target_too_long", status: 414, cache: noStore, closes: true},
	headersTooLarge:     {name: "headers_too_large", status: 431, cache: noStore, closes: true},
}

// outcomes is the contract as the operator amended it.
func (c *Config) outcomes() outcomeTable {
	t := defaultOutcomes
	t[malformed].status = c.MalformedStatus
	for _, o := range []outcome{expired, tombstone, notYetValid} {
		t[o].status = c.ExpiredStatus
	}
	if c.NegativeMaxAge >= time.Second {
		t[unauthorized].cache = "max-age=" + strconv.Itoa(int(c.NegativeMaxAge/time.Second))
	}
	return t
}

// refuse makes ctx the answer o, which carries nothing stored.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, o outcome) outcome {
	row := &s.outcomes[o]
	h := &ctx.Response.Header
	ctx.SetStatusCode(row.status)
	h.SetCanonical(headerCacheControl, []byte(row.cache))
	h.SetContentTypeBytes(typeText)
	switch {
	case row.body != nil:
		h.SetContentTypeBytes(typeOCSP)
		ctx.Response.SetBodyRaw(row.body)
	case ctx.IsHead():
		h.SetContentLength(0) // which fasthttp would leave out
	}
	if row.retryAfter {
		h.SetCanonical(headerRetryAfter, []byte(retryAfter))
	}
	if row.status == http.StatusMethodNotAllowed {
		h.SetCanonical(headerAllow, []byte("GET, HEAD, POST"))
	}
	if row.closes {
		ctx.SetConnectionClose()
	}
	return o
}

func (x *exchange) refuse(o outcome) outcome { return x.srv.refuse(x.ctx, o) }
