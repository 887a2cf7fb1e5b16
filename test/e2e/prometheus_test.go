package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"lancre/internal/programs"
)

// A fleet is three edges, and a Prometheus that scrapes what runs on them.
type fleet struct {
	dir        string
	admins     map[string][]string // of what runs, by the job of Prometheus
	prometheus string              // its address
}

// startFleet publishes a signed store, has edges pull, serve and announce it, and an origin
// follow and publish another one, which is probed.
func startFleet(t *testing.T) *fleet {
	t.Helper()
	programs.Need(t, "bird", "prometheus", "promtool")
	f := &fleet{dir: t.TempDir(), admins: make(map[string][]string)}
	sh(t, f.dir, `
		lancre demo --out demo --responses 200
		lancre keygen --name demo.example.org --out . >/dev/null
		mv *.key key; mv *.pub trust
		lancre build --out store --issuer demo/issuer.pem --responses demo/responses.der --static demo/static --manifest-key key --expires 1h
	`)
	bucket := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(f.dir, "store"))))
	t.Cleanup(bucket.Close)
	f.startBird(t)
	trust := filepath.Join(f.dir, "trust")
	for n := range 3 {
		store := filepath.Join(f.dir, fmt.Sprint("edge", n))
		check(t, os.Mkdir(store, 0o755))
		serving := programs.Start(t, store, "--trust", trust)
		pulling := programs.StartBeside(t, "pull", "--from", bucket.URL, "--trust", trust, "--store", store, "--every", "200ms", "--health", "http://"+serving.Admin)
		announcing := programs.StartBeside(t, "announce", "--health", "http://"+serving.Admin, "--bird", filepath.Join(f.dir, "bird.ctl"))
		serving.Await(t, "generation served")
		f.admins["lancred"] = append(f.admins["lancred"], serving.Admin)
		f.admins["lancred-pull"] = append(f.admins["lancred-pull"], pulling.Admin)
		f.admins["lancred-announce"] = append(f.admins["lancred-announce"], announcing.Admin)
		f.ask(t, serving.Addr)
	}
	sh(t, f.dir, `
		lancre demo --out followed --responses 200
		printf '[[publish]]\nto = "bucket"\n' >>followed/lancre.toml
	`)
	f.admins["lancre"] = []string{programs.Follow(t, filepath.Join(f.dir, "followed", "lancre.toml")).Admin}
	edge := programs.Start(t, filepath.Join(f.dir, "followed", "store"))
	probing := programs.Probe(t, "--store", filepath.Join(f.dir, "followed", "store"), "--issuer", filepath.Join(f.dir, "followed", "issuer.pem"),
		"--at", "http://"+edge.Addr, "--every", "1s")
	f.admins["lancre-probe"] = []string{probing.Admin}
	f.startPrometheus(t)
	return f
}

// startBird has a BIRD with the two protocols, and no neighbour. It outlives what speaks
// to it.
func (f *fleet) startBird(t *testing.T) {
	t.Helper()
	sh(t, f.dir, `
		echo 'router id 192.0.2.1; protocol device {}' >bird.conf
		for p in ok stale; do echo "protocol static anycast_$p { disabled; ipv4; }" >>bird.conf; done
	`)
	bird := exec.Command("bird", "-f", "-c", "bird.conf", "-s", "bird.ctl", "-P", "bird.pid")
	bird.Dir = f.dir
	check(t, bird.Start())
	t.Cleanup(func() {
		check(t, bird.Process.Kill())
		bird.Wait() // says that it was killed
	})
	await(t, f.dir, "birdc -s bird.ctl show status", nil, "Daemon is up")
}

// ask has an edge asked for something all the time.
func (f *fleet) ask(t *testing.T, addr string) {
	t.Helper()
	start(t, f.dir, `
		openssl ocsp -issuer demo/issuer.pem -cert demo/good.pem -no_nonce -reqout good.req
		while curl -sS -o answer --data-binary @good.req -H 'Content-Type: application/ocsp-request' http://$ADDR/; do sleep 0.2; done
	`, "ADDR="+addr)
}

