package faults

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"lancre/index/store"
	"lancre/internal/programs"
)

// A fileOp is one system call that changes a file or makes a change durable.
type fileOp struct {
	call string // mkdir, create, write, sync, rename, link, remove
	path string // below the store; "." is the store itself
	to   string // of rename and link
	data []byte // of write
	at   int    // of write: where data goes; −1 for the end
}

// The lines of strace that matter. With -y it shows what a descriptor is:
//
//	fsync(7</tmp/store/objects>)             = 0
var (
	tracedPath  = regexp.MustCompile(`^(mkdirat|openat|unlinkat)\(AT_FDCWD[^,]*, "([^"]*)"(.*)\) = \d`)
	tracedMove  = regexp.MustCompile(`^(rename|link)at\(AT_FDCWD[^,]*, "([^"]*)", AT_FDCWD[^,]*, "([^"]*)"(?:, 0)?\) = 0`)
	tracedFile  = regexp.MustCompile(`^(write|pwrite64|fsync)\(\d+<([^>]*)>(?:, "((?:\\x..)*)", \d+(?:, (\d+))?)?\) += (\d+)`)
	otherChange = regexp.MustCompile(`^(writev|ftruncate|fallocate|copy_file_range|sendfile|symlinkat|renameat2)\(`)
)

// trace runs a command under strace and returns what it did to the store dir, in order.
func trace(t *testing.T, dir string, command *exec.Cmd) (ops []fileOp) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "trace")
	args := append([]string{"-f", "-qq", "-y", "-xx", "-s", "10000000", "-o", log, "-e", "signal=none",
		"-e", "trace=mkdirat,openat,unlinkat,renameat,renameat2,linkat,symlinkat,write,pwrite64,writev,ftruncate,fallocate,fsync,copy_file_range,sendfile",
		command.Path}, command.Args[1:]...)
	run(t, exec.CommandContext(t.Context(), "strace", args...))
	f, err := os.Open(log)
	check(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 100<<20)
	unfinished := make(map[string]string) // by thread
	for lines.Scan() {
		thread, call, _ := strings.Cut(lines.Text(), " ")
		call = strings.TrimLeft(call, " ")
		if begin, ok := strings.CutSuffix(call, " <unfinished ...>"); ok {
			unfinished[thread] = begin
			continue
		}
		if strings.HasPrefix(call, "<... ") {
			_, end, _ := strings.Cut(call, " resumed>")
			call = unfinished[thread] + end
		}
		if op, ok := parseOp(t, dir, call); ok {
			ops = append(ops, op)
		}
	}
	check(t, lines.Err())
	return ops
}

// parseOp reads a line of strace; ok says that it is about the store.
func parseOp(t *testing.T, dir, line string) (op fileOp, ok bool) {
	t.Helper()
	below := func(path string) (string, bool) {
		rel, err := filepath.Rel(dir, unhex(t, path))
		return rel, err == nil && !strings.HasPrefix(rel, "..")
	}
	if m := tracedMove.FindStringSubmatch(line); m != nil {
		op.call = m[1]
		op.path, ok = below(m[2])
		op.to, _ = below(m[3])
		return op, ok
	}
	if m := tracedFile.FindStringSubmatch(line); m != nil {
		if op.path, ok = below(m[2]); m[1] == "fsync" {
			op.call = "sync"
			return op, ok
		}
		op.call, op.at = "write", -1
		if m[4] != "" {
			op.at = number(t, m[4])
		}
		op.data = []byte(unhex(t, m[3]))[:number(t, m[5])]
		return op, ok
	}
	if m := tracedPath.FindStringSubmatch(line); m != nil {
		op.path, ok = below(m[2])
		op.call = map[string]string{"mkdirat": "mkdir", "openat": "create", "unlinkat": "remove"}[m[1]]
		return op, ok && (m[1] != "openat" || strings.Contains(m[3], "O_CREAT"))
	}
	if otherChange.MatchString(line) && strings.Contains(line, hexOf(dir)) && !strings.Contains(line, ") = -1") {
		t.Fatalf("a system call that is not understood changes the store: %.300s", line)
	}
	return op, false
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	check(t, err)
	return n
}

