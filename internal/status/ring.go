package status

import "sync"

// Minutes is how many of them a Ring remembers.
const Minutes = 60

// A Ring remembers, by the minute, how counters grew. It is safe for concurrent use.
type Ring struct {
	mu     sync.Mutex
	before []uint64 // what the counters had at the last minute
	grown  [Minutes][]uint64
	next   int
	full   bool
}

// Tick tells what the counters have, always as many and in the same order. The first call
// is the beginning, the others come a minute apart.
func (r *Ring) Tick(counters []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.before != nil {
		grown := make([]uint64, len(counters))
		for i, n := range counters {
			grown[i] = n - r.before[i]
		}
		r.grown[r.next] = grown
		if r.next++; r.next == Minutes {
			r.next, r.full = 0, true
		}
	}
	r.before = counters
}

// Of is how counter i grew in each minute, oldest first, and since the last one in the
// end, when it has now.
func (r *Ring) Of(i int, now uint64) (minutes []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.before == nil {
		return nil
	}
	first := 0
	if r.full { // the oldest gives way to the minute that has begun
		first = r.next + 1
	}
	count := r.next
	if r.full {
		count = Minutes - 1
	}
	for k := range count {
		minutes = append(minutes, r.grown[(first+k)%Minutes][i])
	}
	return append(minutes, now-r.before[i])
}
