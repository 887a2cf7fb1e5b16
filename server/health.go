package server

import (
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

// notReady says why this edge should get no traffic; empty if it should. It asks
// for one response of each segment, right through the handler, and changes no
// metric.
func (s *Server) notReady() string {
	snap := s.current.Load()
	switch {
	case s.stopping.Load():
		return "stopping"
	case snap == nil:
		return "no generation could be loaded"
	}
	// Checked here and not only when loading: time passes without a reload.
	if now := s.now(); snap.nextUpdate != 0 && snap.nextUpdate <= now {
		return fmt.Sprintf("responses expired at %s", time.Unix(snap.nextUpdate, 0).UTC().Format(time.RFC3339))
	}
	for i, request := range snap.canaries {
		if request == nil {
			continue
		}
		// A newer segment may have withdrawn the response: that is an answer.
		if o := s.probe(request); o != served && o != tombstone {
			return fmt.Sprintf("the canary of segment %s, line %d of them, is answered %s",
				snap.store.Manifest().Segments[i].SHA256, i+1, defaultOutcomes[o].name)
		}
	}
	return ""
}

// probe POSTs request to the handler.
func (s *Server) probe(request []byte) outcome {
	var req fasthttp.Request
	req.Header.SetMethod(fasthttp.MethodPost)
	req.SetRequestURI("/")
	if len(s.cfg.Prefixes) > 0 {
		req.SetRequestURI(s.cfg.Prefixes[0])
	}
	req.SetBodyRaw(request)
	var ctx fasthttp.RequestCtx
	ctx.Init(&req, nil, nil)
	return s.respond(&ctx).outcome
}

// stale says why routers should prefer another edge; empty if they need not. A
// stale edge must go on serving: if the origin dies all are stale at once.
func (s *Server) stale() string {
	snap := s.current.Load()
	if snap == nil {
		return "no generation could be loaded"
	}
	age := time.Duration(snap.age(s.now())) * time.Second
	if age > s.cfg.FreshWithin {
		return fmt.Sprintf("the generation is %s old, more than %s", age, s.cfg.FreshWithin)
	}
	return ""
}
