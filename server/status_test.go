package server

import (
	"crypto"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/internal/status"
)

// statusOf is what /status.json says.
func statusOf(t *testing.T, e *edge) (p status.Page) {
	t.Helper()
	code, body := e.admin("GET", "/status.json")
	if err := json.Unmarshal([]byte(body), &p); err != nil || code != http.StatusOK {
		t.Fatalf("status %d, %v: %s", code, err, body)
	}
	return p
}

// What is wrong is told with what to do, the gravest first; when it is mended, no more.
func TestProblemsAreTold(t *testing.T) {
	const at = 90 * time.Minute
	e := newEdge(t, content{segments: [][]entry{forty(at)}}).serve(t)
	want := func(begins ...string) {
		t.Helper()
		var got []string
		for _, p := range statusOf(t, e).Problems {
			got = append(got, p.What)
			if p.Remedy == "" {
				t.Errorf("no remedy for %s", p.What)
			}
		}
		if !slices.EqualFunc(got, begins, strings.HasPrefix) {
			t.Errorf("the problems are\n%q\nwant what begins with\n%q", got, begins)
		}
	}
	want("1 responses expire within 8 hours")
	e.time.Store(start.Add(at).Unix())
	want("1 responses have expired, the first at ")
	e.time.Store(start.Add(at + 48*time.Hour).Unix())
	want("1 responses have expired", "Not fresh: the generation is ")
	code, page := e.admin("GET", "/")
	if code != http.StatusOK || !strings.Contains(page, "1 responses have expired") {
		t.Errorf("status %d:\n%s", code, page)
	}
}

// Requests are charted by method and outcome from the first minute on.
func TestRequestsAreCharted(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("01")}}).serve(t)
	e.history.Tick(e.metrics.totals())
	for range 3 {
		e.post(t, ask("01", crypto.SHA1))
	}
	for _, c := range statusOf(t, e).Charts {
		if c.Name == "POST served" {
			if sumOf(c.Minutes) != 3 {
				t.Errorf("it has %v", c.Minutes)
			}
			return
		}
	}
	t.Error("no chart of it")
}

// A generation that was refused is told, once however often it is, until the store is in
// order again.
func TestRefusalIsTold(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("01")}}).serve(t)
	manifest := filepath.Join(e.dir, "manifest")
	served := readFile(t, manifest)
	writeFile(t, manifest, []byte("junk\n"))
	wantReload(t, e, Refused, "")
	wantReload(t, e, Refused, "")
	p := statusOf(t, e)
	if len(p.Problems) == 0 || !strings.HasPrefix(p.Problems[0].What, "A generation was refused at ") {
		t.Errorf("problems %v", p.Problems)
	}
	if rows := p.Tables[len(p.Tables)-1].Rows; len(rows) != 2 || rows[0][1] != "refused" || rows[1][1] != "swapped" {
		t.Errorf("reloads %q", rows)
	}
	writeFile(t, manifest, served)
	wantReload(t, e, Unchanged, "")
	for _, problem := range statusOf(t, e).Problems {
		if strings.Contains(problem.What, "refused") {
			t.Errorf("still %s", problem.What)
		}
	}
}
