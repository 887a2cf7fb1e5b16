package faults

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestKillEdge kills lancred under load and starts it again on the same socket, as
// systemd does it. Only what was under way at the kill may go unanswered.
func TestKillEdge(t *testing.T) {
	o := newOrigin(t, 50)
	o.served.Store(o.publish(t))
	d := serve(t, o.store)
	l := newLoad(o, d.addr).start()
	times := size(5, 30)
	for range times {
		l.awaitRequests(t, 100)
		l.cuts.Add(1)
		d.kill()
		l.cuts.Add(1)
		d.start()
	}
	l.awaitRequests(t, 100)
	r := l.finish(t, "kill -9 of lancred under load, started again", times)
	r.lost = lostGenerations(t, o.store, published(t, o.store), published(t, o.store))
	r.note = fmt.Sprintf("%d were under way when it was killed", l.cut.Load())
	record(t, r)
	d.stop()
}

// TestKillBuild kills lancre build at random moments. The store must be of the
// generation before or of the one that was being built, and take the next one.
func TestKillBuild(t *testing.T) {
	o := newOrigin(t, uint64(size(200, 300)))
	o.publish(t)
	whole := buildTime(t, o) * 5 / 4 // so that some builds end
	pick := rand.New(rand.NewPCG(uint64(whole), 2))
	killed, lost := 0, 0
	times := size(20, 100)
	for generation := published(t, o.store); killed < times; {
		o.sign(t)
		build := o.build(t)
		check(t, build.Start())
		time.Sleep(time.Duration(pick.Int64N(int64(whole)))) // the moment is what is tested
		if killBuild(t, build) {
			killed++
		}
		lost += lostGenerations(t, o.store, generation, max(generation+1, uint64(time.Now().Unix())))
		if lost > 0 {
			break
		}
		generation = published(t, o.store)
	}
	o.publish(t)
	lost += lostGenerations(t, o.store, published(t, o.store), published(t, o.store))
	record(t, row{fault: "kill -9 of lancre build at a random moment", times: killed, lost: lost, note: "the store verified after each, then one more generation"})
}

// buildTime is the shortest of some builds, for all of which but one may have had to
// wait for the machine.
func buildTime(t *testing.T, o *origin) (shortest time.Duration) {
	t.Helper()
	for range 3 {
		o.sign(t)
		began := time.Now()
		run(t, o.build(t))
		if took := time.Since(began); shortest == 0 || took < shortest {
			shortest = took
		}
		o.published.Add(1)
	}
	return shortest
}

// killBuild kills a build and reports whether it had not ended before.
func killBuild(t *testing.T, build *exec.Cmd) bool {
	t.Helper()
	check(t, build.Process.Signal(syscall.SIGKILL))
	err := build.Wait()
	if err == nil {
		return false
	}
	if status := build.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
		t.Fatalf("lancre build: %v", err)
	}
	return true
}
