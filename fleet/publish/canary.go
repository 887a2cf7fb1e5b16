package publish

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"lancre/internal/health"
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
	if _, err := health.Ask(ctx, http.MethodPost, url, "/reload"); err != nil {
		return fmt.Errorf("canary %w", err)
	}
	served, err := health.Ask(ctx, http.MethodGet, url, "/readyz")
	if err != nil {
		return fmt.Errorf("canary %w", err)
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
