package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"lancre/bench/proc"
	"lancre/bench/traffic"
)

// A cold is lancred with a large store whose pages were taken from it: requests
// for a few certificates, whose pages come back at once, while others make it
// read from the disk.
type cold struct {
	MappedBefore int64  `json:"mapped_before"` // octets of files, in memory
	MappedAfter  int64  `json:"mapped_after"`  // when the pages were taken
	Quiet        spread `json:"quiet_p99_us"`  // of warm requests by themselves
	P99          spread `json:"p99_us"`        // of warm requests beside cold ones
	ColdP99      spread `json:"cold_p99_us"`
	ColdRate     spread `json:"cold_rate"` // cold requests a second
	Wrong        uint64 `json:"wrong"`
	Failed       uint64 `json:"failed"`
}

// warmCertificates are few enough for their pages to be touched all the time.
const warmCertificates = 1000

func (r *runner) measureCold(ctx context.Context) error {
	if err := r.makeLarge(ctx); err != nil {
		return err
	}
	all, err := traffic.Read(r.large.dir + "/get.gob")
	if err != nil {
		return err
	}
	few := min(warmCertificates, len(all)/2)
	warm, err := r.large.save("warm", all[:few])
	if err != nil {
		return err
	}
	rest, err := r.large.save("rest", all[few:])
	if err != nil {
		return err
	}
	var quiet, beside, others []sample
	for range min(r.rounds, 3) {
		q, w, c, err := r.coldRound(ctx, warm, rest)
		if err != nil {
			return err
		}
		quiet, beside, others = append(quiet, q), append(beside, w), append(others, c)
	}
	r.results.Cold.sum(quiet, beside, others)
	return r.results.Cold.print()
}

// coldRound starts lancred, takes its pages away, and loads it with warm requests
// alone and then beside cold ones. The two generators share a core, so they wait
// for answers instead of polling the clock, and warm ones come over two
// connections only.
func (r *runner) coldRound(ctx context.Context, warm, rest string) (quiet, beside, others sample, err error) {
	// The number that lancred chooses by itself for a store that does not fit into
	// memory, on one core: it cannot know that the pages will be taken from it.
	p, err := r.startLancred(ctx, r.large.store(), "env", "GOMAXPROCS=8")
	if err != nil {
		return quiet, beside, others, err
	}
	defer p.stop()
	if err := r.takePages(p); err != nil {
		return quiet, beside, others, err
	}
	few := []string{"--duration", r.duration.String(), "--connections", "2"}
	for range 2 { // the first brings the pages back
		if quiet, err = r.load(ctx, p, warm, few...); err != nil {
			return quiet, beside, others, err
		}
	}
	var coldErr error
	var wg sync.WaitGroup
	wg.Go(func() { others, coldErr = r.load(ctx, p, rest, "--duration", r.duration.String()) })
	beside, err = r.load(ctx, p, warm, few...)
	wg.Wait()
	if err == nil {
		err = coldErr
	}
	return quiet, beside, others, err
}

// takePages evicts the objects that p has mapped and notes what that came to.
func (r *runner) takePages(p *process) error {
	before, err := proc.Memory(p.pid())
	if err != nil {
		return err
	}
	if err := pageOut(p.pid(), "/objects/"); err != nil {
		return err
	}
	after, err := proc.Memory(p.pid())
	r.results.Cold.MappedBefore, r.results.Cold.MappedAfter = before.File, after.File
	return err
}

// pageOut makes the kernel reclaim what process pid has mapped from files whose
// path contains name, as a lack of memory would (process_madvise(2)).
func pageOut(pid int, name string) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return err
	}
	defer f.Close()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("pidfd of %d: %w", pid, err)
	}
	defer unix.Close(fd)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var from, to uint64
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x", &from, &to); n < 2 || !strings.Contains(lines.Text(), name) {
			continue
		}
		if err := pageOutRange(fd, from, to); err != nil {
			return fmt.Errorf("paging out %x-%x of %d: %w", from, to, pid, err)
		}
	}
	return nil
}

// pageOutRange goes on where the kernel stopped: it takes at most 2 GiB at a time.
func pageOutRange(pidfd int, from, to uint64) error {
	for from < to {
		remote := [2]uint64{from, to - from} // struct iovec: an address in the other process, and a length
		n, _, errno := unix.Syscall6(unix.SYS_PROCESS_MADVISE, uintptr(pidfd), uintptr(unsafe.Pointer(&remote)), 1, unix.MADV_PAGEOUT, 0, 0)
		if errno != 0 {
			return errno
		}
		from += max(uint64(n), 4096)
	}
	return nil
}

func (c *cold) sum(quiet, beside, others []sample) {
	p99 := func(s *sample) float64 { return s.P99 }
	c.Quiet, c.P99, c.ColdP99 = medians(quiet, p99), medians(beside, p99), medians(others, p99)
	c.ColdRate = medians(others, func(s *sample) float64 { return s.PerSecond() })
	c.Wrong, c.Failed = 0, 0
	for i := range beside {
		c.Wrong += quiet[i].Wrong + beside[i].Wrong + others[i].Wrong
		c.Failed += quiet[i].Failed + beside[i].Failed + others[i].Failed
	}
}

func (c *cold) print() error {
	t := newTable("mapped MB", "after eviction", "warm p99 µs alone", "beside cold", "cold p99 µs", "cold/s", "wrong", "failed")
	t.row(float64(c.MappedBefore)/1e6, float64(c.MappedAfter)/1e6, c.Quiet, c.P99, c.ColdP99, c.ColdRate, c.Wrong, c.Failed)
	return t.Flush()
}
