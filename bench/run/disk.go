package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lancre/bench/proc"
	"lancre/index"
	"lancre/index/store"
)

// coldThreads is how many goroutines lancred runs at once on its one core while the
// store does not fit into memory: the least number of threads that its answers may be
// compared with.
const coldThreads = 8

// diskBlock is a multiple of the logical blocks of all common disks: what is read past
// the page cache begins and ends at one.
const diskBlock = 4096

// diskBuffer has room for the blocks of any record without a certificate in it.
const diskBuffer = 2 * diskBlock

// A place is where a record is in its segment.
type place struct{ begin, end int64 } // whole blocks

// A disk is how fast one is read, and what that takes, when nothing else reads it.
type disk struct {
	rate float64 // reads a second
	cpu  float64 // µs of processor time a read
}

// places are those of the certificates that are asked for, in an order without
// locality, and the segment they are in.
func (c *corpus) places(asked int) (segment string, list []place, err error) {
	m, err := store.ReadManifest(c.store())
	if err != nil {
		return "", nil, err
	}
	segment = store.ObjectPath(c.store(), m.Segments[0].SHA256)
	s, err := index.Open(segment)
	if err != nil {
		return "", nil, err
	}
	defer s.Close()
	for _, number := range c.sample(asked) {
		id, _ := c.CA.CertID(c.CA.Certificate(number), index.SHA1)
		rec, found, err := s.Lookup(id.Key(), &id)
		if err != nil || !found {
			return "", nil, fmt.Errorf("%s: certificate %d: found %v, %v", segment, number, found, err)
		}
		begin, end := rec.Offset(), rec.Offset()+int64(rec.Size())
		list = append(list, place{begin - begin%diskBlock, end + (diskBlock-end%diskBlock)%diskBlock})
	}
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return segment, list, nil
}

// readDisk reads places of the file at path by pread, past the page cache, from that many
// threads on the core for servers: what the disk can give to a server that has to read one
// block for an answer.
func readDisk(path string, places []place, threads int, d time.Duration) (result disk, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		return result, fmt.Errorf("reading past the page cache: %w", err)
	}
	defer f.Close()
	// A thread that waits for the disk keeps its right to run, as in lancred.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	reads, errs := make([]int, threads), make([]error, threads)
	began, used := time.Now(), proc.Own()
	var wg sync.WaitGroup
	for i := range threads {
		wg.Go(func() { reads[i], errs[i] = readPlaces(f, places[i*len(places)/threads:], began.Add(d)) })
	}
	wg.Wait()
	took := time.Since(began)
	total := 0
	for _, n := range reads {
		total += n
	}
	return disk{float64(total) / took.Seconds(), float64((proc.Own() - used).Nanoseconds()) / 1e3 / float64(max(total, 1))}, errors.Join(errs...)
}

// readPlaces reads places of f, over and over until that time, and one at least. Its
// thread, bound to a core, ends with its goroutine.
func readPlaces(f *os.File, places []place, until time.Time) (reads int, err error) {
	runtime.LockOSThread()
	core, err := strconv.Atoi(serverCore)
	if err != nil {
		return 0, err
	}
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return 0, err
	}
	buf, err := unix.Mmap(-1, 0, diskBuffer, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON) // it begins a block
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(buf)
	for more := true; more; more = time.Now().Before(until) {
		p := places[reads%len(places)]
		if _, err := f.ReadAt(buf[:p.end-p.begin], p.begin); err != nil && err != io.EOF {
			return reads, err
		}
		reads++
	}
	return reads, nil
}
