package announce

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A Health asks the admin address of a lancred how it is.
type Health struct {
	URL    string        // such as http://127.0.0.1:9090
	Within time.Duration // after which no answer is one; /readyz takes microseconds
}

// client opens a connection for each question: a lancred that accepts none any more is
// dead, whatever goes on on those that are open.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Ask returns the state that a lancred is in, and why if that is not Ready: Ready if
// both /readyz and /freshz say 200, Stale if /readyz does, else Dead.
func (h Health) Ask(ctx context.Context) (s State, why string) {
	ctx, cancel := context.WithTimeout(ctx, h.Within)
	defer cancel()
	if why := h.get(ctx, "/readyz"); why != "" {
		return Dead, why
	}
	if why := h.get(ctx, "/freshz"); why != "" {
		return Stale, why
	}
	return Ready, ""
}

// get says why path does not answer 200; empty if it does.
func (h Health) get(ctx context.Context, path string) (why string) {
	address := strings.TrimSuffix(h.URL, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err.Error()
	}
	resp, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return ""
	}
	var said struct{ Reason string }
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&said) // what is no JSON gives no reason
	return fmt.Sprintf("%s: status %d %s", address, resp.StatusCode, said.Reason)
}
