package build

import "fmt"

// A RefusedError says that what was read is at fault, as the Rejections of the Report
// tell: the same again will be refused again. All other errors are of the system, or of
// what a run was told, and may pass.
type RefusedError struct{ text string }

func (e *RefusedError) Error() string { return e.text }

func refusedf(format string, args ...any) error {
	return &RefusedError{fmt.Sprintf(format, args...)}
}
