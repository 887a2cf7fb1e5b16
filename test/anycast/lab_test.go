// Package anycast has two edges announce one address to a router, in network namespaces
// of this machine, and takes them away one way or another while a client asks: eBGP, ECMP
// and BFD by the BIRD of deploy/anycast, routes by lancred announce.
//
//	         ┌─ edge 1  lancred, announce, BIRD; 192.0.2.53 on lo
//	client ─ router
//	         └─ edge 2  likewise
//
// Two edges in one network, with keepalived, are another lab of the same kind: see newLAN.
//
//	go test -v ./test/anycast      needs root; it skips elsewhere
package anycast

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lancre/index/store"
	"lancre/internal/programs"
	"lancre/internal/storetest"
)

const (
	address = "192.0.2.53" // of the service, as in deploy/anycast

	// tick is how often agents look, a third of what they do by themselves.
	tick = 300 * time.Millisecond

	// patience bounds every wait for an event.
	patience = programs.Patience
)

func TestMain(m *testing.M) {
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin") // where bird is
	os.Exit(programs.Run(m))
}

// A lab is the namespaces and what runs in them.
type lab struct {
	t      *testing.T
	dir    string
	prefix string // of the namespaces' names
	edges  [2]*edge
}

// An edge is one of the two.
type edge struct {
	*lab
	name   string // edge1
	store  string
	listen string

	lancred, agent, bird *process
}

// newNamespaces makes them: one in the middle, of a client, and of two edges.
func newNamespaces(t *testing.T, middle string) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: only root can make network namespaces: run the test as root to have it")
	}
	programs.Need(t, "ip")
	dir, err := os.MkdirTemp("", "lancre-lab-") // short, for sockets in it have at most 107 octets
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &lab{t: t, dir: dir, prefix: fmt.Sprintf("lancre%d-", os.Getpid())}
	if out, err := exec.Command("ip", "netns", "add", l.ns(middle)).CombinedOutput(); err != nil {
		t.Skipf("NOT RUN: this machine makes no network namespaces: %v %s", err, out)
	}
	t.Cleanup(func() { l.sh("ip netns delete " + l.ns(middle)) })
	for _, name := range []string{"client", "edge1", "edge2"} {
		l.sh("ip netns add " + l.ns(name))
		t.Cleanup(func() { l.sh("ip netns delete " + l.ns(name)) })
	}
	return l
}

// newLab makes the namespaces and starts everything but the client.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := newNamespaces(t, "router")
	programs.Need(t, "bird", "birdc")
	l.in("router", "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.fib_multipath_hash_policy=1")
	l.link("client", 0)
	l.link("edge1", 1)
	l.link("edge2", 2)
	l.start("router", "bird", "-f", "-c", conf(t, "bird-router.conf"), "-s", l.path("router.ctl"), "-P", l.path("router.pid"))
	for i := range l.edges {
		l.edges[i] = l.newEdge(i + 1)
	}
	l.await("both edges", func() bool { return l.routes() == "12" })
	return l
}

// ns is the name of a namespace.
func (l *lab) ns(name string) string { return l.prefix + name }

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// conf is the path of a file of deploy/anycast.
func conf(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../deploy/anycast", name))
	check(t, err)
	return path
}

