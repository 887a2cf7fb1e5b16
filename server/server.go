// Package server is the edge: it answers OCSP requests, CRL and certificate
// downloads from one generation of a store, and swaps in the next one when its
// manifest changes. It knows requests and octets and nothing of X.509: whatever
// needs judgement was decided when the store was built.
//
// The life of a request:
//
//	fasthttp ── route (handler.go) ──┬─ a file at this host and path  static.go
//	                                 │    └─ in one of its languages  page.go
//	                                 ├─ GET, base64 in the target     get.go
//	                                 ├─ POST, DER in the body         request.go
//	                                 │    └─ look-up and answer       answer.go
//	                                 └─ else the page of the domain   domain.go
//
// It takes the current generation once, so it is answered from one generation; it
// takes no lock and, but to choose the language of a page, allocates nothing. Nothing
// that a client does is logged, but a store or a program that fails is: the first
// time, the second, the fourth and so on. Mapped memory is read inside the handler
// only, where a page that cannot be read becomes a 503.
package server

import (
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"lancre/index"
	"lancre/internal/status"
)

// A Server answers from one store. Its methods are safe for concurrent use.
type Server struct {
	cfg      Config
	log      *slog.Logger
	outcomes outcomeTable
	metrics  *metrics
	http     *fasthttp.Server
	limits   *limits   // nil for none
	pool     sync.Pool // of *exchange
	conns    conns
	timeouts timeouts

	dir       os.FileInfo              // of the store, when New was called
	current   atomic.Pointer[snapshot] // nil until a generation could be loaded
	reloadMu  sync.Mutex               // held while a generation is loaded
	expiries  expiryLog
	reloads   reloadLog
	history   status.Ring   // of the metrics' totals
	memory    int64         // octets of segments that can be expected to stay in memory
	stop      chan struct{} // closed when Shutdown is done
	stopOnce  sync.Once
	stopping  atomic.Bool // not ready any more: Shutdown has begun
	closing   atomic.Bool // every answer is the last on its connection
	unmapping atomic.Bool // a collection of what swaps left behind is due
}

// New checks cfg and loads the store's generation. A store that has none, or
// one that cannot be used, is no error: the reason is logged, every OCSP request
// is answered tryLater, and the store is watched until it has one.
func New(cfg Config) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	dir, err := cfg.checkStore()
	if err != nil {
		return nil, err
	}
	cfg = cfg.wire()
	if err := cfg.checkContent(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg:      cfg,
		log:      cfg.Log,
		outcomes: cfg.outcomes(),
		dir:      dir,
		timeouts: usualTimeouts,
		stop:     make(chan struct{}),
	}
	s.memory = memoryFor(ownLimits())
	s.pool.New = func() any { return new(exchange) }
	s.metrics = newMetrics(s)
	s.limits = newLimits(&cfg)
	s.http = s.newHTTP()
	s.reload("start")
	return s, nil
}

// now is the clock in the unit that HTTP and OCSP have.
func (s *Server) now() int64 { return s.cfg.Now().Unix() }

// Handle answers one request: what Serve gives to fasthttp. It does not allocate, but
// to choose the language of a page.
func (s *Server) Handle(ctx *fasthttp.RequestCtx) {
	began := s.metrics.begin()
	s.metrics.count(ctx, s.respond(ctx))
	s.metrics.end(ctx, began)
	if s.closing.Load() {
		ctx.SetConnectionClose()
	}
}

// respond answers ctx and says how. Nothing that happens in it ends the process.
func (s *Server) respond(ctx *fasthttp.RequestCtx) (seen observation) {
	x := s.pool.Get().(*exchange)
	x.srv, x.ctx, x.now, x.gen = s, ctx, s.now(), s.current.Load()
	x.seen = observation{}
	defer s.rescue(ctx, &seen)
	o := x.guarded()
	seen = x.seen
	seen.outcome = o
	runtime.KeepAlive(x.gen) // its mappings were read up to here
	x.ctx, x.gen, x.rec = nil, nil, index.Record{}
	s.pool.Put(x) // after a panic x is left to the garbage collector
	return seen
}
