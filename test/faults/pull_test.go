package faults

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lancre/index/store"
)

// A hostility is what a source does in the place of serving what was published last.
type hostility struct {
	name  string
	trick func() func(w http.ResponseWriter, r *http.Request) bool // made when a generation was published
	says  string                                                   // in the log
}

// hostilities are those that are tried; d is a host to be led to, p the puller, and
// lastWeek an older manifest.
func (f *feed) hostilities(t *testing.T, p, d *daemon, lastWeek []byte) []hostility {
	content := func(do func(w http.ResponseWriter, content []byte)) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if isObject(r) {
				do(w, f.object(t, r))
			}
			return isObject(r)
		}
	}
	changed := func(change func(m *store.Manifest)) func() func(http.ResponseWriter, *http.Request) bool {
		return func() func(http.ResponseWriter, *http.Request) bool { return f.rewrite(t, change) }
	}
	always := func(trick func(http.ResponseWriter, *http.Request) bool) func() func(http.ResponseWriter, *http.Request) bool {
		return func() func(http.ResponseWriter, *http.Request) bool { return trick }
	}
	return []hostility{
		{"cut object", always(content(func(w http.ResponseWriter, c []byte) {
			w.Header().Set("Content-Length", strconv.Itoa(len(c)))
			w.Write(c[:len(c)/2])
		})), "unexpected EOF"},
		{"flipped object", always(content(func(w http.ResponseWriter, c []byte) { c[len(c)/2] ^= 1; w.Write(c) })), "with sha256"},
		{"swapped object", always(content(func(w http.ResponseWriter, c []byte) { w.Write(make([]byte, len(c))) })), "with sha256"},
		{"longer object", always(content(func(w http.ResponseWriter, c []byte) {
			w.Header().Set("Content-Length", strconv.Itoa(len(c)+1))
			w.Write(append(c, 0))
		})), "octets come, want"},
		{"endless object", always(content(func(w http.ResponseWriter, c []byte) {
			for err := error(nil); err == nil; {
				_, err = w.Write(c)
			}
		})), "more than the"},
		{"status 500", always(status(500)), "status 500"},
		{"status 404", always(status(404)), "status 404"},
		{"redirect", always(func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "http://"+d.addr+"/", http.StatusFound)
			return true
		}), "redirects are not followed"},
		{"unsigned manifest", func() func(http.ResponseWriter, *http.Request) bool {
			m, err := store.ReadManifest(f.store)
			check(t, err)
			return func(w http.ResponseWriter, r *http.Request) bool { return serveManifest(w, r, m.Encode()) }
		}, "no signature"},
		{"manifest signed by a stranger", func() func(http.ResponseWriter, *http.Request) bool {
			m, err := store.ReadManifest(f.store)
			check(t, err)
			text := signBy(t, m, stranger(t))
			return func(w http.ResponseWriter, r *http.Request) bool { return serveManifest(w, r, text) }
		}, "want one of"},
		{"manifest of another origin", changed(func(m *store.Manifest) { m.Origin = "another.example.org" }), "good for its own origin only"},
		{"same number, other content", changed(func(m *store.Manifest) { m.Generation, m.Held = published(t, p.store), 9 }), "with another content"},
		{"number far ahead", changed(func(m *store.Manifest) { m.Generation = uint64(time.Now().Add(48 * time.Hour).Unix()) }), "more than 24h0m0s ahead"},
		{"last week's bucket", always(func(w http.ResponseWriter, r *http.Request) bool { return serveManifest(w, r, lastWeek) }), ""},
	}
}

// TestPullFromHostile has the source of an edge do everything but what it should. What is
// served is untouched, and the next good generation is served.
func TestPullFromHostile(t *testing.T) {
	f := newFeed(t, 20)
	p, d := f.serve(t)
	lastWeek, err := os.ReadFile(filepath.Join(f.store, "manifest"))
	check(t, err)
	f.follow(t, d)
	l := newLoad(f.origin, d.addr).start()
	tricks := f.hostilities(t, p, d, lastWeek)
	for _, trick := range tricks {
		before := p.metric("lancred_pull_polls_total", "")
		behind := p.metric("lancred_pull_behind_total", "")
		f.play(status(503)) // until the trick is made for what is published now
		f.publish(t)
		said := p.logged()
		f.play(trick.trick())
		if trick.says != "" {
			awaitText(t, p, said, trick.says)
		} else {
			await(t, "an answer that is behind", func() bool { return p.metric("lancred_pull_behind_total", "") > behind })
		}
		l.awaitRequests(t, 20)
		await(t, "a poll beside "+trick.name, func() bool { return p.metric("lancred_pull_polls_total", "") > before })
		f.play(nil)
		p.signal(syscall.SIGHUP)
		d.awaitGeneration(t, f.number(t))
		f.served.Store(f.published.Load())
	}
	r := l.finish(t, "a source is hostile: objects, answers and manifests of all kinds, then an honest one", len(tricks))
	r.lost = lostGenerations(t, p.store, f.number(t), f.number(t))
	r.note = "each refused in the log of `lancred pull` and in its metrics"
	record(t, r)
	p.stop()
	d.stop()
}

