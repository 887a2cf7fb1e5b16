package parallel

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// Whatever n is, each number is done once, by no more functions than there are processors.
func TestEach(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 1000} {
		done := make([]atomic.Int32, n)
		var workers atomic.Int32
		Each(n, func() func(int) {
			workers.Add(1)
			own := 0 // the race detector tells whether another goroutine has it too
			return func(i int) {
				own++
				done[i].Add(1)
			}
		})
		for i := range done {
			if times := done[i].Load(); times != 1 {
				t.Errorf("%d of %d was done %d times", i, n, times)
			}
		}
		if got, want := int(workers.Load()), min(n, runtime.GOMAXPROCS(0)); got != want {
			t.Errorf("%d workers for %d numbers, want %d", got, n, want)
		}
	}
}
