package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"lancre/internal/admin"
)

const (
	maxHeaderBytes = 16 << 10 // of a request, beside its target
	readBuffer     = maxTarget + maxHeaderBytes
	maxBody        = 10240 // octets of a POST: 16 CertIDs take 3 KB at most, a signature and its certificates the rest

	// noHost stands for the Host that a request lacks. No files are published
	// for it.
	noHost = "-"

	// shutdownLimit is how long Shutdown waits for downloads that go on.
	shutdownLimit = 30 * time.Second
)

// newHTTP sets what fasthttp's defaults would do otherwise. Timeouts are conn's: those of
// fasthttp read the clock three or four times a request.
func (s *Server) newHTTP() *fasthttp.Server {
	return &fasthttp.Server{
		Handler:       s.Handle,
		ErrorHandler:  s.handleError,
		ExpectHandler: s.expect,
		HeaderReceived: func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
			// HTTP/1.0 may come without Host. fasthttp would then take the octets
			// after a leading "//", which are base64 here, for one.
			if len(h.Host()) == 0 {
				h.SetHost(noHost)
			}
			return fasthttp.RequestConfig{}
		},
		// What bounds connections is the limit of open files, which the listener
		// outlives. fasthttp's own bound answers with text.
		Concurrency:                  math.MaxInt32,
		Logger:                       httpLogger{s.log},
		ReadBufferSize:               readBuffer,
		MaxRequestBodySize:           maxBody,
		LazyRequestTime:              true,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		SecureErrorLogMessage:        true,
		CloseOnShutdown:              true,
		ConnState:                    noteState,
	}
}

// expect says whether a client that asks first may send a body: not one that would be
// refused.
func (s *Server) expect(ctx *fasthttp.RequestCtx) (status int) {
	if ctx.Request.Header.ContentLength() <= maxBody {
		return http.StatusContinue
	}
	if c, ok := ctx.Conn().(*conn); ok {
		c.linger.Store(true)
	}
	s.metrics.count(ctx, observation{outcome: s.refuse(ctx, bodyTooLarge)})
	return ctx.Response.StatusCode()
}

// httpLogger passes on what an operator can do something about. What fasthttp
// says about one connection is a client's doing.
type httpLogger struct{ log *slog.Logger }

// Printf implements fasthttp.Logger.
func (l httpLogger) Printf(format string, args ...any) {
	if !strings.HasPrefix(format, "error when serving connection") {
		l.log.Error("http", "err", fmt.Sprintf(format, args...))
	}
}

// handleError answers what fasthttp could not read as a request.
func (s *Server) handleError(ctx *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	var timeout net.Error
	o := badHTTP
	c, wrapped := ctx.Conn().(*conn)
	switch {
	case errors.As(err, &small) && wrapped && c.line >= readBuffer:
		o = targetTooLong
	case errors.As(err, &small):
		o = headersTooLarge
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		o = bodyTooLarge
	case errors.As(err, &timeout) && timeout.Timeout():
		o = timedOut
	}
	if wrapped {
		c.linger.Store(true)
	}
	s.metrics.count(ctx, observation{outcome: s.refuse(ctx, o)})
}

// Serve answers on the public listeners, of TCP or Unix sockets, and, unless it is nil,
// private, the admin one, and watches the store. It closes the listeners and returns nil after
// Shutdown, or the error of the listener that failed.
func (s *Server) Serve(public []net.Listener, private net.Listener) error {
	go s.watch()
	go s.remember()
	errs, most := make(chan error, len(public)+1), mostConns()
	for _, ln := range public {
		go func() { errs <- s.http.Serve(&listener{ln, s.log, s.metrics, s.limits, &s.conns, most, s.timeouts}) }()
	}
	side := admin.NewServer(s.Admin(), s.log)
	defer side.Close()
	if private != nil {
		go func() { errs <- side.Serve(private) }()
	}
	for {
		select {
		case <-s.stop:
			return nil
		case err := <-errs:
			if err != nil {
				return err
			}
			// A nil comes from a listener that Shutdown closed.
		}
	}
}

// Shutdown stops the server without failing a request: it says not ready, goes on
// for DrainWait, answers with Connection: close for Drain, closes the listeners
// and waits for what is being sent. It returns early when ctx is done.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.stopOnce.Do(func() { close(s.stop) })
	s.stopping.Store(true)
	sleep(ctx, s.cfg.DrainWait)
	s.closing.Store(true)
	sleep(ctx, s.cfg.Drain)
	s.conns.closeIdle()
	ctx, cancel := context.WithTimeout(ctx, shutdownLimit)
	defer cancel()
	if err := s.http.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("%d connections were still open: %w", s.conns.count(), err)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
