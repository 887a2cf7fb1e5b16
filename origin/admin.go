package origin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"lancre/internal/admin"
	"lancre/internal/status"
)

// Admin is the handler of the admin address, which must not be reachable from outside.
//
//	GET  /              a page that says what is wrong, and what it does
//	GET  /metrics       Prometheus
//	GET  /livez         200, or 503: it hangs, restart it
//	GET  /readyz        200, or 503: nothing can be published
//	GET  /status.json   a Status
//	GET  /debug/pprof/  profiles
func (f *Follower) Admin() http.Handler {
	mux := admin.NewMux(f.metrics.registry)
	mux.HandleFunc("GET /{$}", status.HTML(f.page))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { report(w, f.hangs()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { report(w, f.notReady()) })
	mux.HandleFunc("GET /status.json", func(w http.ResponseWriter, _ *http.Request) {
		s, err := f.Status()
		if err != nil {
			report(w, err.Error())
			return
		}
		writeJSON(w, http.StatusOK, s)
	})
	return mux
}

// report answers 200, or 503 and the reason if there is one.
func report(w http.ResponseWriter, reason string) {
	status := http.StatusOK
	if reason != "" {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, struct {
		OK     bool   `json:"ok"`
		Reason string `json:"reason,omitempty"`
	}{reason == "", reason})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client is gone
}

// patience is for how many heartbeats the task of heartbeats may not come round before
// the program is taken to hang: a publication waits for a lock half a minute.
const patience = 5

// hangs says why the program is to be restarted; empty if it is not.
func (f *Follower) hangs() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	limit := max(patience*time.Duration(f.config.Heartbeat), time.Minute)
	if age := time.Since(f.turned); !f.began.IsZero() && age > limit {
		return fmt.Sprintf("no heartbeat was tried for %s", age.Round(time.Second))
	}
	return ""
}

// Alive reports whether the program does not hang.
func (f *Follower) Alive() bool { return f.hangs() == "" }

// notReady says why nothing can be published; empty if it can.
func (f *Follower) notReady() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.began.IsZero() {
		return "it has not begun"
	}
	return f.failed
}
