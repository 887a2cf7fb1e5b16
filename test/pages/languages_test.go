package pages_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestLanguages opens the page on the hosts of example.org with a browser of which
// each language is set, and wants the page in it: at the domain, and on the hosts of
// OCSP and CRLs, where software gets nothing.
func TestLanguages(t *testing.T) {
	b := newBrowser(t, newEdge(t, newPages(t)))
	for _, host := range hosts {
		for accept, want := range map[string]string{
			"fr-CH,fr;q=0.9,en;q=0.8": "fr",
			"zh-TW,zh;q=0.9":          "zh-Hant",
			"ar-EG":                   "ar",
			"pt-PT,en;q=0.5":          "pt",
			"sw,eo;q=0.9":             "en",
		} {
			call(t, b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Mozilla/5.0", AcceptLanguage: accept})
			b.do(t, chromedp.Navigate(host+"/"))
			if lang := evaluate[string](t, b, `document.documentElement.lang`); lang != want {
				t.Errorf("%s, Accept-Language %s: the page is in %s, want %s", host, accept, lang, want)
			}
		}
		b.do(t, chromedp.Navigate(host+"/de"))
		if at, lang := evaluate[string](t, b, `location.href`), evaluate[string](t, b, `document.documentElement.lang`); at != host+"/de/" || lang != "de" {
			t.Errorf("%s/de leads to %s in %s, want /de/ in German", host, at, lang)
		}
	}
	b.wantQuiet(t)
}

// TestReload wants a page that the browser asks for again not to be sent again: what
// comes is less than the page, and not nothing, for that would be from its cache.
func TestReload(t *testing.T) {
	const came = `(r => r.transferSize > 0 && r.transferSize < r.encodedBodySize)(performance.getEntriesByType("navigation")[0])`
	b := newBrowser(t, newEdge(t, newPages(t)))
	b.do(t, chromedp.Navigate(home+"/"))
	if evaluate[bool](t, b, came) {
		t.Error("the page is not sent the first time")
	}
	b.do(t, chromedp.Reload())
	if !evaluate[bool](t, b, came) {
		t.Error("the page is sent the second time, or not asked for")
	}
	b.wantQuiet(t)
}
