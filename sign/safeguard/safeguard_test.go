package safeguard

import (
	"math"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		settings Settings
		want     string
	}{
		{Default(), ""},
		{Settings{MaxShrink: 100, Force: []string{Clock}}, ""},
		{Settings{MaxShrink: math.NaN()}, "--max-shrink"},
		{Settings{MaxShrink: -1}, "--max-shrink"},
		{Settings{MaxShrink: 101}, "a list may shrink by 101 % (--max-shrink); want 0 to 100"},
		{Settings{Force: []string{Clock, "everything"}}, `"everything" cannot be forced: want sign.clock or other`},
	} {
		err := tt.settings.Check([]string{Clock, "other"})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: error %v, want %q", tt.settings, err, tt.want)
		}
	}
}

func TestShrunk(t *testing.T) {
	s := Default()
	for _, tt := range []struct {
		gone, all uint64
		want      bool
	}{{0, 0, false}, {5, 100, false}, {6, 100, true}, {1, 1, true}, {1, 20, false}, {1, 19, true}} {
		if got := s.Shrunk(tt.gone, tt.all); got != tt.want {
			t.Errorf("%d of %d: %v", tt.gone, tt.all, got)
		}
	}
}