// startPrometheus has a Prometheus scrape everything each second.
func (f *fleet) startPrometheus(t *testing.T) {
	t.Helper()
	config := map[string]any{
		"global":     map[string]string{"scrape_interval": "1s", "evaluation_interval": "1s"},
		"rule_files": []string{testdata(t, "../../../deploy/prometheus/rules.yml")},
	}
	var jobs []any
	for job, addrs := range f.admins {
		jobs = append(jobs, map[string]any{"job_name": job, "static_configs": []any{map[string]any{"targets": addrs}}})
	}
	config["scrape_configs"] = jobs
	text, err := json.Marshal(config) // which is YAML, too
	check(t, err)
	check(t, os.WriteFile(filepath.Join(f.dir, "prometheus.yml"), text, 0o644))
	start(t, f.dir, `exec prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:0 2>prometheus.log`)
	listening := regexp.MustCompile(`Listening on"? address=(127\.0\.0\.1:[1-9]\d*)`)
	for end := time.Now().Add(programs.Patience); f.prometheus == ""; time.Sleep(retry) {
		log, _ := os.ReadFile(filepath.Join(f.dir, "prometheus.log")) // it may not be there yet
		if m := listening.FindSubmatch(log); m != nil {
			f.prometheus = string(m[1])
		} else if time.Now().After(end) {
			t.Fatalf("Prometheus does not say where it listens:\n%s", log)
		}
	}
	await(t, f.dir, "curl -fsS http://$ADDR/-/ready", []string{"ADDR=" + f.prometheus}, "Ready")
}

// query evaluates an expression, and returns the values that it has.
func (f *fleet) query(t *testing.T, expr string) (values []float64) {
	t.Helper()
	resp, err := http.Get("http://" + f.prometheus + "/api/v1/query?query=" + url.QueryEscape(expr))
	check(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	check(t, err)
	var said struct {
		Error string
		Data  struct {
			Result []struct{ Value [2]any }
		}
	}
	check(t, json.Unmarshal(body, &said))
	if said.Error != "" {
		t.Fatalf("%s: %s", expr, said.Error)
	}
	for _, r := range said.Data.Result {
		v, err := strconv.ParseFloat(r.Value[1].(string), 64)
		check(t, err)
		values = append(values, v)
	}
	return values
}

// has waits until an expression has a number.
func (f *fleet) has(t *testing.T, expr string) {
	t.Helper()
	for end := time.Now().Add(programs.Patience); ; time.Sleep(retry) {
		values := f.query(t, expr)
		if len(values) > 0 && values[0] == values[0] { // no NaN
			return
		}
		if time.Now().After(end) {
			t.Errorf("%s has no value: %v", expr, values)
			return
		}
	}
}

var (
	ruleExpr = regexp.MustCompile(`(?m)^        expr: '(.*)'$`)
	selector = regexp.MustCompile(`\b(?:lancred?_|ocsp_|process_|up\b)[a-z_]*(?:\{[^}]*\})?`)
)

// A real Prometheus evaluates every expression of alarms and dashboard: what a panel
// shows has a value, and what an alarm looks at is there.
func TestPrometheus(t *testing.T) {
	f := startFleet(t)
	f.has(t, "count(up == 1) == 11")
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	check(t, json.Unmarshal(readFile(t, testdata(t, "../../../deploy/grafana/dashboard.json")), &dashboard))
	panels := 0
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			panels++
			f.has(t, target.Expr)
		}
	}
	rules := ruleExpr.FindAllStringSubmatch(string(readFile(t, testdata(t, "../../../deploy/prometheus/rules.yml"))), -1)
	for _, rule := range rules {
		expr := strings.ReplaceAll(rule[1], "''", "'")
		f.query(t, expr)
		for _, of := range selector.FindAllString(expr, -1) {
			f.has(t, of)
		}
	}
	if panels < 20 || len(rules) < 20 {
		t.Errorf("%d expressions of panels and %d of alarms: this test has lost some", panels, len(rules))
	}
	for job, addrs := range f.admins {
		f.lint(t, job, addrs[0])
	}
}

// lint has promtool look at the metrics of a process. It may find nothing but the name of
// ocsp_responses, which is Boulder's.
func (f *fleet) lint(t *testing.T, job, addr string) {
	t.Helper()
	out, _ := try(t, f.dir, "curl -sS http://"+addr+"/metrics | promtool check metrics 2>&1")
	for line := range strings.Lines(out) {
		if line != "ocsp_responses counter metrics should have \"_total\" suffix\n" {
			t.Errorf("%s: %s", job, line)
		}
	}
}
