// Package safeguard is what keeps a run from signing by a list that is not whole, or a clock
// that is wrong, and how an operator lifts a safeguard on purpose.
package safeguard

import (
	"fmt"
	"slices"
	"strings"
)

// Clock, as an element of Force, has the clock be right that differs much from what was
// signed before.
const Clock = "sign.clock"

// Settings are those of a run. Begin with Default.
type Settings struct {
	// MaxShrink is how many percent of what was signed before may be gone from the list.
	// Default: 5.
	MaxShrink float64

	// Force lifts safeguards for this run: see Forceable of who has these settings.
	Force []string
}

// Default lifts none.
func Default() Settings { return Settings{MaxShrink: 5} }

// Check says what is wrong with s, where the given safeguards can be lifted; nil if nothing
// is.
func (s *Settings) Check(forceable []string) error {
	if !(s.MaxShrink >= 0 && s.MaxShrink <= 100) { // also if it is NaN
		return fmt.Errorf("a list may shrink by %v %% (--max-shrink); want 0 to 100", s.MaxShrink)
	}
	for _, id := range s.Force {
		if !slices.Contains(forceable, id) {
			return fmt.Errorf("%q cannot be forced: want %s", id, strings.Join(forceable, " or "))
		}
	}
	return nil
}

// Forced reports whether that safeguard is lifted.
func (s *Settings) Forced(id string) bool { return slices.Contains(s.Force, id) }

// Shrunk reports whether a list lacks too many: so many are gone, of all.
func (s *Settings) Shrunk(gone, all uint64) bool {
	return float64(gone)*100 > s.MaxShrink*float64(all)
}
