package store

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
)

// A world is a store to which random things happen, beside a map that says what it
// must answer: decided when a response comes in, by its moment against the live
// answer, or by force; changed by nothing else. Long operations are prepared from a
// snapshot, and others happen before they are committed.
type world struct {
	t      *testing.T
	dir    string
	random *rand.Rand
	want   map[int64]said
	past   map[uint64]map[int64]said // by generation
	clock  time.Time
	ids    map[int64]index.CertID
	depth  int // of operations that happen while others are being prepared
	log    []string
}

// said is what the CA says of one serial.
type said struct {
	record
	moment index.Moment
}

const (
	worldSerials = 24
	worldShards  = 4
	maxDepth     = 2 // of operations within the preparation of others
)

var errCrash = errors.New("the process dies here")

// worldSteps is how many steps a world takes before the next one begins.
const worldSteps = 500

// TestAlgebra is the judge of everything that changes a store: after each step, every
// certificate is answered as the map says, by Lookup and Live, and the manifest counts
// what answers. ALGEBRA_STEPS says how many steps there are, or ALGEBRA_FOR how long they
// go on; ALGEBRA_SEED where they begin.
func TestAlgebra(t *testing.T) {
	steps, seed := worldSteps, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("ALGEBRA_STEPS")); err == nil {
		steps = n
	}
	if n, err := strconv.ParseUint(os.Getenv("ALGEBRA_SEED"), 10, 64); err == nil {
		seed = n
	}
	until := time.Now()
	if d, err := time.ParseDuration(os.Getenv("ALGEBRA_FOR")); err == nil {
		until = until.Add(d)
	}
	for ; steps > 0; seed++ {
		world := seed
		t.Run(strconv.FormatUint(world, 10), func(t *testing.T) {
			t.Parallel()
			runWorld(t, world, worldSteps)
		})
		steps -= worldSteps
	}
	for ; time.Now().Before(until); seed++ {
		runWorld(t, seed, worldSteps)
	}
}

// runWorld takes steps in a world of its own.
func runWorld(t *testing.T, seed uint64, steps int) {
	w := &world{
		t: t, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 13)), clock: start,
		want: make(map[int64]said), past: make(map[uint64]map[int64]said),
		ids: make(map[int64]index.CertID),
	}
	for serial := range int64(worldSerials) {
		w.ids[serial+1] = response(t, serial+1, 0).id
	}
	w.depth = maxDepth     // nothing happens meanwhile
	for w.past[1] == nil { // for there to be bases of everything; it may crash
		if err := w.build(); err != nil {
			t.Fatal(err)
		}
	}
	w.depth = 0
	for step := range steps {
		w.log = nil
		err := w.step()
		if err == nil {
			err = w.check()
		}
		if err != nil {
			t.Fatalf("ALGEBRA_SEED=%d, step %d, %v: %v", seed, step, w.log, err)
		}
	}
}

// step lets one thing happen.
func (w *world) step() error {
	w.clock = w.clock.Add(time.Duration(w.random.IntN(6)) * time.Hour)
	switch n := w.random.IntN(100); {
	case n < 45:
		return w.add(false)
	case n < 50:
		return w.add(true)
	case n < 62:
		return w.replace()
	case n < 74:
		return w.merge(MergePolicy{ExpiredAfter: 1 << 40})
	case n < 82:
		return w.merge(MergePolicy{ExpiredAfter: 1 << 40, IntoBase: true, MaxWrite: 1})
	case n < 88:
		return w.join()
	case n < 91:
		return w.rollback()
	case n < 94:
		return w.collect()
	case n < 97:
		return w.build()
	}
	return w.reopen()
}

