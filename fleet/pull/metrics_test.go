package pull

import (
	"os"
	"strings"
	"testing"

	"lancre/internal/metricstest"
)

// docs/METRICS.md names exactly the metrics there are, and the values of their labels.
func TestMetricsAreDocumented(t *testing.T) {
	e := newEdge(t, newOrigin(t))
	metricstest.Compare(t, "../../docs/METRICS.md", "## lancred pull", e.metrics.registry)
	text, err := os.ReadFile("../../docs/METRICS.md")
	check(t, err)
	for _, reason := range refusals {
		if !strings.Contains(string(text), "\n| `"+reason+"` | ") {
			t.Errorf("docs/METRICS.md has no row of %s", reason)
		}
	}
	for _, cause := range failures {
		if !strings.Contains(string(text), "`"+cause+"`") {
			t.Errorf("docs/METRICS.md does not name %s", cause)
		}
	}
}
