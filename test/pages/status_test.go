package pages_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"lancre/internal/programs"
)

// TestStatusPage opens the pages for operators on screens wide and narrow, each with a
// fault: that is told first, in words, nothing sticks out, and nothing is loaded from
// elsewhere.
func TestStatusPage(t *testing.T) {
	dir := t.TempDir()
	run(t, "lancre", "demo", "--out", filepath.Join(dir, "demo"), "--responses", "100")
	d := programs.Start(t, filepath.Join(dir, "demo", "store"), "--fresh-within", "1ns")
	b := newBrowser(t, d.Addr)
	for name, c := range map[string]struct {
		admin, first string
		layers       int
	}{
		"status":        {d.Admin, "Not fresh: the generation is ", 1}, // in its first second it is 0 s old
		"status-pull":   {pullFromNowhere(t), "Nothing is installed", 0},
		"status-follow": {followWithoutDatabase(t, dir), "Source ca failed ", 1},
	} {
		b.do(t, chromedp.EmulateViewport(1000, 900))
		b.awaitProblem(t, c.admin, c.first)
		b.picture(t, name)
		b.do(t, chromedp.EmulateViewport(320, 900))
		b.awaitProblem(t, c.admin, c.first)
		if layers := evaluate[int](t, b, `document.querySelectorAll(".layer").length`); layers != c.layers {
			t.Errorf("%s: %d layers, want %d", name, layers, c.layers)
		}
		checkNarrow(t, b)
		b.picture(t, name+"-320")
	}
	for _, m := range b.messages {
		if !strings.Contains(m, "favicon.ico") { // the browser asks of itself
			t.Error(m)
		}
	}
}

// awaitProblem opens a page for operators until the first thing that it says is that.
func (b *browser) awaitProblem(t *testing.T, admin, first string) {
	t.Helper()
	const of = `(document.querySelector(".problems li") || {innerText: ""}).innerText`
	for said, end := "", time.Now().Add(programs.Patience); !strings.HasPrefix(said, first); said = evaluate[string](t, b, of) {
		b.do(t, chromedp.Navigate("http://"+admin+"/"))
		if time.Now().After(end) {
			t.Fatalf("the first thing said is %q, want %q", said, first)
		}
	}
}

// pullFromNowhere is the admin address of a lancred pull that reaches no source.
func pullFromNowhere(t *testing.T) string {
	t.Helper()
	return programs.StartBeside(t, "pull", "--from", "http://127.0.0.1:1/lancre", "--store", t.TempDir(), "--every", "1s").Admin
}

// followWithoutDatabase is the admin address of a lancre follow that reaches neither its
// database nor the place to publish to.
func followWithoutDatabase(t *testing.T, dir string) string {
	t.Helper()
	config := `
		store = "followed"
		issuers = ["demo/issuer.pem"]
		admin = "127.0.0.1:0"
		[[spool]]
		dir = "demo/spool"
		[[database]]
		name = "ca"
		url = "postgres://lancre@127.0.0.1:1/ca"
		query = "SELECT response, updated FROM ocsp WHERE updated > :since ORDER BY updated"
		[[publish]]
		to = "demo/issuer.pem"
	`
	path := filepath.Join(dir, "lancre.toml")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "cp", filepath.Join(dir, "demo", "responses.der"), filepath.Join(dir, "demo", "spool"))
	follow := programs.Follow(t, path)
	follow.Await(t, "published", "source", "spool")
	return follow.Admin
}
