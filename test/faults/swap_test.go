package faults

import (
	"fmt"
	"testing"
)

// memorySlack is how much a process may grow by while it stays flat: the garbage
// collector lets a small heap double before it looks at it.
const memorySlack = 64 << 20

// TestSwapUnderLoad publishes one generation after another while clients ask.
func TestSwapUnderLoad(t *testing.T) {
	o := newOrigin(t, 100)
	generation := o.publish(t)
	o.served.Store(generation)
	d := serve(t, o.store)
	l := newLoad(o, d.addr).start()

	swaps := size(20, 200)
	const settled = 5 // swaps after which buffers and pools have their size
	var before int64
	for i := range swaps {
		if i == settled {
			before = d.memory()
		}
		o.publishTo(t, d)
		l.awaitRequests(t, 10)
	}
	after := d.memory()
	r := l.finish(t, "a new generation is published, under load", swaps)
	if after > before+memorySlack {
		t.Errorf("after %d swaps the process has %d octets, before %d", swaps, after, before)
	}
	await(t, "all mappings but those of the last generation gone", func() bool { return d.mappedObjects() == 1 })
	r.note = fmt.Sprintf("memory %d → %d MiB; old mappings gone", before>>20, after>>20)
	record(t, r)
	d.stop()
}
