package server

import (
	"bytes"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lancre/index/store"
)

// coldProcs is how many goroutines a processor may run at once while the store
// does not fit into memory. A goroutine that reads a page from the disk keeps the
// right to run, so that on each processor all others would wait for the disk. With
// eight, twice as many cold records are answered and warm ones wait half as long;
// a store that fits is answered some percent slower, so it gets one.
const coldProcs = 8

// fits reports whether the segments of g can be expected to stay in memory.
func (s *Server) fits(g *store.Generation) bool { return segmentsSize(g) <= s.memory }

func segmentsSize(g *store.Generation) (size int64) {
	for _, seg := range g.Segments() {
		size += seg.Info().Size
	}
	return size
}

// adaptTo sets GOMAXPROCS for g, unless the operator has set it.
func (s *Server) adaptTo(g *store.Generation) {
	n := 0
	if !s.fits(g) {
		n = coldProcs * runtime.NumCPU()
		s.log.Warn("the store does not fit into memory: answers will wait for the disk",
			"store", s.cfg.Store, "segments_octets", segmentsSize(g), "memory_octets", s.memory)
	}
	switch {
	case os.Getenv("GOMAXPROCS") != "":
	case n > 0:
		runtime.GOMAXPROCS(n)
	default:
		runtime.SetDefaultGOMAXPROCS()
	}
}

// pageCacheShare is the part of memory that is taken to be there for mapped
// segments: three of four octets.
func pageCacheShare(total int64) int64 { return total / 4 * 3 }

// memoryFor is how many octets of segments can be expected to stay in memory: a
// share of the machine's or, if that is less, of the least that limits, files with
// a number in them, say. A file that is absent or says "max" is no limit.
func memoryFor(limits []string) int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 1<<63 - 1 // nothing is known, so nothing is done about it
	}
	total := int64(info.Totalram) * int64(info.Unit)
	for _, name := range limits {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil {
			total = min(total, limit)
		}
	}
	return pageCacheShare(total)
}

// ownLimits are the files with the memory limits that hold for this process.
func ownLimits() []string {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil // a kernel without control groups
	}
	return limitFiles(string(groups))
}

// limitFiles are where the memory limits are of the control groups that a process
// is in, by what its /proc/PID/cgroup says (cgroups(7)), and of those around them.
// Version 1 has a hierarchy for memory, version 2 one for everything. In a container
// the innermost may be what is mounted, whatever its path is outside.
func limitFiles(groups string) (files []string) {
	for line := range strings.Lines(groups) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		root, names := "/sys/fs/cgroup", []string{"memory.max", "memory.high"} // from high on, pages are taken back
		if slices.Contains(strings.Split(controllers, ","), "memory") {
			root, names = "/sys/fs/cgroup/memory", []string{"memory.limit_in_bytes"}
		} else if controllers != "" {
			continue
		}
		for group = path.Join("/", group); ; group = path.Dir(group) {
			for _, name := range names {
				files = append(files, path.Join(root, group, name))
			}
			if group == "/" {
				break
			}
		}
	}
	return files
}
