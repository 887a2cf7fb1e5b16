package pages_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestLanguages opens the page on the hosts of example.org with a browser of which
// each language is set, and wants the page in it: at the domain, and on the hosts of
// OCSP and CRLs, where software gets nothing.
func TestLanguages(t *testing.T) {
	edge := newEdge(t, newPages(t))
	addr := strings.TrimPrefix(edge, "http://")
	b := newBrowser(t, "http://", chromedp.Flag("host-resolver-rules", "MAP *."+domain+" "+addr+", MAP "+domain+" "+addr),
		chromedp.Flag("disable-features", "HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable")) // it would try https first
	for _, host := range []string{domain, "o." + domain, "c." + domain} {
		for accept, want := range map[string]string{
			"fr-CH,fr;q=0.9,en;q=0.8": "fr",
			"zh-TW,zh;q=0.9":          "zh-Hant",
			"ar-EG":                   "ar",
			"pt-PT,en;q=0.5":          "pt",
			"sw,eo;q=0.9":             "en",
		} {
			call(t, b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Mozilla/5.0", AcceptLanguage: accept})
			b.do(t, chromedp.Navigate("http://"+host+"/"))
			if lang := evaluate[string](t, b, `document.documentElement.lang`); lang != want {
				t.Errorf("%s, Accept-Language %s: the page is in %s, want %s", host, accept, lang, want)
			}
		}
		b.do(t, chromedp.Navigate("http://"+host+"/de"))
		if at, lang := evaluate[string](t, b, `location.href`), evaluate[string](t, b, `document.documentElement.lang`); at != "http://"+host+"/de/" || lang != "de" {
			t.Errorf("%s/de leads to %s in %s, want /de/ in German", host, at, lang)
		}
	}
	b.wantQuiet(t)
}
