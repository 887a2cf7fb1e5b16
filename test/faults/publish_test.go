package faults

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lancre/internal/versity"
)

// A bucket is one of a real storage, to which origins publish. Its directory is a store.
type bucket struct{ *versity.Gateway }

func newBucket(t *testing.T) bucket {
	t.Helper()
	return bucket{versity.Start(t)}
}

// publish is the command that publishes the store of o.
func (b bucket) publish(t *testing.T, o *origin, flags ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "lancre", append([]string{"publish", o.store, "--to", "s3://" + versity.Bucket}, flags...)...)
	cmd.Env = append(os.Environ(), b.Env()...)
	return cmd
}

// lost is 1 unless the bucket is whole and of one of the generations from and until.
func (b bucket) lost(t *testing.T, from, until uint64) int {
	t.Helper()
	return lostGenerations(t, b.Dir, from, until)
}

// refused wants a command to fail, with says in what it prints.
func refused(t *testing.T, cmd *exec.Cmd, says string) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), says) {
		t.Errorf("%s: %v, want it to fail with %q:\n%s", cmd, err, says, out)
	}
}

// TestKillPublish kills lancre publish at random moments. The bucket must be of the
// generation before or of the one that was being published, whole, and take the next.
func TestKillPublish(t *testing.T) {
	o, b := newOrigin(t, uint64(size(200, 1000))), newBucket(t)
	o.publish(t)
	run(t, b.publish(t, o))
	o.publish(t)
	began := time.Now()
	run(t, b.publish(t, o))
	whole := time.Since(began) * 5 / 4 // so that some end
	pick := rand.New(rand.NewPCG(uint64(whole), 3))
	killed, lost := 0, 0
	times := size(10, 100)
	for before := published(t, b.Dir); killed < times && lost == 0; before = published(t, b.Dir) {
		o.publish(t)
		cmd := b.publish(t, o)
		check(t, cmd.Start())
		time.Sleep(time.Duration(pick.Int64N(int64(whole)))) // the moment is what is tested
		if kill(t, cmd) {
			killed++
		}
		lost += b.lost(t, before, published(t, o.store))
	}
	run(t, b.publish(t, o))
	lost += b.lost(t, published(t, o.store), published(t, o.store))
	record(t, row{fault: "kill -9 of lancre publish at a random moment", times: killed, lost: lost, note: "the bucket verified after each, then the same generation again"})
}

// TestLostBucket takes from a bucket what it has, in part or all of it. Publishing again
// makes it whole, and an origin that lost its store, too, goes on with that of the bucket.
func TestLostBucket(t *testing.T) {
	o, b := newOrigin(t, 50), newBucket(t)
	o.publish(t)
	run(t, b.publish(t, o))
	now, lost := published(t, o.store), 0
	losses := []func(){
		func() { check(t, os.Remove(segment(t, b.Dir))) },
		func() { check(t, os.Truncate(segment(t, b.Dir), 100)) },
		func() { check(t, os.Remove(filepath.Join(b.Dir, "manifest"))) },
		func() { empty(t, b.Dir) },
	}
	for _, lose := range losses {
		lose()
		run(t, b.publish(t, o))
		lost += b.lost(t, now, now)
	}
	first := o.store
	o.store = filepath.Join(t.TempDir(), "restored")
	cmd := exec.CommandContext(t.Context(), "lancre", "restore", "--from", "s3://"+versity.Bucket, "--out", o.store)
	cmd.Env = append(os.Environ(), b.Env()...)
	run(t, cmd)
	o.withdrawOne(t)
	run(t, b.publish(t, o))
	lost += b.lost(t, now+1, published(t, o.store))
	o.store = first
	refused(t, b.publish(t, o), "another origin publishes there")
	record(t, row{fault: "a bucket, or part of it, is lost; then the origin", times: len(losses) + 1, lost: lost, note: "published again; then restored from the bucket, and on from there"})
}

// empty removes what is in a directory.
func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	for _, e := range entries {
		check(t, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
}

// TestTwoOrigins has two origins publish to one bucket, at the same time and one after
// the other. One of them publishes; nothing of it is lost.
func TestTwoOrigins(t *testing.T) {
	a, c, b := newOrigin(t, 20), newOrigin(t, 20), newBucket(t)
	times, lost := size(3, 20), 0
	for range times {
		a.publish(t)
		c.publish(t)
		first, second := b.publish(t, a), b.publish(t, c)
		check(t, first.Start())
		check(t, second.Start())
		if errs := [...]error{first.Wait(), second.Wait()}; (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("%v: want one of two to fail", errs)
		}
		lost += b.lost(t, 1, 1<<62)
	}
	record(t, row{fault: "two origins publish to one bucket at the same time", times: times, lost: lost, note: "the first one always, the other fails and says why"})
}

// TestBadStorage publishes to a storage that answers late, wrongly or not at all. What
// was there stays, whole; when it is over the generation is published.
func TestBadStorage(t *testing.T) {
	o, b := newOrigin(t, 20), newBucket(t)
	o.publish(t)
	run(t, b.publish(t, o))
	var n atomic.Int64
	faults := []struct {
		name  string
		fault versity.Fault
	}{
		{"no answer", func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { versity.Hang(r) }},
		{"some answers", func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if n.Add(1)%5 == 0 {
				versity.Hang(r)
			} else {
				forward.ServeHTTP(w, r)
			}
		}},
		{"500 for all", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusInternalServerError)
		}},
		{"403 for all", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusForbidden) }},
		{"a page of a proxy", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { fmt.Fprint(w, "<html>Sign in") }},
		{"connections cut", func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }},
	}
	lost := 0
	for _, f := range faults {
		before := published(t, b.Dir)
		o.publish(t)
		b.Break(f.fault)
		cmd := b.publish(t, o, "--timeout", "1s")
		if out, err := cmd.CombinedOutput(); err == nil && published(t, b.Dir) != published(t, o.store) {
			t.Errorf("%s: is said to be published, and is not: %s", f.name, out)
		}
		b.Break(nil)
		lost += b.lost(t, before, published(t, o.store))
		run(t, b.publish(t, o))
		lost += b.lost(t, published(t, o.store), published(t, o.store))
	}
	record(t, row{fault: "the storage answers late, wrongly or not at all", times: len(faults), lost: lost, note: "what was there stays, whole; then the generation is published"})
}
