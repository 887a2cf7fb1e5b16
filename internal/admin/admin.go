// Package admin is what the admin addresses of daemons have in common: metrics, and
// profiles of the program. They must not be public, for a profile can stop the world.
package admin

import (
	stdlog "log"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lancre/internal/version"
)

// NewRegistry makes a registry that has the metrics of every program: go_*, process_*
// and lancre_build_info.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "lancre_build_info", Help: "1, with the build of the program.",
		ConstLabels: prometheus.Labels{"version": version.String(), "goversion": runtime.Version()},
	})
	build.Set(1)
	r.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// NewMux makes a handler of
//
//	GET /metrics       what registry has, for Prometheus
//	GET /debug/pprof/  profiles
func NewMux(registry *prometheus.Registry) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// headerWithin is how long a client may take for the header of a request.
const headerWithin = 10 * time.Second

// NewServer makes the server of an admin address, which logs what goes wrong with it.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: headerWithin, ErrorLog: stdlog.New(logger{log}, "", 0)}
}

// A logger passes on what net/http says, a line at a time.
type logger struct{ log *slog.Logger }

// Write implements io.Writer.
func (l logger) Write(line []byte) (int, error) {
	l.log.Error("the admin address failed", "err", strings.TrimSpace(string(line)))
	return len(line), nil
}
