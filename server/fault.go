package server

import (
	"math/bits"
	"runtime/debug"

	"github.com/valyala/fasthttp"

	"lancre/internal/sigbus"
)

// rescue is deferred by respond. It turns a panic into an answer.
func (s *Server) rescue(ctx *fasthttp.RequestCtx, seen *observation) {
	r := recover()
	if r == nil {
		return
	}
	ctx.Response.Reset()
	ctx.Response.Header.SetNoDefaultContentType(true)
	if fault, ok := r.(sigbus.Fault); ok {
		*seen = observation{outcome: s.refuse(ctx, faulted)}
		if n := s.metrics.faults.Add(1); sampled(n) {
			s.log.Error("a mapped page could not be read: was a file of the store changed in place, or does the disk fail?",
				"store", s.cfg.Store, "count", n, "err", fault.Error())
		}
		return
	}
	*seen = observation{outcome: s.refuse(ctx, panicked)}
	if n := s.metrics.panics.Add(1); sampled(n) {
		s.log.Error("a request made the handler panic: please report this",
			"count", n, "panic", r, "target", string(ctx.Request.Header.RequestURI()), "stack", string(debug.Stack()))
	}
}

// sampled picks which of many equal events are logged: the first, the second,
// the fourth and so on.
func sampled(n uint64) bool { return bits.OnesCount64(n) == 1 }
