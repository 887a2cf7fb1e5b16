package index

import (
	"errors"
	"fmt"
)

// CheckSections compares the checksum of every section. It reads the whole file,
// at the speed of memory where that is warm, and finds accidents; Verify finds
// what was written wrongly, too. It calls pause after every 2 MiB, as Warm does.
func (s *Segment) CheckSections(pause func()) error {
	var errs []error
	v := verifier{Segment: s, report: func(f *Fault) { errs = append(errs, f) }, keep: true, pause: pause}
	v.sections()
	if len(errs) > 0 {
		return fmt.Errorf("%w: the file was changed or damaged; copy it again", errors.Join(errs...))
	}
	return nil
}