// unhex reads strace's \x2f notation.
func unhex(t *testing.T, s string) string {
	t.Helper()
	if !strings.HasPrefix(s, `\x`) {
		return s
	}
	plain, err := strconv.Unquote(`"` + s + `"`)
	check(t, err)
	return plain
}

func hexOf(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}

// A machine is a file system in memory that knows what would be left after a
// crash. What fsync did not promise, the crash may keep or drop, piece by piece.
type machine struct {
	names   map[string]*node // what programs see
	durable map[string]*node // what is certain to be found after a crash
	pending []change         // of names, not durable yet, in order
}

// A node is a file or a directory.
type node struct {
	dir          bool
	data, synced []byte
}

// A change of a name: path becomes node, or goes if node is nil.
type change struct {
	path string
	node *node
}

// loadMachine reads a directory that is on disk.
func loadMachine(t *testing.T, dir string) *machine {
	t.Helper()
	m := &machine{names: make(map[string]*node), durable: make(map[string]*node)}
	check(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		n := &node{dir: e.IsDir()}
		if !n.dir {
			if n.data, err = os.ReadFile(path); err != nil {
				return err
			}
			n.synced = n.data
		}
		rel, err := filepath.Rel(dir, path)
		m.names[rel], m.durable[rel] = n, n
		return err
	}))
	return m
}

func (m *machine) set(path string, n *node) {
	if m.names[path] = n; n == nil {
		delete(m.names, path)
	}
	m.pending = append(m.pending, change{path, n})
}

func (m *machine) apply(t *testing.T, op fileOp) {
	t.Helper()
	n := m.names[op.path]
	if n == nil && op.call != "mkdir" && op.call != "create" {
		t.Fatalf("%s of %q, which does not exist", op.call, op.path)
	}
	switch op.call {
	case "mkdir":
		m.set(op.path, &node{dir: true})
	case "create":
		m.set(op.path, new(node))
	case "write":
		n.write(op)
	case "link":
		m.set(op.to, n)
	case "rename":
		m.set(op.to, n)
		m.set(op.path, nil)
	case "remove":
		m.set(op.path, nil)
	case "sync":
		m.sync(op.path, n)
	}
}

// write changes a copy, for what was synced must stay.
func (n *node) write(op fileOp) {
	at := op.at
	if at < 0 {
		at = len(n.data)
	}
	data := make([]byte, max(len(n.data), at+len(op.data)))
	copy(data, n.data)
	copy(data[at:], op.data)
	n.data = data
}

// sync makes the content of a file durable, or the names in a directory.
func (m *machine) sync(path string, n *node) {
	if !n.dir {
		n.synced = n.data
		return
	}
	var rest []change
	for _, c := range m.pending {
		if filepath.Dir(c.path) == path {
			settle(m.durable, c)
		} else {
			rest = append(rest, c)
		}
	}
	m.pending = rest
}

func settle(names map[string]*node, c change) {
	if c.node == nil {
		delete(names, c.path)
	} else {
		names[c.path] = c.node
	}
}

// crash writes what is left of the machine into dir. keep decides of each piece
// that is not certain.
func (m *machine) crash(t *testing.T, dir string, keep func() bool) {
	t.Helper()
	left := make(map[string]*node)
	for path, n := range m.durable {
		left[path] = n
	}
	for _, c := range m.pending {
		if keep() {
			settle(left, c)
		}
	}
	for path, n := range left {
		m.restore(t, filepath.Join(dir, path), n, keep)
	}
}

func (m *machine) restore(t *testing.T, path string, n *node, keep func() bool) {
	t.Helper()
	if n.dir {
		check(t, os.MkdirAll(path, 0o755))
		return
	}
	data := n.synced
	if !bytes.Equal(n.data, n.synced) && keep() {
		data = n.data
		if !keep() { // the size is there, and the content is not
			data = make([]byte, len(n.data))
			copy(data, n.synced)
		}
	}
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, data, 0o644))
}

// A publication is one way to make a new generation of a store, of which prepare makes
// what it is made of.
type publication struct {
	name    string
	prepare func(o *origin, t *testing.T)
	command func(o *origin, t *testing.T) *exec.Cmd
}

