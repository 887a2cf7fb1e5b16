package pages_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// tagsOf lists the languages of the pages below static.
func tagsOf(t *testing.T, static string) (tags []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(static, domain, "index.*.html"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d pages below %s: %v", len(names), static, err)
	}
	for _, name := range names {
		tags = append(tags, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "index."), ".html"))
	}
	return tags
}

// TestLooks opens every page wide and narrow, light and dark.
func TestLooks(t *testing.T) {
	static := newPages(t)
	b := newBrowser(t, newEdge(t, static))
	for _, tag := range tagsOf(t, static) {
		t.Run(tag, func(t *testing.T) {
			b.open(t, tag, 1000, "light")
			if lang := evaluate[string](t, b, `document.documentElement.lang`); lang != tag {
				t.Errorf("lang %q, want %q", lang, tag)
			}
			b.picture(t, tag)
			checkDirection(t, b)
			b.open(t, tag, 320, "light")
			checkNarrow(t, b)
			b.picture(t, tag+"-320")
			checkMenuFits(t, b)
			b.picture(t, tag+"-320-menu")
		})
	}
	t.Run("dark", func(t *testing.T) { checkDark(t, b) })
	t.Run("print", func(t *testing.T) { checkPrint(t, b) })
	b.wantQuiet(t)
}

// checkDirection wants text to begin at the side where the language begins, and
// commands at the left.
func checkDirection(t *testing.T, b *browser) {
	t.Helper()
	const atLeft = `(s => { const r = document.createRange(); r.selectNodeContents(document.querySelector(s));
		const text = r.getClientRects()[0], box = document.querySelector(s).parentElement.getBoundingClientRect();
		return text.left - box.left < box.right - text.right })`
	rtl := evaluate[bool](t, b, `document.documentElement.dir === "rtl"`)
	if left := evaluate[bool](t, b, atLeft+`("h2")`); left == rtl {
		t.Errorf("rtl is %v, and headings begin at the left: %v", rtl, left)
	}
	if direction := evaluate[string](t, b, `getComputedStyle(document.querySelector("pre")).direction`); direction != "ltr" {
		t.Errorf("commands run %s, want ltr", direction)
	}
	if align := evaluate[string](t, b, `getComputedStyle(document.querySelector("pre")).textAlign`); align != "left" {
		t.Errorf("commands are aligned %s, want left", align)
	}
}

// checkNarrow wants that nothing must be scrolled to the side (WCAG 2.2, 1.4.10).
func checkNarrow(t *testing.T, b *browser) {
	t.Helper()
	if width := evaluate[int](t, b, `document.documentElement.scrollWidth`); width > 320 {
		wide := evaluate[string](t, b, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > 321 ||
			e.getBoundingClientRect().left < -1).map(e => e.outerHTML.slice(0, 80)).join("\n")`)
		t.Errorf("%d px wide on a screen of 320; what sticks out:\n%s", width, wide)
	}
}

// checkMenuFits opens the menu of languages.
func checkMenuFits(t *testing.T, b *browser) {
	t.Helper()
	b.do(t, chromedp.Click(chromedp.CSS("summary")), chromedp.WaitVisible(chromedp.CSS("nav li:last-child a")))
	checkNarrow(t, b)
}

// checkDark wants the dark palette where the reader prefers it.
func checkDark(t *testing.T, b *browser) {
	const ground = `getComputedStyle(document.body).backgroundColor`
	b.open(t, "en", 1000, "light")
	light := evaluate[string](t, b, ground)
	b.open(t, "en", 1000, "dark")
	if dark := evaluate[string](t, b, ground); light != "rgb(251, 250, 246)" || dark != "rgb(20, 24, 26)" {
		t.Errorf("ground %s in light and %s in dark", light, dark)
	}
	b.picture(t, "en-dark")
}

// checkPrint wants the page on paper without the menu, in black on white.
func checkPrint(t *testing.T, b *browser) {
	b.open(t, "en", 1000, "dark")
	pdf := get(t, b, chromedp.PrintToPDF())
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	style := evaluate[string](t, b, `getComputedStyle(document.querySelector("nav")).display + " " +
		getComputedStyle(document.body).color + " " + getComputedStyle(document.body).backgroundColor`)
	if want := "none rgb(0, 0, 0) rgb(255, 255, 255)"; style != want {
		t.Errorf("menu, ink and paper %s, want %s", style, want)
	}
	if *screenshots != "" {
		if err := os.WriteFile(filepath.Join(*screenshots, "en.pdf"), pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMenu follows the menu from one language to another.
func TestMenu(t *testing.T) {
	b := newBrowser(t, newEdge(t, newPages(t)))
	b.do(t, chromedp.Navigate(home+"/"))
	if lang := evaluate[string](t, b, `document.documentElement.lang`); lang != "en" {
		t.Errorf("the default is %s, want en", lang)
	}
	for _, tag := range []string{"fr", "ar", "zh-Hant"} {
		b.do(t, chromedp.Click(chromedp.CSS("summary")), chromedp.WaitVisible(chromedp.CSS(`nav a[lang="`+tag+`"]`)), chromedp.Click(chromedp.CSS(`nav a[lang="`+tag+`"]`)),
			chromedp.WaitReady(chromedp.CSS(`html[lang="`+tag+`"]`)))
		if at := evaluate[string](t, b, `location.pathname`); at != "/"+tag+"/" {
			t.Errorf("the link to %s leads to %s", tag, at)
		}
	}
	b.wantQuiet(t)
}
