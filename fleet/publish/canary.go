package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// canaryTimeout bounds each question to the canary: it loads a generation when asked, of
// whatever size.
const canaryTimeout = 10 * time.Minute

// askCanary has the lancred whose admin URL is given load what its store has, and wants
// it to serve the generation and to be ready. Where it serves a newer one already, the
// error is ErrChanged.
func askCanary(ctx context.Context, url string, generation uint64) error {
	ctx, cancel := context.WithTimeout(ctx, canaryTimeout)
	defer cancel()
	url = strings.TrimSuffix(url, "/")
	if _, err := askOnce(ctx, http.MethodPost, url+"/reload"); err != nil {
		return err
	}
	served, err := askOnce(ctx, http.MethodGet, url+"/readyz")
	if err != nil {
		return err
	}
	if served == generation {
		return nil
	}
	err = fmt.Errorf("canary %s serves generation %d, not %d: does it serve this store?", url, served, generation)
	if served > generation { // the next one came just now
		err = fmt.Errorf("%w %w", err, ErrChanged)
	}
	return err
}

// askOnce returns the generation that is being served, if the answer is that all is
// well.
func askOnce(ctx context.Context, method, url string) (generation uint64, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, fmt.Errorf("canary: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("canary: %w", err)
	}
	defer resp.Body.Close()
	var report struct {
		Reason     string
		Generation uint64
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&report); err != nil {
		return 0, fmt.Errorf("canary %s: %s, and no report: %w", url, resp.Status, err)
	}
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("canary %s: %s: %s", url, resp.Status, report.Reason)
	}
	return report.Generation, nil
}
