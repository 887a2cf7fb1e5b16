package server

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lancre/internal/profiles"
)

// Admin is the handler of the admin listener, which must not be reachable from
// outside: it can stop the world (pprof) and start a reload.
//
//	GET  /metrics       Prometheus
//	GET  /livez         200 while the process answers: restart it if not
//	GET  /readyz        200, or 503: something is wrong with this edge, withdraw the route
//	GET  /freshz        200, or 503: prefer another edge, but keep the route
//	GET  /debug/pprof/  profiles
//	POST /reload        look at the manifest now; 409 if it is refused
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { s.report(w, "", http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		s.report(w, s.notReady(), http.StatusServiceUnavailable)
	})
	mux.HandleFunc("GET /freshz", func(w http.ResponseWriter, _ *http.Request) {
		s.report(w, s.stale(), http.StatusServiceUnavailable)
	})
	mux.HandleFunc("POST /reload", s.serveReload)
	profiles.Handle(mux)
	return mux
}

// A report is the body of the health endpoints and of /reload.
type report struct {
	OK         bool         `json:"ok"`
	Reason     string       `json:"reason,omitempty"` // why not
	Generation uint64       `json:"generation"`       // being served; 0 for none
	AgeSeconds int64        `json:"age_seconds"`      // of it
	Reload     ReloadResult `json:"reload,omitempty"`
}

// report writes 200, or bad and the reason if there is one.
func (s *Server) report(w http.ResponseWriter, reason string, bad int) {
	s.writeReport(w, report{Reason: reason}, bad)
}

func (s *Server) serveReload(w http.ResponseWriter, _ *http.Request) {
	result, err := s.Reload()
	r := report{Reload: result}
	if err != nil {
		r.Reason = err.Error()
	}
	s.writeReport(w, r, http.StatusConflict)
}

func (s *Server) writeReport(w http.ResponseWriter, r report, bad int) {
	r.OK = r.Reason == ""
	if snap := s.current.Load(); snap != nil {
		r.Generation, r.AgeSeconds = snap.generation, snap.age(s.now())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !r.OK {
		w.WriteHeader(bad)
	}
	_ = json.NewEncoder(w).Encode(r) // an error means that the client is gone
}
