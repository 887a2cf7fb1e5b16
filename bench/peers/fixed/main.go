// Fixed is bare fasthttp: whatever is asked, it answers with the same 320 octets
// under as many headers as lancred sends. What it costs, lancred cannot be below.
//
//	fixed PORT
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/valyala/fasthttp"
)

// body is as long as a response with a P-256 signature and no certificate.
var body = bytes.Repeat([]byte{0x30}, 320)

func handle(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	h.SetCanonical([]byte("Etag"), []byte(`"0123456789abcdef"`))
	h.SetCanonical([]byte("Expires"), []byte("Fri, 27 Nov 2026 14:00:00 GMT"))
	h.SetCanonical([]byte("Cache-Control"), []byte("max-age=43200, public, no-transform, must-revalidate"))
	h.SetCanonical([]byte("Last-Modified"), []byte("Mon, 23 Nov 2026 14:00:00 GMT"))
	ctx.SetContentType("application/ocsp-response")
	ctx.SetBody(body)
}

func main() {
	s := &fasthttp.Server{Handler: handle, NoDefaultServerHeader: true}
	if err := s.ListenAndServe("127.0.0.1:" + os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "fixed: %v\n", err)
		os.Exit(1)
	}
}
