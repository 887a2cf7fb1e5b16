package bench

import (
	"encoding/base64"
	"io"
	"log/slog"
	"net/url"
	"testing"

	"github.com/valyala/fasthttp"

	"lancre/server"
)

// BenchmarkParseRequest reads one OCSPRequest as most clients make it.
func BenchmarkParseRequest(b *testing.B) {
	id := unsigned().certID(0)
	der := id.Request(nil)
	b.ReportAllocs()
	var r server.Request
	for b.Loop() {
		if !r.Parse(der) {
			b.Fatal("the request is malformed")
		}
	}
}

// BenchmarkHandler is the whole answer to a request for a random certificate,
// without a socket: decoding, look-up, headers, body.
func BenchmarkHandler(b *testing.B) {
	cfg := server.DefaultConfig()
	cfg.Store = unsigned().store
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := server.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	ids := unsigned().sample(sampled)
	requests := make([][]byte, len(ids))
	for i := range ids {
		requests[i] = ids[i].Request(nil)
	}
	b.Run("post", func(b *testing.B) {
		handle(b, s, requests, func(r *fasthttp.Request, der []byte) {
			r.Header.SetMethod("POST")
			r.SetBodyRaw(der)
		})
	})
	b.Run("get", func(b *testing.B) {
		targets := make([][]byte, len(requests))
		for i, der := range requests {
			targets[i] = []byte("/" + url.PathEscape(base64.StdEncoding.EncodeToString(der)))
		}
		handle(b, s, targets, func(r *fasthttp.Request, target []byte) {
			r.SetRequestURIBytes(target)
		})
	})
}

func handle(b *testing.B, s *server.Server, inputs [][]byte, set func(*fasthttp.Request, []byte)) {
	b.ReportAllocs()
	ctx := new(fasthttp.RequestCtx)
	ctx.Init2(nil, nil, false)
	ctx.Request.Header.SetHost("o.demo.test")
	for i := 0; b.Loop(); i++ {
		set(&ctx.Request, inputs[i%len(inputs)])
		s.Handle(ctx)
		if status, size := ctx.Response.StatusCode(), len(ctx.Response.Body()); status != 200 || size < 100 {
			b.Fatalf("status %d with %d octets", status, size)
		}
		ctx.Response.Reset()
	}
}
