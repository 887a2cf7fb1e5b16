// Package interrupt ends the waiting for what cannot be interrupted itself: a FIFO that
// nobody opens, a pipe that nobody writes to, a disk that does not answer.
package interrupt

import "context"

// Do returns what f returns or, if ctx ends first, its cause. Then f goes on, and what
// comes of it is lost: f must be one that only reads, and the process about to end.
func Do[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