// sh runs a command line that must succeed, and returns what it prints.
func (l *lab) sh(line string) string {
	l.t.Helper()
	out, err := exec.Command("sh", "-c", line).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// in is sh in a namespace.
func (l *lab) in(name, line string) string {
	l.t.Helper()
	return l.sh("ip netns exec " + l.ns(name) + " " + line)
}

// link connects a namespace to the router, by the network 10.9.N.0/24, of which it has
// .2 and the router .1.
func (l *lab) link(name string, n int) {
	l.t.Helper()
	l.sh(fmt.Sprintf("ip -n %s link add to-%s type veth peer name uplink netns %s", l.ns("router"), name, l.ns(name)))
	l.in("router", fmt.Sprintf("ip address add 10.9.%d.1/24 dev to-%s", n, name))
	l.in("router", "ip link set up dev to-"+name)
	l.in(name, fmt.Sprintf("ip address add 10.9.%d.2/24 dev uplink", n))
	l.in(name, "ip link set up dev uplink")
	l.in(name, "ip link set up dev lo")
	l.in(name, fmt.Sprintf("ip route add default via 10.9.%d.1", n))
}

// anEdge is edge n, whose page says so, before anything of it is started.
func (l *lab) anEdge(n int, listen string) *edge {
	l.t.Helper()
	name := fmt.Sprintf("edge%d", n)
	e := &edge{lab: l, name: name, store: l.path(name), listen: listen}
	e.publish(time.Now())
	return e
}

// newEdge starts edge n, which announces its address by BIRD.
func (l *lab) newEdge(n int) *edge {
	l.t.Helper()
	e := l.anEdge(n, address+":80")
	l.in(e.name, "ip address add "+address+"/32 dev lo")
	text, err := os.ReadFile(conf(l.t, "bird-edge.conf"))
	check(l.t, err)
	check(l.t, os.WriteFile(l.path(e.name+".conf"), bytes.ReplaceAll(text, []byte("10.9.1."), fmt.Appendf(nil, "10.9.%d.", n)), 0o644))
	e.startLancred()
	e.startBird()
	e.startAgent()
	return e
}

// publish makes the next generation of the edge's store.
func (e *edge) publish(created time.Time) {
	e.t.Helper()
	storetest.Publish(e.t, e.store, created, nil, []storetest.File{{
		FileLine: store.FileLine{Host: "_", Path: "/edge", ContentType: "text/plain", LastModified: created}, Body: e.name,
	}})
}

// stale makes the edge stale, or fresh.
func (e *edge) stale(is bool) {
	e.t.Helper()
	age := time.Duration(0)
	if is {
		age = 2 * time.Hour
	}
	e.publish(time.Now().Add(-age))
}

func (e *edge) startLancred() {
	e.lancred = e.start(e.name, "lancred", "--store", e.store, "--listen", e.listen, "--fresh-within", "1h", "--drain-wait", "2s")
}

func (e *edge) control() string { return e.path(e.name + ".ctl") }

func (e *edge) startBird() {
	e.bird = e.start(e.name, "bird", "-f", "-c", e.path(e.name+".conf"), "-s", e.control(), "-P", e.path(e.name+".pid"))
}

// startAgent starts lancred announce. When it has ended, however that was, the route is
// withdrawn, as systemd does it by ExecStopPost=.
func (e *edge) startAgent() {
	agent := e.start(e.name, "lancred", "announce", "--bird", e.control(), "--every", tick.String(), "--hold", "1s")
	go func() {
		<-agent.ended
		_ = exec.Command("lancred", "announce", "--withdraw", "--bird", e.control()).Run() // BIRD may be gone, too
	}()
	e.agent = agent
}

// A process runs in a namespace until the end of the test.
type process struct {
	*os.Process
	ended chan struct{}
}

func (l *lab) start(name string, command ...string) *process {
	l.t.Helper()
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", l.ns(name)}, command...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second // for what it has started, and did not end
	check(l.t, cmd.Start())
	p := &process{cmd.Process, make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // most are killed
	}()
	l.t.Cleanup(func() {
		cancel()
		<-p.ended
		if l.t.Failed() {
			l.t.Logf("%s: %s printed\n%s", name, strings.Join(command, " "), &out)
		}
	})
	return p
}

// kill ends a process at once.
func (p *process) kill() {
	_ = p.Signal(syscall.SIGKILL) // an error says that it is gone
	<-p.ended
}

// routes are the edges over which the router sends, as "12".
func (l *lab) routes() (edges string) {
	l.t.Helper()
	out := l.in("router", "ip route show "+address)
	for n := range l.edges {
		if strings.Contains(out, fmt.Sprintf("10.9.%d.2", n+1)) {
			edges += fmt.Sprint(n + 1)
		}
	}
	return edges
}

// await looks until done, and fails the test if that takes longer than patience. It
// returns how long it took.
func (l *lab) await(what string, done func() bool) time.Duration {
	l.t.Helper()
	began := time.Now()
	for !done() {
		if time.Since(began) > patience {
			l.t.Fatalf("not within %v: %s; the router sends over %q", patience, what, l.routes())
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(began)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
