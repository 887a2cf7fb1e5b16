package interrupt_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"lancre/internal/interrupt"
)

func TestDo(t *testing.T) {
	failed := errors.New("failed")
	if v, err := interrupt.Do(t.Context(), func() (int, error) { return 7, failed }); v != 7 || err != failed {
		t.Errorf("got %d, %v, want what the function returns", v, err)
	}
	silent, w := io.Pipe() // which is never written to
	defer w.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := interrupt.Do(ctx, func() ([]byte, error) {
		cancel(failed)
		return io.ReadAll(silent)
	})
	if err != failed {
		t.Errorf("ended with %v, want the cause", err)
	}
}