// meanwhile lets other things happen while something is being prepared.
func (w *world) meanwhile() error {
	if w.depth == maxDepth {
		return nil
	}
	w.depth++
	defer func() { w.depth-- }()
	for range w.random.IntN(3) {
		if err := w.step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// says is something new of a serial: mostly around now, so that ties and older
// things come, too.
func (w *world) says(serial int64) said {
	at := w.clock.Add(-time.Duration(w.random.IntN(4)) * 12 * time.Hour).Truncate(12 * time.Hour)
	der := testCA.Sign(ocsp.Response{
		Status: statuses[w.random.IntN(len(statuses))], SerialNumber: big.NewInt(serial), RevokedAt: start,
		ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 1+w.random.IntN(4)),
	})
	var parsed index.Response
	if err := parsed.Parse(der); err != nil {
		w.t.Fatal(err)
	}
	return said{record{der: der, id: parsed.Singles[0].CertID}, parsed.Moment()}
}

// withdrawal is a tombstone of what is said by now.
func withdrawal(s said) said {
	s.tombstone = true
	return s
}

// open opens the current generation; nil if there is none yet.
func (w *world) open() (*Generation, error) {
	g, err := Open(w.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return g, err
}

// add puts a delta of a few things on top, those that are newer or, by force, all.
func (w *world) add(force bool) error {
	snapshot, err := w.open()
	if err != nil {
		return err
	}
	if snapshot != nil {
		defer snapshot.Close()
	}
	items := make(map[int64]said)
	for range 1 + w.random.IntN(5) {
		serial := 1 + w.random.Int64N(worldSerials)
		s := w.says(serial)
		if old, ok := w.want[serial]; ok && w.random.IntN(6) == 0 {
			items[serial] = withdrawal(old)
		} else if item, twice := items[serial]; (!twice || s.moment.Newer(item.moment)) && (!ok || force || s.moment.Newer(old.moment)) {
			items[serial] = s
		}
	}
	w.note("add %d, force %v", len(items), force)
	objects, line, err := w.segment(RoleDelta, index.Everything, items)
	if err != nil || len(items) == 0 {
		return err
	}
	defer objects.Close()
	if err := w.meanwhile(); err != nil {
		return err
	}
	if w.crashes(objects) {
		return nil
	}
	d := Delta{Snapshot: snapshot, Line: line, Stands: func(rec, now index.Record, found bool, _ *index.CertID) bool {
		return force || !found || rec.Newer(&now)
	}}
	before, now := w.answers(snapshot), w.current()
	p, err := objects.Begin()
	if err != nil {
		return err
	}
	defer p.Close()
	m, err := d.Commit(p, w.keepFiles)
	if err != nil {
		return err
	}
	for serial, s := range items {
		if before[serial] == now[serial] || force || now[serial] == "" || s.moment.Newer(w.want[serial].moment) {
			w.want[serial] = s
		}
	}
	return w.published(m)
}

// segment makes a segment of items.
func (w *world) segment(role string, shard index.Shard, items map[int64]said) (*Objects, SegmentLine, error) {
	objects, err := OpenObjects(w.dir)
	if err != nil {
		return nil, SegmentLine{}, err
	}
	var records []record
	for serial := range int64(worldSerials + 1) { // in order, so that a seed is a course of things
		if s, ok := items[serial]; ok {
			records = append(records, s.record)
		}
	}
	return objects, addSegment(w.t, objects, role, shard, records), nil
}

// replace replaces the base of a shard: by an input of a few things, each taken if it
// is newer than what the snapshot answers, and all else that that answers.
func (w *world) replace() error {
	shard := index.Shard{Index: uint32(w.random.IntN(worldShards)), Of: worldShards}
	return w.rebase([]index.Shard{shard}, true)
}

// build replaces all bases, by one or by one a shard. What the input lacks goes.
func (w *world) build() error {
	shards := []index.Shard{index.Everything}
	if w.random.IntN(2) == 0 {
		shards = nil
		for i := range uint32(worldShards) {
			shards = append(shards, index.Shard{Index: i, Of: worldShards})
		}
	}
	return w.rebase(shards, false)
}

func (w *world) rebase(shards []index.Shard, carry bool) error {
	snapshot, err := w.open()
	if err != nil {
		return err
	}
	if snapshot != nil {
		defer snapshot.Close()
	}
	w.note("rebase %v, carry %v", shards, carry)
	was := make(map[int64]said) // what the map says of the snapshot
	base, input := make(map[int64]said), make(map[int64]said)
	for serial, s := range w.want {
		was[serial] = s
	}
	for serial := range int64(worldSerials) {
		old, ok := was[serial+1]
		if carry && ok {
			base[serial+1] = old
		}
		if s := w.says(serial + 1); w.random.IntN(4) == 0 && (!ok || s.moment.Newer(old.moment)) {
			base[serial+1], input[serial+1] = s, s
		} else if ok {
			if w.random.IntN(4) > 0 { // the input has it as it is
				base[serial+1] = old
			}
		}
	}
	objects, err := OpenObjects(w.dir)
	if err != nil {
		return err
	}
	defer objects.Close()
	var bases []SegmentLine
	for _, shard := range shards {
		part := make([]record, 0)
		for serial := range int64(worldSerials) {
			if s, ok := base[serial+1]; ok && shard.Covers(s.id.SerialHash()) {
				part = append(part, w.asStored(snapshot, s))
			}
		}
		bases = append(bases, addSegment(w.t, objects, RoleBase, shard, part))
	}
	r, err := NewRebase(objects, snapshot, bases)
	if err != nil {
		return err
	}
	defer r.Close()
	before := w.answers(snapshot)
	if err := w.meanwhile(); err != nil {
		return err
	}
	if w.crashes(objects) {
		return nil
	}
	now := w.current()
	p, err := objects.Begin()
	if err != nil {
		return err
	}
	defer p.Close()
	m, err := r.Commit(p, w.keepFiles)
	if errors.Is(err, ErrMoved) {
		w.note("moved")
		return nil
	}
	if err != nil {
		return err
	}
	for serial := range int64(worldSerials) {
		serial++
		if id := w.ids[serial]; !covers(shards, &id) {
			continue
		}
		s, ok := base[serial]
		in, fromInput := input[serial]
		switch came := before[serial] != now[serial]; {
		case came && fromInput && (now[serial] == "" || in.moment.Newer(w.want[serial].moment)), !came && ok:
			w.want[serial] = s
		case !came:
			delete(w.want, serial)
		}
	}
	return w.published(m)
}

// asStored is what the map says as the snapshot stores it: what has expired may be a
// tombstone there.
func (w *world) asStored(snapshot *Generation, s said) record {
	if rec, found, err := snapshot.answer(&s.id); err == nil && found && rec.Tombstone() && rec.Moment() == s.moment {
		s.tombstone = true
	}
	return s.record
}

// merge does what the policy wants, with other things between each step and its
// commit.
func (w *world) merge(policy MergePolicy) error {
	w.note("merge %+v", policy)
	var died bool
	policy.prepared = func(objects *Objects) error {
		if err := w.meanwhile(); err != nil {
			return err
		}
		if died = w.crashes(objects); died {
			return errCrash
		}
		return nil
	}
	g, err := w.open()
	if g == nil || err != nil {
		return err
	}
	g.Close()
	if _, err := Merge(w.dir, policy, w.clock); err != nil && !(died && errors.Is(err, errCrash)) && !errors.Is(err, ErrMoved) {
		return err
	}
	return nil
}

// join joins deltas that no policy would.
func (w *world) join() error {
	g, err := w.open()
	if g == nil || err != nil {
		return err
	}
	defer g.Close()
	var deltas []int
	for i, l := range g.manifest.Segments {
		if l.Role == RoleDelta {
			deltas = append(deltas, i)
		}
	}
	if len(deltas) < 2 {
		return nil
	}
	first := w.random.IntN(len(deltas) - 1)
	deltas = deltas[first : first+2+w.random.IntN(len(deltas)-first-1)]
	w.note("join %v", deltas)
	died := false
	policy := MergePolicy{prepared: func(objects *Objects) error {
		if err := w.meanwhile(); err != nil {
			return err
		}
		if died = w.crashes(objects); died {
			return errCrash
		}
		return nil
	}}
	m := merging{dir: w.dir, g: g, policy: &policy, now: w.clock, result: new(MergeResult)}
	if err := m.do(mergeStep{deltas: deltas}); err != nil && !(died && errors.Is(err, errCrash)) && !errors.Is(err, ErrMoved) {
		return err
	}
	return nil
}

// rollback goes back to a generation of the history.
func (w *world) rollback() error {
	list, err := History(w.dir)
	if err != nil || len(list) == 0 {
		return err
	}
	g, err := w.open()
	if err != nil {
		return err
	}
	n := list[w.random.IntN(min(len(list), 20))]
	w.note("rollback to %d", n)
	current := g.manifest.Generation
	g.Close()
	m, err := Rollback(w.dir, n, current, Signing{}, w.clock)
	if err != nil {
		return err
	}
	for w.past[n] == nil && n > 0 { // a merge, which changes no answer
		n--
	}
	w.want = maps.Clone(w.past[n])
	return w.published(m)
}

// collect runs gc, which must leave what others have in the making.
func (w *world) collect() error {
	g, err := w.open()
	if g == nil || err != nil {
		return err
	}
	g.Close()
	w.note("gc")
	_, err = GC(w.dir, Keep{Generations: w.random.IntN(5), Since: time.Duration(w.random.IntN(48)) * time.Hour}, w.clock)
	return err
}

// reopen verifies the store from the ground.
func (w *world) reopen() error {
	g, err := w.open()
	if g == nil || err != nil {
		return err
	}
	g.Close()
	w.note("verify")
	return Verify(w.dir, nil, func(f *Fault) { w.t.Log(f) })
}

// crashes lets the process that prepared objects die, now and then: nothing is
// cleaned up, its locks are gone.
func (w *world) crashes(objects *Objects) bool {
	if w.random.IntN(12) > 0 {
		return false
	}
	w.note("crash")
	objects.claim.Close()
	objects.claim = nil
	return true
}

// keepFiles leaves the files of a manifest as they are.
func (w *world) keepFiles(next *Manifest) error {
	next.Origin, next.Created = "test", w.clock
	return nil
}

// published notes what the generation that was just published is to answer.
func (w *world) published(m *Manifest) error {
	w.past[m.Generation] = maps.Clone(w.want)
	return nil
}

// current is what the current generation answers.
func (w *world) current() map[int64]string {
	g, err := w.open()
	if err != nil {
		w.t.Fatal(err)
	}
	if g != nil {
		defer g.Close()
	}
	return w.answers(g)
}

// answers is what g, nil for none, answers, by serial.
func (w *world) answers(g *Generation) map[int64]string {
	all := make(map[int64]string)
	for serial := range int64(worldSerials) {
		id := w.ids[serial+1]
		if rec, found, err := g.answer(&id); err != nil {
			w.t.Fatal(err)
		} else if found {
			all[serial+1] = rawAnswer(rec)
		}
	}
	return all
}

// rawAnswer is what rec holds.
func rawAnswer(rec index.Record) string {
	if rec.Tombstone() {
		return fmt.Sprintf("tombstone of %s %v", rec.Status(), rec.Moment())
	}
	return string(rec.AppendResponse(nil))
}

// toClients is what clients are answered by what a record holds: what has expired is
// as a tombstone to them.
func (w *world) toClients(raw string) string {
	var parsed index.Response
	expired := parsed.Parse([]byte(raw)) == nil && parsed.NextUpdate <= w.clock.Unix()
	if expired || strings.HasPrefix(raw, "tombstone") {
		return "tombstone"
	}
	return raw
}

// expected is what clients are to be answered by s.
func (w *world) expected(s said) string {
	var parsed index.Response
	if err := parsed.Parse(s.der); err != nil {
		w.t.Fatal(err)
	}
	if s.tombstone || parsed.NextUpdate <= w.clock.Unix() {
		return "tombstone"
	}
	return string(s.der)
}

// check compares the store with the map.
func (w *world) check() error {
	g, err := w.open()
	if g == nil || err != nil {
		return err
	}
	defer g.Close()
	got := w.answers(g)
	for serial := int64(1); serial <= worldSerials; serial++ {
		want := ""
		if s, ok := w.want[serial]; ok {
			want = w.expected(s)
		}
		if answer := w.toClients(got[serial]); answer != want {
			id := w.ids[serial]
			var rec index.Record
			at, _ := g.stack.find(id.Key(), &id, &rec, nil)
			line := -1
			if at != nil {
				line = at.line
			}
			s := w.want[serial]
			return fmt.Errorf("generation %d answers %.20q for serial %d, want %.20q; line %d has %+v (tombstone %v), want %+v (tombstone %v); clock %d",
				g.manifest.Generation, answer, serial, want, line, rec.Moment(), rec.Tombstone(), s.moment, s.tombstone, w.clock.Unix())
		}
	}
	live := 0
	err = g.Live(func(r LiveRecord) bool { live += len(r.CertIDs); return true })
	if err == nil && live != len(w.want) {
		err = fmt.Errorf("%d CertIDs are live, want %d", live, len(w.want))
	}
	if err != nil {
		return err
	}
	counts, err := g.Count()
	if err != nil {
		return err
	}
	var want Manifest
	counts.Fill(&want)
	if !slices.Equal(g.manifest.Live, want.Live) || !slices.Equal(g.manifest.Due, want.Due) {
		return fmt.Errorf("the manifest counts\n%+v\n%+v\nwhat answers gives\n%+v\n%+v", g.manifest.Live, g.manifest.Due, want.Live, want.Due)
	}
	return nil
}
