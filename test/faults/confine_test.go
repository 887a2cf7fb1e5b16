package faults

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestConfined wants lancred to be unable to read a store outside the directory it
// was started for, although its user may.
func TestConfined(t *testing.T) {
	o := newOrigin(t, 10)
	first := o.publish(t)
	o.served.Store(first)
	edge := edgeDir(t)
	bring(t, o.store, edge)
	d := serve(t, edge)
	if len(d.lines("confined")) == 0 {
		d.stop()
		t.Skipf("the kernel has no Landlock:\n%s", d.dump())
	}
	l := newLoad(o, d.addr).start()
	o.publish(t)
	for _, name := range []string{"objects", "manifest"} {
		check(t, os.RemoveAll(filepath.Join(edge, name)))
		check(t, os.Symlink(filepath.Join(o.store, name), filepath.Join(edge, name)))
	}
	d.signal(syscall.SIGHUP)
	d.awaitLine("generation refused", func(l logLine) bool { return l.contains("err", "permission denied") })
	l.awaitRequests(t, 20)
	for _, name := range []string{"objects", "manifest"} {
		check(t, os.Remove(filepath.Join(edge, name)))
	}
	bring(t, o.store, edge)
	d.signal(syscall.SIGHUP)
	d.awaitGeneration(t, published(t, o.store))
	check(t, os.Rename(edge, filepath.Join(o.dir, "exchanged")))
	check(t, os.Mkdir(edge, 0o755))
	bring(t, o.store, edge)
	d.signal(syscall.SIGHUP)
	d.awaitLine("generation refused", func(l logLine) bool { return l.contains("err", "is another directory than when lancred started") })
	l.awaitRequests(t, 20)
	r := l.finish(t, "the store leads outside the directory that lancred may read", 1)
	r.note = "refused by Landlock"
	record(t, r)
	d.stop()
}
