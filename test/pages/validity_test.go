package pages_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestHTMLIsValid has html-validate read every page.
func TestHTMLIsValid(t *testing.T) {
	needModules(t, "html-validate")
	run(t, "node", "node_modules/html-validate/bin/html-validate.mjs", "--config", "html-validate.json", filepath.Join(newPages(t), domain))
}

// TestAccessibility has axe-core check every page, by the rules of WCAG 2.2 up to AA
// and its best practices, and one in dark: the colours are the same in all.
func TestAccessibility(t *testing.T) {
	needModules(t, "axe-core")
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	static := newPages(t)
	b := newBrowser(t, newEdge(t, static))
	for _, tag := range tagsOf(t, static) {
		b.open(t, tag, 1000, "light")
		checkAxe(t, b, string(axe), tag)
	}
	b.open(t, "en", 1000, "dark")
	checkAxe(t, b, string(axe), "en in dark")
}

// axeResult is what axe.run returns, in part.
type axeResult struct {
	Passes     []json.RawMessage `json:"passes"`
	Violations []struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			HTML    string `json:"html"`
			Summary string `json:"failureSummary"`
		} `json:"nodes"`
	} `json:"violations"`
}

// checkAxe runs axe-core in the page, with the menu open.
func checkAxe(t *testing.T, b *browser, axe, what string) {
	t.Helper()
	b.do(t, chromedp.Click(chromedp.CSS("summary")), chromedp.WaitVisible(chromedp.CSS("nav li:last-child a")), chromedp.Evaluate[chromedp.Void](axe))
	r := get(t, b, chromedp.Evaluate[axeResult](`axe.run()`, chromedp.EvalAwaitPromise))
	if len(r.Passes) == 0 {
		t.Errorf("%s: axe-core checked nothing", what)
	}
	for _, v := range r.Violations {
		for _, n := range v.Nodes {
			t.Errorf("%s: %s (%s): %s: %s", what, v.ID, v.Help, n.HTML, n.Summary)
		}
	}
}
