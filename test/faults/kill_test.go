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

// TestKillPublication kills every command that publishes at random moments. The store must
// be of the generation before or of the one that was in the making, and take the next one.
func TestKillPublication(t *testing.T) {
	for _, p := range publications {
		t.Run(p.name, p.killed)
	}
}

func (p *publication) killed(t *testing.T) {
	o := newOrigin(t, uint64(size(200, 300)))
	o.publish(t)
	whole := p.time(t, o) * 5 / 4 // so that some commands end
	pick := rand.New(rand.NewPCG(uint64(whole), 2))
	killed, ended, lost := 0, 0, 0
	for times := size(20, 100); killed < times && lost == 0; {
		p.prepare(o, t)
		before := published(t, o.store)
		cmd := p.command(o, t)
		check(t, cmd.Start())
		time.Sleep(time.Duration(pick.Int64N(int64(whole)))) // the moment is what is tested
		if kill(t, cmd) {
			killed++
		} else {
			ended++
		}
		lost += lostGenerations(t, o.store, before, latest(before))
	}
	p.prepare(o, t)
	before := published(t, o.store)
	run(t, p.command(o, t))
	lost += lostGenerations(t, o.store, before+1, latest(before))
	record(t, row{fault: "kill -9 of lancre " + p.name + " at a random moment", times: killed, lost: lost,
		note: fmt.Sprintf("the store verified after each, then one more generation; %d had ended before", ended)})
}

// latest is the highest number that the generation after before can have by now.
func latest(before uint64) uint64 { return max(before+1, uint64(time.Now().Unix())) }

// time is the shortest of some runs, for all of which but one may have had to wait for
// the machine.
func (p *publication) time(t *testing.T, o *origin) (shortest time.Duration) {
	t.Helper()
	for range 3 {
		p.prepare(o, t)
		began := time.Now()
		run(t, p.command(o, t))
		if took := time.Since(began); shortest == 0 || took < shortest {
			shortest = took
		}
	}
	return shortest
}

// kill kills a command and reports whether it had not ended before.
func kill(t *testing.T, cmd *exec.Cmd) bool {
	t.Helper()
	check(t, cmd.Process.Signal(syscall.SIGKILL))
	err := cmd.Wait()
	if err == nil {
		return false
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
		t.Fatalf("%s: %v", cmd, err)
	}
	return true
}
