// Package proc reads what Linux says of a process (proc(5)).
package proc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every
// architecture that Go runs on.
const tick = 10 * time.Millisecond

// CPU is the processor time that process pid has used.
func CPU(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseCPU(text)
}

// Own is the processor time that this process has used, in finer units.
func Own() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // it fails for other arguments only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// parseCPU adds utime and stime: the 12th and 13th field after the name, which
// ends with the last parenthesis.
func parseCPU(stat []byte) (time.Duration, error) {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat has %d fields after the name, want 13 and more", len(fields))
	}
	var sum time.Duration
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stat: %w", err)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// Resident is the memory of a process, in octets.
type Resident struct {
	Anon int64 // that no file holds: RssAnon
	File int64 // of mapped files: RssFile
	Peak int64 // the most of all kinds so far: VmHWM
}

// Memory is the memory of process pid.
func Memory(pid int) (Resident, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Resident{}, err
	}
	return parseMemory(text)
}

func parseMemory(status []byte) (r Resident, err error) {
	fields := map[string]*int64{"RssAnon:": &r.Anon, "RssFile:": &r.File, "VmHWM:": &r.Peak}
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || fields[words[0]] == nil {
			continue
		}
		kib, err := strconv.ParseInt(words[1], 10, 53)
		if err != nil {
			return r, fmt.Errorf("status: %s %w", words[0], err)
		}
		*fields[words[0]] = kib << 10
		delete(fields, words[0])
	}
	if len(fields) > 0 {
		return r, fmt.Errorf("status lacks %d of RssAnon, RssFile, VmHWM: the process ended", len(fields))
	}
	return r, nil
}

// PeakAnon looks at the anonymous memory of process pid every so often until stop
// is closed or the process ends, and returns the most it saw.
func PeakAnon(pid int, every time.Duration, stop <-chan struct{}) (peak int64) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		r, err := Memory(pid)
		if err != nil {
			return peak
		}
		peak = max(peak, r.Anon)
		select {
		case <-stop:
			return peak
		case <-ticker.C:
		}
	}
}

// Listens reports whether any process listens to the TCP port of this machine.
func Listens(port int) (bool, error) {
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(name)
		if err != nil {
			return false, err
		}
		found := listens(f, port)
		if f.Close(); found {
			return true, nil
		}
	}
	return false, nil
}

// listens reads the sockets that listen, which come before all others:
//
//	sl  local_address rem_address   st ...
//	 0: 0100007F:1F90 00000000:0000 0A ...
func listens(table io.Reader, port int) bool {
	lines := bufio.NewScanner(table)
	lines.Scan() // the heading
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 4 || words[3] != "0A" {
			return false
		}
		if strings.HasSuffix(words[1], fmt.Sprintf(":%04X", port)) {
			return true
		}
	}
	return false
}
