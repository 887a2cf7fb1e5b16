package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"lancre/internal/programs"
	"lancre/probe"
)

// TestProbe asks real edges, over a store and a copy of it that gets nothing new, what
// the origin published.
func TestProbe(t *testing.T) {
	dir := t.TempDir()
	sh(t, dir, `
		mkdir keys
		lancre keygen --name origin.example.org --out keys
		mv keys/*.key origin.key; mv keys/*.pub origin.pub
		lancre demo --out demo --responses 2000 --delegated
		lancre build --out store --issuer demo/issuer.pem --responses demo/responses.der --static demo/static --manifest-key origin.key
		cp -r store old
	`)
	edge := programs.Start(t, filepath.Join(dir, "store"), "--trust", filepath.Join(dir, "origin.pub"))
	vars := []string{"EDGE=http://" + edge.Addr, "ISSUER=demo/issuer.pem"}
	out := sh(t, dir, `lancre probe --store store --trust origin.pub --issuer $ISSUER --at $EDGE --sample 300`, vars...)
	if fields := strings.Fields(strings.Split(out, "\n")[1]); fields[1] != fields[2] || fields[len(fields)-1] != "0" {
		t.Errorf("an edge that is right: want all answers current, none at fault:\n%s", out)
	}

	behind := programs.Start(t, filepath.Join(dir, "old"))
	vars = append(vars, "OLD=http://"+behind.Addr)
	sh(t, dir, `
		mkdir -p more/new.example
		echo '<!doctype html><html lang="en"><title>new</title><p>new</p></html>' >more/new.example/new.html
		lancre add store --static more --manifest-key origin.key
		curl -sS --fail -X POST $ADMIN/reload
	`, append(vars, "ADMIN=http://"+edge.Admin)...)
	out, err := try(t, dir, `lancre probe --store store --issuer $ISSUER --at $EDGE --at $OLD --sample 20 --allow 0s --json 2>errors`, vars...)
	if err == nil {
		t.Errorf("an edge is behind, and the exit status is 0:\n%s", out)
	}
	var r probe.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if faults := r.Places[0].Faults; len(faults) > 0 {
		t.Errorf("the edge that is right has faults: %+v", faults)
	}
	if p := r.Places[1]; len(p.Faults) != 1 || p.Faults[0].Kind != probe.Behind || p.Late != 1 || !strings.HasPrefix(p.Faults[0].Example, "GET new.example/new.html: ") {
		t.Errorf("of the edge that is behind, want one fault, the new page:\n%+v", p)
	}
}

// TestProbeEvery watches what is published elsewhere, as Prometheus sees it.
func TestProbeEvery(t *testing.T) {
	dir := t.TempDir()
	sh(t, dir, `
		lancre demo --out demo --responses 200
		lancre publish demo/store --to bucket
	`)
	edge := programs.Start(t, filepath.Join(dir, "demo", "store"))
	d := programs.Probe(t, "--from", filepath.Join(dir, "bucket"), "--issuer", filepath.Join(dir, "demo", "issuer.pem"), "--at", "http://"+edge.Addr, "--every", "1h")
	if line := d.Await(t, "asked"); line["sound"] != true {
		t.Errorf("the first round: %v, want it to be sound", line)
	}
	resp, err := http.Get("http://" + d.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`lancre_probe_rounds_total{result="sound"} 1`, `lancre_probe_faults{kind="behind",place="http://` + edge.Addr + `"} 0`} {
		if !strings.Contains(string(body), want+"\n") {
			t.Errorf("/metrics lacks %s:\n%s", want, body)
		}
	}
}