// logged is how many lines d has logged.
func (d *daemon) logged() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.log)
}

// awaitText waits until some line of the log, behind so many, has the text.
func awaitText(t *testing.T, d *daemon, behind int, text string) {
	t.Helper()
	await(t, text, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, l := range d.log[behind:] {
			if l.contains("err", text) {
				return true
			}
		}
		return false
	})
}

// TestKillPull kills lancred pull at random moments of its work.
func TestKillPull(t *testing.T) {
	f := newFeed(t, 50)
	p, d := f.serve(t)
	l := newLoad(f.origin, d.addr).start()
	first := f.number(t)
	times, lost := size(8, 100), 0
	for range times {
		f.publish(t)
		time.Sleep(rand.N(150 * time.Millisecond)) // the moment is what is tested
		p.kill()
		lost += lostGenerations(t, p.store, first, f.number(t))
		p.startUnheard("")
		p.hear()
	}
	d.awaitGeneration(t, f.number(t))
	f.served.Store(f.published.Load())
	l.awaitRequests(t, 100)
	r := l.finish(t, "kill -9 of lancred pull at a random moment, started again", times)
	r.lost = lost + lostGenerations(t, p.store, f.number(t), f.number(t))
	r.note = "the store verified after each"
	record(t, r)
	p.stop()
	d.stop()
}

// TestPullPutsBack has a generation come that lancred dies of. Clients wait until it is
// put back, and what follows is served.
func TestPullPutsBack(t *testing.T) {
	f := newFeed(t, 20)
	p, d := f.serve(t, "--health-within", "2s")
	l := newLoad(f.origin, d.addr).start()
	l.awaitRequests(t, 50)
	times, lost := size(1, 5), 0
	for range times {
		good := f.number(t)
		await(t, "lancred to be seen to serve", func() bool {
			return p.metric("lancred_pull_generation", "") == float64(good) && p.metric("lancred_pull_on_trial", "") == 0
		})
		l.cuts.Add(1)
		bad := f.publish(t)
		await(t, "the bad generation", func() bool { return published(t, p.store) == bad })
		d.kill() // as it would at every start
		began := time.Now()
		p.awaitLine("lancred does not serve what was installed: the generation before was put back", func(l logLine) bool {
			return l["generation"] == float64(bad) && l["now"] == float64(good)
		})
		if took := time.Since(began); took > patience {
			t.Errorf("it took %v", took)
		}
		lost += lostGenerations(t, p.store, good, good)
		d.start()
		l.cuts.Add(1)
		p.kill()
		p.flags[len(p.flags)-1] = "http://" + d.admin // which is another one now
		p.start()
		d.awaitGeneration(t, good)
		l.awaitRequests(t, 50)
		f.follow(t, d)
	}
	r := l.finish(t, "a generation that lancred dies of, put back, then a good one", times)
	r.lost = lost + lostGenerations(t, p.store, f.number(t), f.number(t))
	r.note = "lancred cannot answer until it is put back, after `--health-within`, 60 s by default"
	record(t, r)
	p.stop()
	d.stop()
}

