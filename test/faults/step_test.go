package faults

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The ways a clock is wrong, and then right again.
const (
	hour = time.Hour
	year = 365 * 24 * time.Hour
)

// TestClockSteps steps the clock of lancred back and forward while it serves. From
// the step on answers must be right for the new time.
func TestClockSteps(t *testing.T) {
	t.Parallel() // it compiles for a while
	o := newOrigin(t, 20)
	now := time.Now().Truncate(time.Second)
	o.ca.ThisUpdate, o.ca.NextUpdate = now.Add(-30*time.Minute), now.Add(30*time.Minute)
	o.served.Store(o.publish(t))
	clock := newClock(t)
	d := newDaemon(t, o.store)
	d.env = []string{"STEPPED_CLOCK=" + clock.file}
	d.shell = fmt.Sprintf("PATH=%s:$PATH;", buildStepped(t))
	d.start()
	l := newLoad(o, d.addr)
	l.mayBe = isTryLater
	l.also = func(asked time.Time, resp *http.Response) string { return o.judgeTime(clock, asked, resp) }
	l.start()
	ahead := []time.Duration{20 * time.Minute, -20 * time.Minute, hour, 0, -hour, 0, year, 0, -year, 0, hour, -hour, year, -year, 0}
	rounds := size(1, 5)
	for range rounds {
		for _, step := range ahead {
			clock.set(step)
			if !d.ready() {
				t.Errorf("with the clock %v ahead the edge is not ready", step)
			}
			l.awaitRequests(t, 50)
		}
		idle := keepOne(t, d.addr)
		clock.set(-hour)
		d.stop() // and wait for nobody: an hour is as yet to pass until the connection was last used
		idle.Close()
		d.start()
		clock.set(0)
		l.awaitRequests(t, 50)
	}
	r := l.finish(t, "the clock steps by up to a year, back and forward", rounds*(len(ahead)+2))
	r.note = "503 *tryLater* at once when it is not time for them, 200 at once when it is again; max-age and Expires agree, `/readyz` stays 200; SIGTERM waits for nobody"
	record(t, r)
	d.stop()
}

// valid reports whether lancred may serve the responses of o at a time; five
// minutes ahead of thisUpdate are allowed for a clock that is slow.
func (o *origin) valid(at time.Time) bool {
	return !at.Add(5*time.Minute).Before(o.ca.ThisUpdate) && at.Before(o.ca.NextUpdate)
}

// judgeTime says what is wrong with an answer for every time that the clock showed
// since it was asked for; empty if for one of them nothing is.
func (o *origin) judgeTime(c *clock, asked time.Time, resp *http.Response) (complaint string) {
	for _, ahead := range c.shown(asked) {
		if complaint = o.judgeAt(asked.Add(ahead), resp); complaint == "" {
			return ""
		}
	}
	return complaint
}

func (o *origin) judgeAt(at time.Time, resp *http.Response) string {
	if valid := o.valid(at); valid != (resp.StatusCode == http.StatusOK) {
		return fmt.Sprintf("status %d at %v, for responses that are valid from %v until %v", resp.StatusCode, at, o.ca.ThisUpdate, o.ca.NextUpdate)
	}
	if resp.StatusCode != http.StatusOK {
		return ""
	}
	var age int64
	_, err := fmt.Sscanf(resp.Header.Get("Cache-Control"), "max-age=%d", &age)
	if left := o.ca.NextUpdate.Unix() - at.Unix(); err != nil || age < 0 || age >= left {
		return fmt.Sprintf("Cache-Control: %s, %d s before nextUpdate", resp.Header.Get("Cache-Control"), left)
	}
	if got, want := resp.Header.Get("Expires"), o.ca.NextUpdate.UTC().Format(http.TimeFormat); got != want {
		return fmt.Sprintf("Expires: %s, want %s", got, want)
	}
	return ""
}

// A clock is the time of day of a program that buildStepped made.
type clock struct {
	file   string
	offset *int64 // in file: seconds

	mu      sync.Mutex
	periods []period
}

// A period is a time during which a clock was, or may have been, that much ahead.
type period struct {
	ahead time.Duration
	until time.Time // zero: now
}

func newClock(t *testing.T) *clock {
	t.Helper()
	c := &clock{file: filepath.Join(t.TempDir(), "clock"), periods: make([]period, 1)}
	f, err := os.Create(c.file)
	check(t, err)
	defer f.Close()
	check(t, f.Truncate(8))
	page, err := unix.Mmap(int(f.Fd()), 0, 8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	check(t, err)
	t.Cleanup(func() { check(t, unix.Munmap(page)) })
	c.offset = (*int64)(unsafe.Pointer(&page[0]))
	return c
}

// set steps the clock.
func (c *clock) set(ahead time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	atomic.StoreInt64(c.offset, int64(ahead/time.Second))
	c.periods[len(c.periods)-1].until = time.Now()
	c.periods = append(c.periods, period{ahead: ahead})
}

// shown is by how much the clock was ahead at some time since then.
func (c *clock) shown(since time.Time) (ahead []time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.periods {
		if p.until.IsZero() || !p.until.Before(since) {
			ahead = append(ahead, p.ahead)
		}
	}
	return ahead
}

// buildStepped builds a lancre and a lancred that read the time of day through
// testdata/stepped.go and are otherwise what they are, and returns their directory. A
// test must not set the clock of the machine, and may not: this is as close. The
// race detector is left out, for the standard library is compiled again.
func buildStepped(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	check(t, err)
	source := filepath.Join(strings.TrimSpace(string(goroot)), "src", "time")
	now, err := os.ReadFile(filepath.Join(source, "time.go"))
	check(t, err)
	const reads, steps = "\tsec, nsec, mono := runtimeNow()\n", "\tsec, nsec, mono := steppedNow()\n"
	if strings.Count(string(now), reads) != 1 {
		t.Fatalf("time.Now of this Go does not read the clock by %q once: change this test", reads)
	}
	check(t, os.WriteFile(filepath.Join(dir, "time.go"), []byte(strings.Replace(string(now), reads, steps, 1)), 0o644))
	added, err := filepath.Abs("testdata/stepped.go")
	check(t, err)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(source, "time.go"):    filepath.Join(dir, "time.go"),
		filepath.Join(source, "stepped.go"): added,
	}})
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644))
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", dir+"/", "lancre/cmd/lancre", "lancre/cmd/lancred")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	run(t, build)
	return dir
}

// keepOne makes a request on a connection and leaves that open.
func keepOne(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", addr)
	check(t, err)
	t.Cleanup(func() { c.Close() })
	askFirst(t, []net.Conn{c})
	return c
}
