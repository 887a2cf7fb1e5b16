package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lancre/bench/traffic"
	"lancre/index/store"
)

// A cold is lancred with a large store in a memory control group that has no room
// for it: requests for a few certificates, which stay in memory, while others make
// it read from the disk.
type cold struct {
	Missing  string `json:"missing,omitempty"` // why there are no figures
	Store    int64  `json:"store"`             // octets of the segment
	Limit    int64  `json:"limit"`             // octets that the group may have in memory
	Quiet    spread `json:"quiet_p99_us"`      // of warm requests by themselves
	P99      spread `json:"p99_us"`            // of warm requests beside cold ones
	ColdP99  spread `json:"cold_p99_us"`
	ColdRate spread `json:"cold_rate"` // cold requests a second
	DiskRate spread `json:"disk_rate"` // reads a second of the same records, past the page cache
	Ratio    spread `json:"ratio"`     // of the two, in one round
	CPU      spread `json:"cpu_us"`    // of lancred, for one request, cold ones and warm ones beside them
	DiskCPU  spread `json:"disk_cpu_us"`
	Wrong    uint64 `json:"wrong"`
	Failed   uint64 `json:"failed"`
}

// ownMemory is what lancred needs beside its store: its program, buffers and
// connections, and page tables.
const ownMemory = 64 << 20

// warmCertificates are few enough for their pages to be touched all the time.
const warmCertificates = 1000

func (r *runner) measureCold(ctx context.Context) error {
	if err := r.makeLarge(ctx); err != nil {
		return err
	}
	all, err := traffic.Read(r.large.Dir + "/get.gob")
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
	if err := r.results.Cold.room(r.large.store()); err != nil {
		return err
	}
	segment, places, err := r.large.places(r.asked)
	if err != nil {
		return err
	}
	var rounds []coldRound
	for range min(r.rounds, 3) {
		round, err := r.coldRound(ctx, warm, rest)
		if errors.Is(err, errNoGroup) {
			r.results.Cold.Missing = err.Error()
			fmt.Println(err)
			return nil
		}
		if err == nil {
			round.disk, err = readDisk(segment, places, coldThreads, r.duration)
		}
		if err != nil {
			return err
		}
		rounds = append(rounds, round)
	}
	r.results.Cold.sum(rounds)
	return r.results.Cold.print()
}

// A coldRound is one round of each load, and of the disk by itself.
type coldRound struct {
	quiet, beside, others sample
	disk                  disk
}

// room notes how large the store is, and makes the limit such that nine of ten of
// its octets are cold.
func (c *cold) room(dir string) error {
	m, err := store.ReadManifest(dir)
	if err != nil {
		return err
	}
	*c = cold{Store: m.Segments[0].Size, Limit: ownMemory + m.Segments[0].Size/10}
	return nil
}

// cpu is lancred's processor time for one request, of either load: both run at once.
func (r *coldRound) cpu() float64 {
	both := sample{Result: traffic.Result{Answered: r.others.Answered + r.beside.Answered}, cpu: r.others.cpu}
	return cpuPerRequest(&both)
}

// coldRound starts lancred without room, and loads it with warm requests alone and
// then beside cold ones. The two generators share a core, so they wait for answers,
// and warm ones come over two connections only.
func (r *runner) coldRound(ctx context.Context, warm, rest string) (round coldRound, err error) {
	group, err := memoryGroup(r.results.Cold.Limit)
	if err != nil {
		return round, err
	}
	defer removeGroup(group)
	// A page belongs to the group that reads it first.
	if err := forget(filepath.Join(r.large.store(), "objects")); err != nil {
		return round, err
	}
	p, err := r.startIn(ctx, group, r.large.store())
	if err != nil {
		return round, err
	}
	defer p.stop()
	all := []string{"--duration", r.duration.String(), "--shares"}
	few := append([]string{"--connections", "2"}, all...)
	for range 2 { // the first reads the pages
		if round.quiet, err = r.load(ctx, p, warm, few...); err != nil {
			return round, err
		}
	}
	var coldErr error
	var wg sync.WaitGroup
	wg.Go(func() { round.others, coldErr = r.load(ctx, p, rest, all...) })
	round.beside, err = r.load(ctx, p, warm, few...)
	wg.Wait()
	return round, errors.Join(err, coldErr)
}

var errNoGroup = errors.New("no memory control group could be made: run as root")

// memoryGroup makes a control group, of version 2 or 1, that may have limit octets
// in memory.
func memoryGroup(limit int64) (dir string, err error) {
	for _, version := range []struct{ root, file string }{
		{"/sys/fs/cgroup", "memory.max"}, {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
	} {
		dir := filepath.Join(version.root, fmt.Sprintf("lancre-bench-%d", os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		if setLimit(filepath.Join(dir, version.file), limit) == nil {
			return dir, nil
		}
		os.Remove(dir)
	}
	return "", errNoGroup
}

// startIn is startLancred in a control group.
func (r *runner) startIn(ctx context.Context, group, store string) (*process, error) {
	return r.startLancred(ctx, store, "sh", "-c", `echo $$ >"$0" && exec "$@"`, filepath.Join(group, "cgroup.procs"))
}

// setLimit writes to a file that a control group has from the kernel: the root of
// version 1 is a common directory, where any file can be made, and limits nothing.
func setLimit(path string, limit int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(fmt.Append(nil, limit))
	return errors.Join(err, f.Close())
}

// removeGroup waits for the kernel to see that the group is empty.
func removeGroup(dir string) {
	for range 100 {
		if os.Remove(dir) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// forget has the kernel drop from memory the files of dir, which nobody has mapped.
func forget(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		err = errors.Join(f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED), f.Close())
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	return nil
}

func (c *cold) sum(rounds []coldRound) {
	c.Quiet = spreadOver(rounds, func(r *coldRound) float64 { return r.quiet.P99 })
	c.P99 = spreadOver(rounds, func(r *coldRound) float64 { return r.beside.P99 })
	c.ColdP99 = spreadOver(rounds, func(r *coldRound) float64 { return r.others.P99 })
	c.ColdRate = spreadOver(rounds, func(r *coldRound) float64 { return r.others.PerSecond() })
	c.DiskRate = spreadOver(rounds, func(r *coldRound) float64 { return r.disk.rate })
	c.Ratio = spreadOver(rounds, func(r *coldRound) float64 { return r.others.PerSecond() / r.disk.rate })
	c.CPU = spreadOver(rounds, func(r *coldRound) float64 { return r.cpu() })
	c.DiskCPU = spreadOver(rounds, func(r *coldRound) float64 { return r.disk.cpu })
	for i := range rounds {
		for _, s := range []*sample{&rounds[i].quiet, &rounds[i].beside, &rounds[i].others} {
			c.Wrong += s.Wrong
			c.Failed += s.Failed
		}
	}
}

func (c *cold) print() error {
	t := newTable("store MB", "limit MB", "warm p99 µs alone", "beside cold", "cold p99 µs", "cold/s", "CPU µs", "disk reads/s", "CPU µs", "ratio", "wrong", "failed")
	t.row(float64(c.Store)/1e6, float64(c.Limit)/1e6, c.Quiet, c.P99, c.ColdP99, c.ColdRate, c.CPU, c.DiskRate, c.DiskCPU, c.Ratio, c.Wrong, c.Failed)
	return t.Flush()
}
