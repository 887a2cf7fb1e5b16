package faults

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"lancre/internal/programs"
)

// crowd opens n connections, from several addresses, and leaves them idle. Those that the server refuses count, too.
func crowd(t *testing.T, addr string, n int) (conns []net.Conn) {
	t.Helper()
	for i := range n {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 2, byte(1+i%8))} // one has 28,000 ports
		dialer := net.Dialer{LocalAddr: from, Timeout: patience}
		c, err := dialer.Dial("tcp4", addr)
		if err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		conns = append(conns, c)
	}
	t.Cleanup(func() { disperse(conns) })
	return conns
}

func disperse(conns []net.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// TestOpenFilesRunOut opens more connections than lancred may have files.
func TestOpenFilesRunOut(t *testing.T) {
	const files = 100
	o := newOrigin(t, 20)
	o.served.Store(o.publish(t))
	d := newDaemon(t, o.store)
	d.shell = fmt.Sprintf("ulimit -n %d;", files)
	d.start()
	l := newLoad(o, d.addr)
	l.keepOnly = true // new connections wait in the kernel meanwhile
	l.start()
	l.awaitRequests(t, 100)
	times := size(2, 10)
	for range times {
		conns := crowd(t, d.addr, 2*files)
		d.await("a connection could not be accepted: raise the limit of open files, or set --max-conns below it")
		l.awaitRequests(t, 100)
		o.publishTo(t, d) // for which, and for the admin address, there are files left
		disperse(conns)
		if status, _ := askOnce(t, d.addr, o.questions[0]); status != 200 {
			t.Errorf("after the crowd left, status %d", status)
		}
	}
	if d.metric("lancred_accept_errors_total", "") == 0 {
		t.Error("lancred_accept_errors_total is 0")
	}
	r := l.finish(t, "the limit of open files is reached, then the crowd leaves", times)
	r.note = "open connections are answered, new ones wait, a generation is swapped in; `lancred_accept_errors_total`"
	record(t, r)
	d.stop()
}

// TestTooManyConnections lets a crowd run into --max-conns.
func TestTooManyConnections(t *testing.T) {
	const most = 200
	o := newOrigin(t, 20)
	o.served.Store(o.publish(t))
	d := serve(t, o.store, "--max-conns", fmt.Sprint(most))
	l := newLoad(o, d.addr)
	l.keepOnly = true
	l.start()
	l.awaitRequests(t, 100)
	n := size(1000, 10_000)
	conns := crowd(t, d.addr, n)
	await(t, "connections to be refused", func() bool { return d.metric("lancred_refused_connections_total", "") >= float64(n-most) })
	l.awaitRequests(t, 100)
	disperse(conns)
	await(t, "the crowd to have left", func() bool { return d.metric("lancred_connections", "") < most/2 })
	if status, _ := askOnce(t, d.addr, o.questions[0]); status != 200 {
		t.Errorf("after the crowd left, status %d", status)
	}
	r := l.finish(t, "more connections than --max-conns", n)
	r.note = "refused; `lancred_refused_connections_total`"
	record(t, r)
	d.stop()
}

// TestIdleConnections opens as many idle connections as the machine allows, up to
// 50,000.
func TestIdleConnections(t *testing.T) {
	n := allowFiles(t, size(1000, 50_000))
	o := newOrigin(t, 20)
	o.served.Store(o.publish(t))
	d := newDaemon(t, o.store)
	d.shell = fmt.Sprintf("ulimit -n %d;", n+otherFiles)
	d.start()
	l := newLoad(o, d.addr).start()
	before := d.memory()
	var conns []net.Conn
	const group = 50 // on any machine soon enough: one that has not asked is cut off after 10 seconds, and then after 75
	for len(conns) < n {
		next := crowd(t, d.addr, min(group, n-len(conns)))
		askFirst(t, next)
		conns = append(conns, next...)
	}
	await(t, "all connections to be open", func() bool { return d.metric("lancred_connections", "") >= float64(n) })
	l.awaitRequests(t, 500)
	taken := d.memory() - before
	disperse(conns)
	await(t, "the crowd to have left", func() bool { return d.metric("lancred_connections", "") < 100 })
	r := l.finish(t, "idle connections", n)
	r.note = fmt.Sprintf("%d KiB each", taken/int64(n)>>10)
	record(t, r)
	d.stop()
}

// otherFiles is more than the files that the suite and lancred have open beside
// connections of a crowd.
const otherFiles = 500

// askFirst makes a request on each connection.
func askFirst(t *testing.T, conns []net.Conn) {
	t.Helper()
	for _, c := range conns {
		_, _, err := roundTrip(c, bufio.NewReaderSize(c, 512), []byte("GET / HTTP/1.1\r\nHost: o.demo.test\r\n\r\n"), func() {})
		check(t, err)
	}
}

// allowFiles raises the limit of open files of this process as far as it goes, and
// returns how many of n connections there can be.
func allowFiles(t *testing.T, n int) int {
	t.Helper()
	want := uint64(n + otherFiles)
	var old unix.Rlimit
	check(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	raised := unix.Rlimit{Cur: max(old.Cur, want), Max: max(old.Max, want)}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) != nil { // not root
		raised = unix.Rlimit{Cur: min(want, old.Max), Max: old.Max}
		check(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &raised))
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Error(err)
		}
	})
	return int(min(want, raised.Cur)) - otherFiles
}

