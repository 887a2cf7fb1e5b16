package server

import (
	"net/http"
	"strconv"

	"lancre/index"
)

// overdueMaxAge, in seconds, is how long caches keep a response that should have
// been renewed by now.
const overdueMaxAge = 300

// find looks id, whose key is the result's, up in x's generation. If it is found, x.rec is
// its record.
func (x *exchange) find(id *index.CertID) (key uint64, found bool, err error) {
	if id.Alg == index.UnknownAlg {
		return 0, false, nil // no store is keyed by it
	}
	key = id.Key()
	found, err = x.gen.store.LookupInto(key, id, &x.rec, &x.octets)
	return key, found, err
}

// answer answers x.req: with the response for the first certificate that there
// is a valid one for (RFC 9919 section 3.2.1: the most complete response).
func (x *exchange) answer() outcome {
	x.seen = observation{size: x.req.size, hash: x.req.ids[0].Alg, nonce: x.req.nonce}
	if x.req.critical {
		return x.refuse(unauthorized)
	}
	best := unauthorized
	for i := range x.req.CertIDs() {
		key, found, err := x.find(&x.req.ids[i])
		if err != nil {
			return x.corrupt(err)
		}
		if !found {
			continue
		}
		if best = currencies[x.rec.Currency(x.now)]; best == served {
			return x.serve(key)
		}
	}
	return x.refuse(best)
}

// currencies are the outcomes for records that may not be served, and for those
// that may.
var currencies = [...]outcome{
	index.Current:     served,
	index.Withdrawn:   tombstone,
	index.NotYetValid: notYetValid,
	index.Expired:     expired,
}

// serve answers with the response of x.rec, found under key, or with 304 if the client
// has it. The headers are those of RFC 9919 sections 6 and 7.2:
//
//	ETag           strong, of the stored octets
//	Expires        nextUpdate
//	Cache-Control  max-age, and public, no-transform, must-revalidate
//	Content-Type   application/ocsp-response, without a parameter; not on a 304
//	Last-Modified  producedAt, or now if that lies ahead; not on a 304
//
// Date and Content-Length are fasthttp's.
func (x *exchange) serve(key uint64) outcome {
	h, rec := &x.ctx.Response.Header, &x.rec
	// Straight into what fasthttp sends, for the tag to be that of what is sent.
	body := rec.AppendResponse(x.ctx.Response.SwapBody(nil)[:0])
	tag := appendETag(x.etag[:0], index.ETag(body))
	modified := appendDate(x.modified[:0], min(rec.ProducedAt(), x.now))
	h.SetCanonical(headerETag, tag)
	h.SetCanonical(headerExpires, appendDate(x.buf[:0], rec.NextUpdate()))
	h.SetCanonical(headerCacheControl, appendMaxAge(x.buf[:0], x.maxAge(key), ", public, no-transform, must-revalidate"))
	if !x.ctx.Request.Header.IsPost() && x.clientHas(tag, modified) {
		x.ctx.SetStatusCode(http.StatusNotModified)
		x.ctx.Response.SwapBody(body[:0])
		return notModified
	}
	h.SetCanonical(headerLastModified, modified)
	h.SetContentTypeBytes(typeOCSP)
	x.seen.age = max(0, x.now-rec.ThisUpdate()) // which may lie ahead by index.MaxSkew
	x.ctx.Response.SwapBody(body)
	return served
}

func (x *exchange) corrupt(err error) outcome {
	if n := x.srv.metrics.corrupt.Add(1); sampled(n) {
		x.srv.log.Error("a record is corrupt and is not served: rebuild the store, check the disk",
			"store", x.srv.cfg.Store, "generation", x.gen.generation, "count", n, "err", err)
	}
	return x.refuse(corrupt)
}

// maxAge is how long, in seconds, caches may keep x.rec (RFC 9919 section 7.1): until
// the CA is due to have renewed it, which is when half of its life is over or
// four days. Up to a tenth of that is taken off, by the key, so that the
// responses of one signing run do not all expire at once.
func (x *exchange) maxAge(key uint64) int64 {
	rec := &x.rec
	due := rec.RefreshDue()
	jitter := (due - rec.ThisUpdate()) * int64(key>>48) / 10 >> 16
	age := int64(overdueMaxAge)
	if refresh := due - jitter; x.now < refresh {
		age = refresh - x.now
	}
	return max(0, min(age, int64(x.srv.cfg.CapMaxAge.Seconds()), rec.NextUpdate()-x.now-1))
}

// appendETag appends the strong entity tag of a stored response.
func appendETag(dst []byte, etag uint64) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, hex[etag>>shift&15])
	}
	return append(dst, '"')
}

func appendMaxAge(dst []byte, seconds int64, rest string) []byte {
	dst = strconv.AppendInt(append(dst, "max-age="...), seconds, 10)
	return append(dst, rest...)
}
