package pages_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"lancre/internal/programs"
)

// TestStatusPage opens the page for operators on screens wide and narrow: an expired
// generation is told first, nothing sticks out, and nothing is loaded from elsewhere.
func TestStatusPage(t *testing.T) {
	dir := t.TempDir()
	run(t, "lancre", "demo", "--out", filepath.Join(dir, "demo"), "--responses", "100")
	d := programs.Start(t, filepath.Join(dir, "demo", "store"), "--fresh-within", "1ns")
	b := newBrowser(t, d.Addr)
	for _, width := range []int64{1000, 320} {
		b.do(t, chromedp.EmulateViewport(width, 900), chromedp.Navigate("http://"+d.Admin+"/"))
		for !evaluate[bool](t, b, `document.querySelector(".problems li") !== null`) { // in its first second the generation is 0 s old
			b.do(t, chromedp.Navigate("http://"+d.Admin+"/"))
		}
		if first := evaluate[string](t, b, `document.querySelector(".problems li").innerText`); !strings.HasPrefix(first, "Not fresh: the generation is ") {
			t.Errorf("the first thing said is %q", first)
		}
		if layers := evaluate[int](t, b, `document.querySelectorAll(".layer").length`); layers != 1 {
			t.Errorf("%d layers, want 1", layers)
		}
	}
	checkNarrow(t, b)
	b.picture(t, "status-320")
	b.do(t, chromedp.EmulateViewport(1000, 900), chromedp.Navigate("http://"+d.Admin+"/"))
	b.picture(t, "status")
	for _, m := range b.messages {
		if !strings.Contains(m, "favicon.ico") { // the browser asks of itself
			t.Error(m)
		}
	}
}