// TestLogDiskFull lets every write to the log fail with ENOSPC.
func TestLogDiskFull(t *testing.T) {
	o := newOrigin(t, 20)
	o.served.Store(o.publish(t))
	d := newDaemon(t, o.store)
	d.startUnheard("exec 2>/dev/full;")
	l := newLoad(o, d.addr).start()
	times := size(3, 20)
	for range times {
		generation := o.publish(t)
		await(t, "the new generation to be served", func() bool {
			_, body := askOnce(t, d.addr, o.questions[0])
			o.mu.Lock()
			defer o.mu.Unlock()
			return o.made[string(body)].generation == generation
		})
		o.served.Store(generation)
	}
	r := l.finish(t, "the disk of the log is full, generations go on", times)
	record(t, r)
	d.signal(unix.SIGTERM)
	if err := d.wait(); err != nil {
		t.Error(err)
	}
}

// TestMemoryLimit serves inside a memory cgroup that a crowd of connections without
// --max-conns would burst.
func TestMemoryLimit(t *testing.T) {
	if programs.RaceDetected() {
		t.Skip("a program under the race detector takes ten times the memory")
	}
	const limit = 64 << 20
	group := memoryGroup(t, limit)
	o := newOrigin(t, 20)
	o.served.Store(o.publish(t))
	d := newDaemon(t, o.store, "--max-conns", "500")
	d.env = []string{fmt.Sprintf("GOMEMLIMIT=%d", limit*3/4)}
	d.shell = fmt.Sprintf("echo $$ >%s/cgroup.procs;", group)
	d.start()
	l := newLoad(o, d.addr)
	l.keepOnly = true
	l.start()
	l.awaitRequests(t, 100)
	times := size(2, 10)
	for range times {
		conns := crowd(t, d.addr, 3000)
		for _, c := range conns {
			_, _ = c.Write([]byte("POST / HTTP/1.1\r\nHost: o.demo.test\r\nContent-Length: 10000\r\n\r\n")) // an error: it was refused
		}
		l.awaitRequests(t, 200)
		disperse(conns)
		o.publishTo(t, d)
	}
	r := l.finish(t, "a memory cgroup of 64 MiB and GOMEMLIMIT, a crowd, new generations", times)
	r.note = fmt.Sprintf("%d MiB of its own at the end", d.memory()>>20)
	record(t, r)
	d.stop()
}

// memoryGroup makes a cgroup with that limit of memory, of version 2 or 1.
func memoryGroup(t *testing.T, limit int) (dir string) {
	t.Helper()
	for _, v := range []struct{ root, file string }{{"/sys/fs/cgroup", "memory.max"}, {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}} {
		dir := filepath.Join(v.root, fmt.Sprintf("lancre-faults-%d", os.Getpid()))
		if _, err := os.Stat(filepath.Join(v.root, "cgroup.procs")); err != nil || os.Mkdir(dir, 0o755) != nil {
			continue
		}
		if os.WriteFile(filepath.Join(dir, v.file), fmt.Append(nil, limit), 0o644) == nil {
			t.Cleanup(func() { await(t, "the cgroup to be empty", func() bool { return os.Remove(dir) == nil }) })
			return dir
		}
		os.Remove(dir)
	}
	t.Skip("no memory cgroup can be made here")
	return ""
}
