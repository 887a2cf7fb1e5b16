package announce

import (
	"context"
	"net/http"
	"time"

	"lancre/internal/health"
)

// A Health asks the admin address of a lancred how it is.
type Health struct {
	URL    string        // such as http://127.0.0.1:9090
	Within time.Duration // after which no answer is one; /readyz takes microseconds
}

// Ask returns the state that a lancred is in, and why if that is not Ready: Ready if
// both /readyz and /freshz say 200, Stale if /readyz does, else Dead.
func (h Health) Ask(ctx context.Context) (s State, why string) {
	ctx, cancel := context.WithTimeout(ctx, h.Within)
	defer cancel()
	if _, err := health.Ask(ctx, http.MethodGet, h.URL, "/readyz"); err != nil {
		return Dead, err.Error()
	}
	if _, err := health.Ask(ctx, http.MethodGet, h.URL, "/freshz"); err != nil {
		return Stale, err.Error()
	}
	return Ready, ""
}