var publications = []publication{
	{"build", (*origin).sign, (*origin).build},
	{"add", func(*origin, *testing.T) {}, (*origin).withdraw},
	{"merge", (*origin).withdrawOne, func(o *origin, t *testing.T) *exec.Cmd {
		return exec.CommandContext(t.Context(), "lancre", "merge", o.store, "--into-base")
	}},
	{"rollback", (*origin).withdrawOne, func(o *origin, t *testing.T) *exec.Cmd {
		past, err := store.History(o.store)
		check(t, err)
		return exec.CommandContext(t.Context(), "lancre", "rollback", o.store, "--generation", fmt.Sprint(past[0]), "--force")
	}},
}

// withdraw is the addition that withdraws a certificate: another one each time, while
// there are as many.
func (o *origin) withdraw(t *testing.T) *exec.Cmd {
	t.Helper()
	id, _ := o.ca.CertID(o.ca.Certificate(o.withdrawn%o.certs), o.ca.Hashes[0])
	o.withdrawn++
	file := filepath.Join(o.dir, "withdraw.csv")
	check(t, os.WriteFile(file, fmt.Appendf(nil, "serial\n%x\n", id.Serial), 0o644))
	return exec.CommandContext(t.Context(), "lancre", "add", o.store, "--issuer", filepath.Join(o.dir, "issuer.pem"), "--withdraw", file)
}

func (o *origin) withdrawOne(t *testing.T) {
	t.Helper()
	run(t, o.withdraw(t))
}

// TestPowerFailsDuringPublication records the system calls of every way to publish and
// lets the power fail after each of them. What is left must be a whole generation, and
// the new one if the command had ended.
func TestPowerFailsDuringPublication(t *testing.T) {
	programs.Need(t, "strace")
	for _, p := range publications {
		t.Run(p.name, p.powerFails)
	}
}

func (p *publication) powerFails(t *testing.T) {
	o := newOrigin(t, 20)
	o.publish(t)
	p.prepare(o, t)
	first := published(t, o.store)
	before := loadMachine(t, o.store)
	ops := trace(t, o.store, p.command(o, t))
	last := published(t, o.store)
	if last <= first || len(ops) < 10 {
		t.Fatalf("under strace, generation %d was published by %d calls: %v", last, len(ops), ops)
	}
	variants := size(6, 50)
	times, lost := 0, 0
	for cut := range len(ops) + 1 {
		from, until := first, last
		if cut == len(ops) {
			from = until
		}
		for variant := range variants {
			dir := t.TempDir()
			before.crash(t, dir, keeper(cut, variant))
			if n := lostGenerations(t, dir, from, until); n > 0 {
				lost += n
				t.Logf("power failed after call %d of %d, variant %d: %v", cut, len(ops), variant, ops[:cut])
			}
			times++
			check(t, os.RemoveAll(dir))
		}
		if cut < len(ops) {
			before.apply(t, ops[cut])
		}
	}
	record(t, row{fault: "power fails during " + p.name, times: times, lost: lost,
		note: fmt.Sprintf("after each of its %d system calls; un-fsynced names and data kept, dropped or torn", len(ops))})
}

// keeper is what becomes of pieces that are not certain: all of it is lost, all is
// kept, or chance decides.
func keeper(cut, variant int) func() bool {
	switch variant {
	case 0:
		return func() bool { return false }
	case 1:
		return func() bool { return true }
	}
	r := rand.New(rand.NewPCG(uint64(cut), uint64(variant)))
	return func() bool { return r.IntN(2) == 0 }
}

// TestMachineLosesWhatIsNotSynced shows that the machine would notice: without its
// fsyncs the same publication loses generations.
func TestMachineLosesWhatIsNotSynced(t *testing.T) {
	programs.Need(t, "strace")
	o := newOrigin(t, 20)
	o.publish(t)
	m := loadMachine(t, o.store)
	o.sign(t)
	for _, op := range trace(t, o.store, o.build(t)) {
		if op.call != "sync" {
			m.apply(t, op)
		}
	}
	for variant := range 50 {
		dir := t.TempDir()
		m.crash(t, dir, keeper(0, variant))
		if store.Verify(dir, nil, func(*store.Fault) {}) != nil {
			return
		}
	}
	t.Error("nothing is lost when the power fails before anything was synced")
}
