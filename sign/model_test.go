package sign

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lancre/index"
)

// Random days of a CA, with keys that fail under way and stores that lag behind: whatever
// happens, a certificate that was ever said to be revoked is never said to be good, and
// after a run that ended well everyone knows what the list says.
func TestRandomDays(t *testing.T) {
	for seed := range uint64(2) {
		random := rand.New(rand.NewPCG(seed, 16))
		w := newWorld(t, 30)
		w.late = true
		m := &model{revoked: make(map[int]bool)}
		for range 25 {
			w.now = w.now.Add(time.Duration(random.IntN(12*3600)) * time.Second)
			m.live(w, random)
			var signatures atomic.Int32
			limit := int32(random.IntN(60))
			report, err := w.run(func(c *Config) {
				switch random.IntN(4) {
				case 0:
					c.Key = flakyKey{w.key, func() bool { return signatures.Add(1) > limit }}
				case 1:
					c.Max = uint64(limit)
				}
			})
			if report == nil || err != nil && !strings.Contains(err.Error(), "were not signed") && !strings.Contains(err.Error(), "were revoked before") {
				t.Fatalf("seed %d: %v", seed, err)
			}
			m.check(w, report.Signed == report.Planned())
			if random.IntN(2) == 0 {
				w.publishPrivate()
			}
		}
	}
}

// A model is what a list said at any time.
type model struct {
	revoked map[int]bool // and was said to be
}

// live has something happen to a few certificates.
func (m *model) live(w *world, random *rand.Rand) {
	for range random.IntN(4) {
		serial := 1 + random.IntN(60)
		switch random.IntN(4) {
		case 0:
			w.good(serial) // new, as before, or what must not be
		case 1:
			if !strings.HasPrefix(w.list[serial], "revoked") {
				w.revoke(serial, 1)
			}
		case 2:
			w.goodUntil(serial, w.now.Add(time.Duration(random.IntN(100))*time.Hour))
		}
	}
}

// check compares what is known of each certificate, in the store or on its way there,
// with the model and, after a run that signed all, with the list.
func (m *model) check(w *world, whole bool) {
	w.t.Helper()
	c := w.config()
	c.DryRun, c.Key = true, nil
	r := &run{Config: &c, report: &Report{At: w.now}}
	if err := r.openResponder(); err != nil {
		w.t.Fatal(err)
	}
	r.out = must(openOutput(c.Out, w.now))
	defer r.out.close()
	r.state = must(c.openState(must(r.out.pending())))
	defer r.state.close()
	for serial := 1; serial <= 60; serial++ {
		all := must(r.find(serialOctets(serial)))
		for _, last := range all[:len(r.Hashes)] {
			if m.revoked[serial] && last.status.status != index.Revoked {
				w.t.Fatalf("serial %d was revoked, now it is %s", serial, last.status)
			}
			fields := strings.Split(w.list[serial], ",")
			if !whole || len(fields) < 2 || must(certEnd(fields[1])) <= w.now.Unix() {
				continue
			}
			if want := fields[0] == "revoked" || m.revoked[serial]; !last.known || last.nextUpdate <= w.now.Unix() || want != (last.status.status == index.Revoked) {
				w.t.Fatalf("serial %d: last is %+v, but the list says %s", serial, last, w.list[serial])
			}
			if age := w.now.Unix() - last.thisUpdate; age > int64(0.375*168*3600) {
				w.t.Fatalf("serial %d: last is %d s old, want at most three eighths of a week", serial, age)
			}
		}
		for _, last := range all {
			m.revoked[serial] = m.revoked[serial] || last.known && last.status.status == index.Revoked
		}
	}
}