// TestPullToFullDisk has the disk of an edge be full, and then not.
func TestPullToFullDisk(t *testing.T) {
	dir := edgeDir(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=80m,mode=0755"); err != nil {
		t.Skipf("mounting a tmpfs: %v: run the test as root to have it", err)
	}
	t.Cleanup(func() { check(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	f := newFeed(t, 50)
	edge := filepath.Join(dir, "store")
	p := f.pull(t, edge)
	p.start()
	f.publish(t)
	await(t, "the first generation", func() bool { _, err := store.ReadManifest(edge); return err == nil })
	d := serve(t, edge)
	d.awaitGeneration(t, f.number(t))
	f.served.Store(f.published.Load())
	l := newLoad(f.origin, d.addr).start()
	ballast := filepath.Join(dir, "ballast")
	times := size(2, 20)
	for range times {
		fill(t, ballast)
		failures := p.metric("lancred_pull_failures_total", `cause="room"`)
		f.publish(t)
		await(t, "a poll that finds no room", func() bool { return p.metric("lancred_pull_failures_total", `cause="room"`) > failures })
		l.awaitRequests(t, 20)
		check(t, os.Remove(ballast))
		d.awaitGeneration(t, f.number(t))
		f.served.Store(f.published.Load())
	}
	r := l.finish(t, "the disk of an edge is full when a generation comes, then not", times)
	r.lost = lostGenerations(t, edge, f.number(t), f.number(t))
	r.note = fmt.Sprintf("%s of `lancred_pull_failures_total`", "`room`")
	record(t, r)
	p.stop()
	d.stop()
}

// fill takes all but a megabyte of the disk of path.
func fill(t *testing.T, path string) {
	t.Helper()
	var fs unix.Statfs_t
	check(t, unix.Statfs(filepath.Dir(path), &fs))
	file, err := os.Create(path)
	check(t, err)
	defer file.Close()
	check(t, unix.Fallocate(int(file.Fd()), 0, 0, int64(fs.Bavail)*fs.Bsize-1<<20))
}

// TestTwoPulls has two processes keep one store: the second gives up, and takes over when
// the first is gone.
func TestTwoPulls(t *testing.T) {
	f := newFeed(t, 10)
	p, d := f.serve(t)
	second := f.pull(t, p.store)
	second.startUnheard("")
	if err := second.wait(); err == nil {
		t.Error("a second pull of a store ended without an error")
	}
	if lines := second.lines("stopped"); len(lines) != 1 || !lines[0].contains("err", "somebody fetches objects into it already") {
		t.Errorf("log: %s", second.dump())
	}
	p.kill()
	second.start()
	f.follow(t, d)
	record(t, row{fault: "two pulls of one store", times: 1, lost: lostGenerations(t, p.store, f.number(t), f.number(t)), note: "the second ends at once; it takes over when the first was killed"})
	second.stop()
	d.stop()
}

// TestOriginGone has an origin be silent for longer than its generations are good for, and
// the clocks of edges be an hour off: all go on, and start again from their own disks; all
// but the one whose clock is behind say that they are stale, and none is withdrawn.
func TestOriginGone(t *testing.T) {
	t.Parallel() // it compiles for a while
	f := newFeed(t, 20)
	f.expires = "30m"
	shell := fmt.Sprintf("PATH=%s:$PATH;", buildStepped(t))
	f.publish(t)
	type pair struct{ puller, server *daemon }
	var edges []pair
	offsets := []time.Duration{-hour, 0, hour}
	for _, off := range offsets {
		edge := edgeDir(t)
		clock := newClock(t)
		clock.set(off)
		e := pair{f.pull(t, edge, "--accept-expired"), newDaemon(t, edge, "--trust", f.trust)}
		for _, d := range []*daemon{e.puller, e.server} {
			d.env, d.shell = []string{"STEPPED_CLOCK=" + clock.file}, shell
			d.start()
		}
		e.server.awaitGeneration(t, f.number(t))
		clock.set(off + hour/2 + time.Minute)
		edges = append(edges, e)
	}
	last := f.number(t)
	f.served.Store(f.published.Load())
	f.play(status(http.StatusBadGateway))
	l := newLoad(f.origin, edges[1].server.addr).start()
	failed := 0
	for i, e := range edges {
		await(t, "a poll that failed", func() bool { return e.puller.metric("lancred_pull_polls_total", `result="failed"`) > 0 })
		e.puller.kill()
		e.puller.start()
		if i != 1 { // whose clients are asking
			e.server.kill()
			e.server.start()
			e.server.awaitGeneration(t, last)
		}
		want := http.StatusServiceUnavailable
		if offsets[i] < 0 {
			want = http.StatusOK // by its clock, there is time
		}
		if got, body := e.server.adminGet("/freshz"); got != want {
			t.Errorf("with a clock %v off, /freshz says %d, want %d: %s", offsets[i], got, want, body)
		}
		if !e.server.ready() {
			failed++
			t.Errorf("with a clock %v off, the edge is not ready", offsets[i])
		}
	}
	l.awaitRequests(t, 100)
	f.play(nil)
	next := f.publish(t)
	for _, e := range edges {
		e.server.awaitGeneration(t, next)
	}
	f.served.Store(f.published.Load())
	r := l.finish(t, "the origin is silent for longer than `--expires`, and clocks of edges are an hour off", len(edges))
	r.lost = failed
	for _, e := range edges {
		r.lost += lostGenerations(t, e.puller.store, next, next)
		e.puller.stop()
		e.server.stop()
	}
	r.note = "all go on, also after a kill -9; `/freshz` says stale, `/readyz` 200; the next generation is taken"
	record(t, r)
}

// TestPullRepairs has objects of an edge go bad while they are served. What is pulled again
// is served again, without a restart.
func TestPullRepairs(t *testing.T) {
	f := newFeed(t, 50)
	p, d := f.serve(t)
	l := newLoad(f.origin, d.addr)
	l.mayBe = isTryLater
	l.start()
	times := size(4, 40)
	for i := range times {
		path := segment(t, p.store)
		if i%2 == 0 {
			check(t, os.Chmod(path, 0o644))
			check(t, os.Truncate(path, int64(os.Getpagesize())))
		} else {
			check(t, os.Remove(path)) // which does lancred no harm
		}
		await(t, "the object to be whole", func() bool { return lostObject(path) == "" })
		d.signal(syscall.SIGHUP) // as every 30 s by itself
		await(t, "the edge to be ready", d.ready)
		l.awaitRequests(t, 50)
	}
	r := l.finish(t, "an object of an edge vanishes, or is cut off while it is mapped, and is pulled again", times)
	r.lost = lostGenerations(t, p.store, f.number(t), f.number(t))
	r.note = "503 *tryLater* until it is; no restart"
	record(t, r)
	p.stop()
	d.stop()
}

// lostObject says what is wrong with the object at path; empty if nothing is.
func lostObject(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != filepath.Base(path) {
		return "it has sha256 " + got
	}
	return ""
}
