// Package profiles serves the profiles of the Go runtime on the admin addresses of
// daemons. net/http/pprof by itself would do so only on http.DefaultServeMux.
package profiles

import (
	"net/http"
	"net/http/pprof"
)

// Handle has mux answer GET /debug/pprof/ and what lies below it.
func Handle(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}
