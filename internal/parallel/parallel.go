// Package parallel shares work out to all processors.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each does what is to be done for each number below n, and returns when that is done.
// Numbers are begun in their order. worker is called by each goroutine, of which there is
// one for a processor, for a function that it has to itself.
func Each(n int, worker func() (do func(i int))) {
	var workers sync.WaitGroup
	var taken atomic.Int64
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			do := worker()
			for i := int(taken.Add(1) - 1); i < n; i = int(taken.Add(1) - 1) {
				do(i)
			}
		})
	}
	workers.Wait()
}
