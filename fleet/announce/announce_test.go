package announce

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lancre/internal/metricstest"
)

// A fakeBird answers on a control socket as BIRD 2.0.12 does.
type fakeBird struct {
	path string

	mu       sync.Mutex
	up       map[string]bool
	commands []string // that changed something
	garbled  string   // what it says in place of answers; "" for answers
}

func startBird(t *testing.T) *fakeBird {
	t.Helper()
	b := &fakeBird{path: filepath.Join(t.TempDir(), "b"), up: map[string]bool{"anycast_ok": false, "anycast_stale": false, "anycast_other": true}}
	ln, err := net.Listen("unix", b.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return b
}

func (b *fakeBird) serve(conn net.Conn) {
	defer conn.Close()
	fmt.Fprintf(conn, "0001 BIRD 2.0.12 ready.\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		fmt.Fprint(conn, b.answer(lines.Text()))
	}
}

func (b *fakeBird) answer(command string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.garbled != "" {
		return b.garbled
	}
	verb, name, _ := strings.Cut(command, ` "`)
	name = strings.TrimSuffix(name, `"`)
	up, ok := b.up[name]
	switch {
	case !ok:
		return "8003 No protocols match\n"
	case verb == "show protocols":
		state := map[bool]string{true: "up    ", false: "down  "}[up]
		return fmt.Sprintf("2002-Name       Proto      Table      State  Since         Info\n1002-%s Static     master4    %s 12:00:00.001\n \n0000 \n", name, state)
	}
	b.commands = append(b.commands, command)
	b.up[name] = verb == "enable"
	return fmt.Sprintf("0011-%s: done\n0000 \n", name)
}

// has wants these protocols up, and these commands to have been given since it was last
// called.
func (b *fakeBird) has(t *testing.T, ok, stale bool, commands ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.up["anycast_ok"] != ok || b.up["anycast_stale"] != stale || !b.up["anycast_other"] || !slices.Equal(b.commands, commands) {
		t.Errorf("%v after %q, want %v, %v after %q", b.up, b.commands, ok, stale, commands)
	}
	b.commands = nil
}

// newAgent is one over a BIRD, of a lancred that answers as the result says.
func newAgent(t *testing.T) (*Agent, *fakeBird, *sync.Map, *bytes.Buffer) {
	t.Helper()
	var status sync.Map // by path
	status.Store("/readyz", 200)
	status.Store("/freshz", 200)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, _ := status.Load(r.URL.Path)
		if code == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(code.(int))
		fmt.Fprint(w, `{"reason":"because"}`)
	}))
	t.Cleanup(server.Close)
	b := startBird(t)
	var log bytes.Buffer
	cfg := DefaultConfig()
	cfg.Health.URL, cfg.Socket, cfg.Log = server.URL, b.path, slog.New(slog.NewTextHandler(&log, nil))
	cfg.Damping = Damping{Rise: 1, Fall: 1}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a, b, &status, &log
}

func TestStates(t *testing.T) {
	a, b, status, log := newAgent(t)
	tick := func(ready, fresh int) {
		status.Store("/readyz", ready)
		status.Store("/freshz", fresh)
		a.Tick(t.Context())
	}
	tick(200, 200)
	b.has(t, true, false, `enable "anycast_ok"`)
	tick(200, 200)
	b.has(t, true, false)
	tick(200, 503) // one is up before the other is down
	b.has(t, false, true, `enable "anycast_stale"`, `disable "anycast_ok"`)
	tick(200, 200)
	b.has(t, true, false, `enable "anycast_ok"`, `disable "anycast_stale"`)
	tick(503, 200)
	b.has(t, false, false, `disable "anycast_ok"`)
	if want := "state=dead was=ready why=\"" + a.cfg.Health.URL + "/readyz: 503 Service Unavailable: because\""; !strings.Contains(log.String(), want) {
		t.Errorf("log lacks %s:\n%s", want, log)
	}
	tick(200, 0)
	b.has(t, false, true, `enable "anycast_stale"`)
	tick(0, 0)
	b.has(t, false, false, `disable "anycast_stale"`)
	tick(404, 200)
	b.has(t, false, false)
}

// What somebody else did to BIRD is undone.
func TestReconcile(t *testing.T) {
	a, b, _, _ := newAgent(t)
	a.Tick(t.Context())
	b.has(t, true, false, `enable "anycast_ok"`)
	b.mu.Lock()
	b.up["anycast_ok"], b.up["anycast_stale"] = false, true // as if it had been started again by hand
	b.mu.Unlock()
	a.Tick(t.Context())
	b.has(t, true, false, `enable "anycast_ok"`, `disable "anycast_stale"`)
	if err := a.Withdraw(); err != nil {
		t.Error(err)
	}
	b.has(t, false, false, `disable "anycast_ok"`)
}

// BIRD may say anything, or nothing: it is in the log once, and counted.
func TestBIRDTrouble(t *testing.T) {
	a, b, _, log := newAgent(t)
	for _, test := range []struct{ garbled, says string }{
		{"8003 No protocols match\n", "BIRD says 8003 No protocols match"},
		{"nonsense\n", `"nonsense" is no line of an answer of BIRD`},
		{strings.Repeat("1002-x\n", maxReply+1), "more than 1000 lines"},
		{"0000 \n", "BIRD has no protocol anycast_ok: see deploy/anycast"},
	} {
		b.mu.Lock()
		b.garbled = test.garbled
		b.mu.Unlock()
		log.Reset()
		a.Tick(t.Context())
		a.Tick(t.Context())
		if got := log.String(); !strings.Contains(got, strings.ReplaceAll(test.says, `"`, `\"`)) || strings.Count(got, "BIRD does not do as told") != 1 {
			t.Errorf("log is\n%s\nwant once %s", got, test.says)
		}
	}
	b.mu.Lock()
	b.garbled = ""
	b.mu.Unlock()
	log.Reset()
	a.Tick(t.Context())
	b.has(t, true, false, `enable "anycast_ok"`)
	if !strings.Contains(log.String(), "BIRD does as told again") {
		t.Errorf("log: %s", log)
	}
	a.cfg.Socket += ".gone"
	if err := a.Withdraw(); err == nil || !strings.Contains(err.Error(), "the route could not be withdrawn: ") {
		t.Errorf("error is %v", err)
	}
}

// A lancred that does not answer in time is dead.
func TestSilentLancred(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	state, why := Health{server.URL, 50 * time.Millisecond}.Ask(t.Context())
	if state != Dead || !strings.Contains(why, "deadline exceeded") {
		t.Errorf("%v, %s", state, why)
	}
}

func TestConfig(t *testing.T) {
	for _, test := range []struct {
		change func(c *Config)
		want   string
	}{
		{func(c *Config) { c.Health.URL = "127.0.0.1:9090" }, "want the admin URL"},
		{func(c *Config) { c.Every = 0 }, "every is 0s"},
		{func(c *Config) { c.Damping.Rise = 0 }, "rise is 0"},
		{func(c *Config) { c.Ready = `x"; configure` }, "want the names of two protocols"},
		{func(c *Config) { c.Stale = c.Ready }, "want the names of two protocols"},
		{func(c *Config) { c.Log = nil }, "there is no log"},
	} {
		c := DefaultConfig()
		test.change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error is %v, want %s", err, test.want)
		}
	}
}

func TestMetricsAreDocumented(t *testing.T) {
	a, _, _, _ := newAgent(t)
	metricstest.Compare(t, "../../docs/METRICS.md", "## lancred announce", a.metrics.registry)
}
