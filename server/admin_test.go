package server

import (
	"crypto"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// admin asks the admin handler and returns the status and the body.
func (e *edge) admin(method, path string) (int, string) {
	w := httptest.NewRecorder()
	e.Admin().ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Code, w.Body.String()
}

// wantAdmin wants that status and, in the body's reason, that word.
func wantAdmin(t *testing.T, e *edge, method, path string, status int, reason string) report {
	t.Helper()
	code, body := e.admin(method, path)
	var r report
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
	if code != status || r.OK != (status == 200) || !strings.Contains(r.Reason, reason) || (r.Reason == "") != r.OK {
		t.Errorf("%s: %d %s, want %d %q", path, code, body, status, reason)
	}
	return r
}

func TestHealth(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{
		append(good("06"), entry{DER: respond("05", crypto.SHA1, ocsp.Good, start), Tombstone: true}), // hides the other's canary
		good("05"),
	}}, func(c *Config) { c.FreshWithin = 2 * time.Hour })
	r := wantAdmin(t, e, "GET", "/readyz", 200, "")
	if r.Generation != 1 || r.AgeSeconds != 3600 {
		t.Errorf("generation %d, age %d s, want 1, 3600", r.Generation, r.AgeSeconds)
	}
	wantAdmin(t, e, "GET", "/livez", 200, "")
	wantAdmin(t, e, "GET", "/freshz", 200, "")

	e.time.Store(start.Add(2*time.Hour + time.Second).Unix())
	wantAdmin(t, e, "GET", "/freshz", 503, "2h0m1s old")
	wantAdmin(t, e, "GET", "/readyz", 200, "") // stale, but good

	e.time.Store(start.Add(life).Unix())
	wantAdmin(t, e, "GET", "/readyz", 200, "") // expired, as everywhere
}

// The one that fails is named, also below a segment that has nothing to ask for.
func TestReadyAsksEverySegment(t *testing.T) {
	withdrawn := entry{DER: respond("07", crypto.SHA1, ocsp.Good, start), Tombstone: true}
	e := newEdge(t, content{segments: [][]entry{{withdrawn}, good("05"), good("06")}}, func(c *Config) { c.Prefixes = []string{"/ocsp"} })
	wantAdmin(t, e, "GET", "/readyz", 200, "")
	snap := e.current.Load()
	for i, want := range []bool{false, true, true} {
		if got := snap.canaries[i] != nil; got != want {
			t.Errorf("segment %d has a canary: %v, want %v", i, got, want)
		}
	}
	for i := 1; i < 3; i++ {
		broken := *snap
		broken.canaries = slices.Clone(snap.canaries)
		broken.canaries[i] = &canary{request: ask("99", crypto.SHA1)}
		e.current.Store(&broken)
		wantAdmin(t, e, "GET", "/readyz", 503, fmt.Sprintf("canary of segment %s, line %d of them, is answered unauthorized",
			snap.store.Manifest().Segments[i].SHA256, i+1))
	}
}

// The search for a canary ends: a long list of withdrawals has none.
func TestCanaryAmongTombstones(t *testing.T) {
	for _, c := range []struct {
		tombstones int
		want       bool
	}{{canaryDepth - 1, true}, {canaryDepth, false}} {
		var segment []entry
		for i := range c.tombstones {
			segment = append(segment, entry{DER: respond(fmt.Sprintf("%04x", i+1), crypto.SHA1, ocsp.Good, start), Tombstone: true})
		}
		e := newEdge(t, content{segments: [][]entry{append(segment, good("ffff")...)}})
		if got := e.current.Load().canaries[0] != nil; got != c.want {
			t.Errorf("behind %d tombstones a response was found: %v, want %v", c.tombstones, got, c.want)
		}
	}
}

func TestAdminReload(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	if r := wantAdmin(t, e, "POST", "/reload", 200, ""); r.Reload != Unchanged {
		t.Errorf("reload is %s", r.Reload)
	}
	publish(t, e.dir, content{segments: [][]entry{good("06")}})
	if r := wantAdmin(t, e, "POST", "/reload", 200, ""); r.Reload != Swapped || r.Generation != 2 {
		t.Errorf("reload is %s, generation %d", r.Reload, r.Generation)
	}
	remove(t, e.dir+"/manifest")
	if r := wantAdmin(t, e, "POST", "/reload", 409, "manifest"); r.Reload != Refused || r.Generation != 2 {
		t.Errorf("reload is %s, generation %d", r.Reload, r.Generation)
	}
	if code, _ := e.admin("GET", "/reload"); code != 405 {
		t.Errorf("GET /reload is answered %d", code)
	}
	if code, _ := e.admin("GET", "/debug/pprof/"); code != 200 {
		t.Errorf("pprof is answered %d", code)
	}
}

// Every outcome has a name, no two the same, and all that is sent for it.
func TestOutcomes(t *testing.T) {
	seen := make(map[string]bool)
	for o, row := range defaultOutcomes {
		if row.name == "" || seen[row.name] {
			t.Errorf("outcome %d has the name %q", o, row.name)
		}
		seen[row.name] = true
		if row.status == 0 {
			t.Errorf("%s has no status", row.name)
		}
		if (row.body != nil) != (row.ocsp != "" && row.cache != "") {
			t.Errorf("%s has the body %x and the OCSP type %q", row.name, row.body, row.ocsp)
		}
		if row.closes && row.body != nil {
			t.Errorf("%s closes and has a body", row.name)
		}
	}
}

// Panics and faults of the canary probe must not end the process either.
func TestProbeOfTruncatedSegment(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	truncate(t, e)
	wantAdmin(t, e, "GET", "/readyz", 503, "fault")
}
