package build

import (
	"fmt"

	"lancre/index/store"
)

// openPrevious opens the generation that is being replaced, if there is one. One
// that cannot be opened is as none where the operator wants that.
func (b *builder) openPrevious() error {
	if b.publication.Previous() == nil {
		return nil
	}
	g, err := store.Open(b.config.Out)
	if err == nil {
		b.previous = g
		return nil
	}
	reason := fmt.Sprintf("nothing is compared with the previous generation: %v", err)
	if b.found(checkPrevious, Place{Source: b.config.Out}, "", reason) {
		return fmt.Errorf("%s (to build without comparing: --force %s)", reason, checkPrevious)
	}
	return nil
}

func (b *builder) closePrevious() {
	if b.previous != nil {
		b.previous.Close()
	}
}
