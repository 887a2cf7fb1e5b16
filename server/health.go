package server

import (
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

// notReady says why this edge should get no traffic; empty if it should. That is for
// what is wrong with this edge alone: whoever withdrew the route for what all of them
// have in common, an expired response, would withdraw it everywhere. It asks for one
// response of each segment, right through the handler, and changes no metric.
func (s *Server) notReady() string {
	snap := s.current.Load()
	switch {
	case s.stopping.Load():
		return "stopping"
	case snap == nil:
		return "no generation could be loaded"
	}
	for i, c := range snap.canaries {
		if c == nil {
			continue
		}
		if o := s.probe(c.request); !sane[o] {
			return fmt.Sprintf("the canary of segment %s, line %d of them, is answered %s",
				snap.store.Manifest().Segments[i].SHA256, i+1, defaultOutcomes[o].name)
		}
	}
	return ""
}

// sane are the outcomes that show that an edge reads its store: what was withdrawn since,
// has expired or is not valid yet is an answer, too.
var sane = [numOutcomes]bool{served: true, tombstone: true, expired: true, notYetValid: true}

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
	now, limit := s.now(), s.cfg.FreshWithin
	if expires := snap.store.Manifest().Expires; !expires.IsZero() && now > expires.Unix() {
		return fmt.Sprintf("the generation is stale since %s: its origin publishes no more, or is not reached", formatTime(expires.Unix()))
	}
	if age := seconds(snap.age(now)); age > limit {
		return fmt.Sprintf("the generation is %s old, more than %s", age, limit)
	}
	// A source that cannot be read stays behind, however often is published.
	checked := snap.store.Manifest().Checked
	if age := seconds(now - checked.Unix()); !checked.IsZero() && age > limit {
		return fmt.Sprintf("a source was last read %s ago, more than %s", age, limit)
	}
	return ""
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }
