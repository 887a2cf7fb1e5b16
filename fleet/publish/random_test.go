package publish

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/index/store"
)

// TestAnyOrder does what can happen to a bucket in any order: generations, publications
// that are cut short at any request, time that passes, objects that are lost, an origin
// that is restored, another one. After each step the bucket has one generation of the
// origin, whole, none older than before, and so has each manifest of its history that is
// to be kept; and once nothing is in the way, the origin's latest.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newChance(t, seed)
			for range 40 {
				w.step()
				w.judge()
				if t.Failed() {
					t.Fatalf("after\n%s", strings.Join(w.done, "\n"))
				}
			}
		})
	}
}

// A chance is a bucket, its origin and another one, and what has happened to them.
type chance struct {
	t             *testing.T
	random        *rand.Rand
	at            target
	origin, other *originStore
	last          uint64 // generation that the bucket had
	lost          bool   // objects of the bucket that nobody has seen to be gone
	lossy         bool   // any ever, that manifests of the history may name
	done          []string
}

func newChance(t *testing.T, seed uint64) *chance {
	dir := filepath.Join(t.TempDir(), "bucket")
	w := &chance{t: t, random: rand.New(rand.NewPCG(seed, 0)), at: openTarget(t, dir, dir), origin: newOrigin(t), other: newOrigin(t)}
	w.origin.add("first")
	w.other.add("another")
	w.publish(1 << 30)
	return w
}

func (w *chance) step() {
	for range w.random.IntN(3) {
		m := w.origin.add(fmt.Sprint(w.random.Uint64()))
		w.did("generation %d", m.Generation)
	}
	switch w.random.IntN(8) {
	case 0, 1:
		w.publish(1 << 30)
	case 2, 3:
		w.publish(1 + w.random.Int64N(20))
	case 4, 5:
		w.pass(time.Duration(w.random.Int64N(int64(10 * time.Hour))))
	case 6:
		w.lose()
	case 7:
		w.restore()
	}
	_, err := w.other.publish(w.at.bucket)
	wantError(w.t, "another origin", err, "another origin publishes there")
}

func (w *chance) did(format string, args ...any) {
	w.done = append(w.done, fmt.Sprintf(format, args...))
}

// publish publishes with so many requests at most, and what is whole then must be so.
func (w *chance) publish(requests int64) {
	f := &fragile{Bucket: w.at.bucket, last: requests, late: w.random.IntN(2) == 0}
	parallel := func(c *Config) { c.Parallel = 1 + w.random.IntN(3) }
	r, err := w.origin.publish(f, parallel)
	w.did("published: %+v, %v", r, err)
	if f.n.Load() < requests {
		check(w.t, err)
		r, err = w.origin.publish(w.at.bucket, parallel) // of what is there: what is lost is seen
		check(w.t, err)
		w.did("again: %+v", r)
		m, err := store.ReadManifest(w.origin.dir)
		check(w.t, err)
		w.at.whole(w.t, m)
		w.lost = false
	}
}

// pass has time pass: all in the bucket is that much older.
func (w *chance) pass(d time.Duration) {
	w.did("%v later", d)
	check(w.t, filepath.WalkDir(w.at.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		then := info.ModTime().Add(-d)
		return os.Chtimes(path, then, then)
	}))
}

// lose loses an object of the bucket.
func (w *chance) lose() {
	entries, err := w.at.bucket.List(w.t.Context(), objectsDir)
	check(w.t, err)
	e := entries[w.random.IntN(len(entries))]
	check(w.t, w.at.bucket.Remove(w.t.Context(), e.Name))
	w.did("lost %s", e.Name)
	w.lost, w.lossy = true, true
}

// restore makes the origin anew of what is published.
func (w *chance) restore() {
	if w.lost {
		return
	}
	created := w.origin.created
	o, m, err := restore(w.t, w.at.bucket)
	check(w.t, err)
	w.did("restored %d", m.Generation)
	o.created = created
	w.origin = o
}

// judge looks at what the bucket has.
func (w *chance) judge() {
	w.t.Helper()
	m := w.at.manifest(w.t)
	if m.Generation < w.last {
		w.t.Errorf("generation %d after %d", m.Generation, w.last)
	}
	w.last = m.Generation
	if w.lost {
		return
	}
	w.at.sound(w.t, m)
	if w.lossy {
		return
	}
	past, err := w.at.bucket.List(w.t.Context(), historyDir)
	check(w.t, err)
	for _, e := range past {
		if time.Since(e.Modified) > DefaultConfig().Retain {
			continue
		}
		text, err := os.ReadFile(filepath.Join(w.at.dir, e.Name))
		check(w.t, err)
		old, err := store.ParseManifest(text)
		check(w.t, err)
		w.at.sound(w.t, old)
	}
}
