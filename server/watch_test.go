package server

import (
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index"
	"lancre/index/store"
)

// Row I101: a manifest comes before one of its objects, which comes a little later. It is
// the look for what was missing that finds it, long before the next poll.
func TestObjectAfterItsManifest(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	next := t.TempDir()
	if err := os.CopyFS(next, os.DirFS(e.dir)); err != nil {
		t.Fatal(err)
	}
	m := publish(t, next, content{segments: [][]entry{good("06")}})
	object := filepath.Join("objects", m.Segments[0].SHA256)

	e.serve(t)
	await(t, e, func() bool { // it is watched: then comes one look for the manifest, and no other
		_, text := e.admin("GET", "/metrics")
		return strings.Contains(text, `lancred_reloads_total{result="unchanged"} 1`)
	})
	writeFile(t, filepath.Join(e.dir, "manifest"), readFile(t, filepath.Join(next, "manifest")))
	await(t, e, func() bool { return strings.Contains(e.log.String(), "generation refused") })
	e.post(t, ask("05", crypto.SHA1)).isServed(t, respondedFor(t, e, ask("05", crypto.SHA1)))
	writeFile(t, filepath.Join(e.dir, object), readFile(t, filepath.Join(next, object)))
	awaitGeneration(t, e, 2)
	await(t, e, func() bool { return strings.Count(e.log.String(), "generation served") == 2 }) // logged a moment later
	wantLogged(t, e, "generation served", 2, `why="looking again for what was missing"`)
}

// Where an object stays missing there are some looks in the first second, and in the end
// as many as there are polls. A newer manifest, or another object, begins anew.
func TestScheduleOfLooks(t *testing.T) {
	missing := func(object string) error {
		dir := t.TempDir()
		m := publish(t, dir, content{segments: [][]entry{good(object)}})
		remove(t, store.ObjectPath(dir, m.Segments[0].SHA256))
		_, err := store.Open(dir)
		return err
	}
	one, another := missing("05"), missing("06")
	const ms = time.Millisecond
	var next schedule
	for i, c := range []struct {
		err  error
		want time.Duration
		why  string
	}{
		{nil, pollEvery, "polled"},
		{errors.New("damaged"), pollEvery, "polled"},
		{fmt.Errorf("no manifest: %w", fs.ErrNotExist), pollEvery, "polled"},
		{one, 100 * ms, "looking again for what was missing"},
		{one, 200 * ms, "looking again for what was missing"},
		{one, 400 * ms, "looking again for what was missing"},
		{another, 100 * ms, "looking again for what was missing"},
		{another, 200 * ms, "looking again for what was missing"},
		{nil, pollEvery, "polled"},
		{another, 100 * ms, "looking again for what was missing"},
	} {
		if got := next.after(c.err); got != c.want || next.why() != c.why {
			t.Errorf("look %d ended with %v: the next is after %v, %q, want %v, %q", i, c.err, got, next.why(), c.want, c.why)
		}
	}
	for range 20 {
		next.after(another)
	}
	if next.wait != pollEvery {
		t.Errorf("in the end it is looked every %v, want %v", next.wait, pollEvery)
	}
}

// A delta is read through before it is served: its last record is bad.
func TestDeltaIsCheckedBeforeItIsServed(t *testing.T) {
	base := good("05")
	e := newEdge(t, content{segments: [][]entry{base}})
	m := publish(t, e.dir, content{segments: [][]entry{good("06", "07", "08"), base}})
	path := store.ObjectPath(e.dir, m.Segments[0].SHA256)
	g, err := store.Open(e.dir)
	if err != nil {
		t.Fatal(err)
	}
	var last int64
	for rec := range records(g) {
		if at := rec.Offset() + int64(rec.Size()) - 1; at > last {
			last = at
		}
	}
	g.Close()
	b := readFile(t, path)
	b[last] ^= 1
	writeFile(t, path, b)
	wantReload(t, e, Refused, "checksum")
	if o := e.probe(ask("05", crypto.SHA1)); o != served {
		t.Errorf("the generation before answers %s", defaultOutcomes[o].name)
	}
}

// A base that leaves out what a delta below it has takes it away: nobody asks for it to
// see whether this edge is ready. What the base is not for is reached below it still.
func TestCanaryBelowABase(t *testing.T) {
	low, high := ofShard(0), ofShard(1)
	for _, c := range []struct {
		below  []string // serials in the delta below a base of shard 0
		canary string   // which of them is asked for; "" for none
	}{
		{low[:1], ""}, {slices.Concat(low[:3], high[:1]), high[0]},
	} {
		delta, base := good(c.below...), good("7f")
		e := newEdge(t, content{segments: [][]entry{delta, base}})
		wantAdmin(t, e, "GET", "/readyz", 200, "")
		publish(t, e.dir, content{segments: [][]entry{good(low[3]), delta, base}})
		m, err := store.ReadManifest(e.dir)
		if err != nil {
			t.Fatal(err)
		}
		m.Segments[0].Role, m.Segments[0].Shard.Of = store.RoleBase, 2
		writeFile(t, filepath.Join(e.dir, "manifest"), m.Encode())
		for _, at := range []*edge{e, newEdgeOver(t, e.dir)} { // by a swap, and from the start
			if at == e {
				wantReload(t, e, Swapped, "")
			}
			wantAdmin(t, at, "GET", "/readyz", 200, "")
			got := at.current.Load().canaries[1]
			if got == nil != (c.canary == "") || got != nil && string(got.request) != string(ask(c.canary, crypto.SHA1)) {
				t.Errorf("of %v the canary is %v, want %q", c.below, got, c.canary)
			}
		}
	}
}

// ofShard are four serials, below 7f, of one of two shards.
func ofShard(number uint32) (serials []string) {
	for n := byte(1); len(serials) < 4; n++ {
		id := index.CertID{Serial: []byte{n}}
		if (index.Shard{Index: number, Of: 2}).Covers(id.SerialHash()) {
			serials = append(serials, fmt.Sprintf("%02x", n))
		}
	}
	return serials
}
