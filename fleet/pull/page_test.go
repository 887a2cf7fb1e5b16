package pull

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// What is wrong is told to operators until it is mended, and what was logged with it.
func TestPage(t *testing.T) {
	o := newOrigin(t)
	e := newEdge(t, o)
	told := func(want ...string) {
		t.Helper()
		var got []string
		for _, p := range e.page().Problems {
			got = append(got, strings.ReplaceAll(p.What, e.cfg.From[0], "ORIGIN"))
			if p.Remedy == "" {
				t.Errorf("no remedy for %s", p.What)
			}
		}
		if strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("problems %q, want %q", got, want)
		}
	}
	e.poll() // there is nothing yet
	told("Nothing is installed", "The last poll failed: ORIGIN/manifest: status 404 Not Found")
	w := httptest.NewRecorder()
	e.Admin().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if page := w.Body.String(); !strings.Contains(page, "Nothing is installed") || !strings.Contains(page, "a source is of no use") {
		t.Errorf("the page is %s", page)
	}
	o.publish("one", "two", "")
	e.poll()
	told()
	if layers := len(e.page().Stack); layers != 1 {
		t.Errorf("%d layers, want 1", layers)
	}
}
