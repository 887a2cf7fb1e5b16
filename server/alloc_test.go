package server

import (
	"crypto"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"
)

// requestCtx is what fasthttp hands to the handler for a request. body is for
// POST.
func requestCtx(method, target string, body []byte, headers ...string) *fasthttp.RequestCtx {
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.SetRequestURI(target)
	req.Header.SetHost("o.example")
	req.SetBody(body)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	ctx := new(fasthttp.RequestCtx)
	ctx.Init2(nil, nil, false)
	req.CopyTo(&ctx.Request)
	return ctx
}

// hotPath are the requests that come by the thousand.
func hotPath(t testing.TB, e *edge) map[string]struct {
	ctx    *fasthttp.RequestCtx
	status int
} {
	t.Helper()
	request := ask("05", crypto.SHA1)
	hit := target(request)
	probe := requestCtx("GET", hit, nil)
	e.Handle(probe)
	tag, modified := string(probe.Response.Header.PeekCanonical(headerETag)), string(probe.Response.Header.Peek("Last-Modified"))
	return map[string]struct {
		ctx    *fasthttp.RequestCtx
		status int
	}{
		"GET":                   {requestCtx("GET", hit, nil), 200},
		"HEAD":                  {requestCtx("HEAD", hit, nil), 200},
		"POST":                  {requestCtx("POST", "/", request), 200},
		"GET encoded twice":     {requestCtx("GET", strings.ReplaceAll(hit, "%", "%25"), nil), 200},
		"If-None-Match":         {requestCtx("GET", hit, nil, "If-None-Match", tag), 304},
		"If-Modified-Since":     {requestCtx("GET", hit, nil, "If-Modified-Since", modified), 304},
		"GET unauthorized":      {requestCtx("GET", target(ask("99", crypto.SHA1)), nil), 200},
		"POST unauthorized":     {requestCtx("POST", "/", ask("99", crypto.SHA1)), 200},
		"GET malformed":         {requestCtx("GET", "/MFEw!", nil), 400},
		"GET malformed slashes": {requestCtx("GET", "/M/M/M/M/M", nil), 400},
		"POST malformed":        {requestCtx("POST", "/", []byte("junk")), 400},
		"probe":                 {requestCtx("GET", "/", nil), 200},
		"CRL":                   {requestCtx("GET", "http://c.example/1.crl", nil), 200},
		"part of a CRL":         {requestCtx("GET", "http://c.example/1.crl", nil, "Range", "bytes=1-2"), 206},
		"range beyond a CRL":    {requestCtx("GET", "http://c.example/1.crl", nil, "Range", "bytes=99-"), 416},
		"CRL with a query":      {requestCtx("GET", "http://c.example/1.crl?x=%41", nil), 200},
		"method":                {requestCtx("PUT", "/", nil), 405},
	}
}

func TestNoAllocations(t *testing.T) {
	e := newEdge(t, files())
	for name, c := range hotPath(t, e) {
		t.Run(name, func(t *testing.T) {
			run := func() {
				e.Handle(c.ctx)
				if got := c.ctx.Response.StatusCode(); got != c.status {
					t.Fatalf("status %d, want %d", got, c.status)
				}
				// As between two requests of a connection.
				c.ctx.Response.Reset()
				c.ctx.Response.Header.SetNoDefaultContentType(true)
			}
			run() // buffers grow
			if n := testing.AllocsPerRun(200, run); n != 0 {
				t.Errorf("%v allocations a request, want none", n)
			}
		})
	}
}

// An exchange that waits for a request keeps no generation mapped, and no connection.
func TestExchangeLetsGo(t *testing.T) {
	e := newEdge(t, files())
	requests := hotPath(t, e)
	x := new(exchange)
	e.pool = sync.Pool{New: func() any { return x }} // nothing was put into it before
	for name, c := range requests {
		e.Handle(c.ctx)
		if x.srv != e.Server {
			t.Fatalf("%s: was answered by another exchange", name)
		}
		if x.ctx != nil || x.gen != nil || x.rec.Size() > 0 {
			t.Errorf("%s: the exchange still has its request %t, its generation %t, a record of %d octets", name, x.ctx != nil, x.gen != nil, x.rec.Size())
		}
	}
}

func BenchmarkHandle(b *testing.B) {
	e := newEdge(b, files())
	for name, c := range hotPath(b, e) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Handle(c.ctx)
				c.ctx.Response.Reset()
			}
		})
	}
}
