package plot

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lancre/internal/programs"
)

// pictures are those of what was measured, and odd ones.
func pictures(t *testing.T) map[string][]byte {
	t.Helper()
	list := make(map[string][]byte)
	paths, err := filepath.Glob("../results/*.svg")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pictures of what was measured: %v", err)
	}
	for _, path := range paths {
		if list[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range odd() {
		list[name] = f.SVG()
	}
	return list
}

func odd() map[string]*Figure {
	of := func(unit string, values ...float64) *Bars {
		b := &Bars{Unit: unit, Groups: []Group{{Title: "group"}}}
		for i, v := range values {
			b.Groups[0].Rows = append(b.Groups[0].Rows, Row{Name: fmt.Sprint("row ", i), Ours: i == 0, Values: []Value{{v, v * 0.9, v * 1.2, 3}}})
		}
		return b
	}
	const long = "the name of something that nobody would call so, <with> “signs” & numbers 1,000,000 in it, and more of it than fits"
	named := of("s", 1e-5, 2e-5)
	named.Groups[0].Title, named.Groups[0].Rows[1].Name, named.Series = long, long, []string{long}
	few := of("", 1)
	few.Groups[0].Rows[0].Values = []Value{One(3), {}, One(0)}
	few.Series = []string{"one", "none", "zero"}
	return map[string]*Figure{
		"nothing":     {Title: "nothing", Panels: []Panel{&Bars{}, &Lines{Title: "none"}}},
		"no panel":    {},
		"one row":     {Title: "one", Panels: []Panel{of("B", 1)}},
		"a zero":      {Title: "zero", Panels: []Panel{of("s", 0, 1e-6)}},
		"zeros":       {Title: "zeros", Panels: []Panel{of("/s", 0, 0)}},
		"six decades": {Title: "decades", Panels: []Panel{of("s", 1e-6, 1e-3, 1, 0)}},
		"long names":  {Title: long + " " + long, Note: long + long, Panels: []Panel{named}},
		"a series":    {Title: "series", Panels: []Panel{few}},
		"many lines":  {Title: "lines", Columns: 2, Panels: []Panel{fan(20, 1, true), fan(3, 1e6, false), fan(2, 0, false)}},
		"decades":     {Title: "lines", Panels: []Panel{fan(7, 1e6, true)}},
		"a point":     {Title: "point", Panels: []Panel{&Lines{Title: "p", Lines: []Line{{Name: long, Points: []Point{{5, One(7)}}}}}}},
	}
}

// fan is n lines of like ends, up to a height.
func fan(n int, to float64, log bool) *Lines {
	l := &Lines{Title: "fan", X: Axis{Name: "over all of them", Log: log}, Y: Axis{Unit: "s", Log: log}}
	for i := range n {
		line := Line{Name: fmt.Sprint("line ", i), Ours: i == 1, Reference: i == 0}
		for x := 1.0; x <= 1e6; x *= 10 {
			line.Points = append(line.Points, Point{x, Value{to * x / 1e6, 0, to * x / 1e6, 2}})
		}
		l.Lines = append(l.Lines, line)
	}
	return l
}

// A written text, and the room that it was given.
type written struct {
	box
	text string
}

// readTexts are the texts of a picture, and its size.
func readTexts(t *testing.T, svg []byte) (list []written, w, h float64) {
	t.Helper()
	var root struct {
		ViewBox string `xml:"viewBox,attr"`
		Texts   []text `xml:"text"`
		Groups  []struct {
			Texts []text `xml:"text"`
		} `xml:"g"`
	}
	if err := xml.Unmarshal(svg, &root); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(root.ViewBox, "0 0 %f %f", &w, &h); err != nil {
		t.Fatalf("viewBox %q: %v", root.ViewBox, err)
	}
	for _, g := range root.Groups {
		root.Texts = append(root.Texts, g.Texts...)
	}
	for _, e := range root.Texts {
		list = append(list, written{e.room(), e.Text})
	}
	return list, w, h
}

type text struct {
	X      float64 `xml:"x,attr"`
	Y      float64 `xml:"y,attr"`
	Anchor string  `xml:"text-anchor,attr"`
	Class  string  `xml:"class,attr"`
	Text   string  `xml:",chardata"`
}

// room is as high as the ascenders and descenders of common fonts, and as wide as width says.
func (e *text) room() box {
	size, weight := float64(textSize), float64(regular)
	if e.Class == "title" {
		size = titleSize
	}
	if e.Class == "title" || e.Class == "head" || strings.HasSuffix(e.Class, "ours") {
		weight = bold
	}
	w := width(e.Text, size, weight)
	x := e.X - w*map[string]float64{"start": 0, "middle": 0.5, "end": 1}[e.Anchor]
	return box{x, e.Y - 0.75*size, w, 0.95 * size}
}

func (b *box) overlaps(o *box) bool {
	const touch = 0.5
	return b.x+touch < o.x+o.w && o.x+touch < b.x+b.w && b.y+touch < o.y+o.h && o.y+touch < b.y+b.h
}

// Every text lies in the picture, and none over another.
func TestTextsHaveRoom(t *testing.T) {
	for name, svg := range pictures(t) {
		texts, w, h := readTexts(t, svg)
		if len(texts) == 0 && name != "no panel" {
			t.Errorf("%s: a picture without a text", name)
		}
		for i, a := range texts {
			if a.x < 0 || a.y < 0 || a.x+a.w > w || a.y+a.h > h {
				t.Errorf("%s: %q reaches from %.0f,%.0f to %.0f,%.0f, out of %.0f × %.0f", name, a.text, a.x, a.y, a.x+a.w, a.y+a.h, w, h)
			}
			for _, b := range texts[:i] {
				if a.overlaps(&b.box) {
					t.Errorf("%s: %q at %.0f,%.0f lies over %q at %.0f,%.0f", name, a.text, a.x, a.y, b.text, b.x, b.y)
				}
			}
		}
	}
}

// What a browser draws is no wider than the room that texts were given, in the font that it
// takes and in the widest of common ones.
func TestTextsAreNoWiderInABrowser(t *testing.T) {
	programs.Need(t, "chromium")
	all := pictures(t)
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range all {
			if !yield(name) {
				return
			}
		}
	})
	for _, font := range []string{"", "text{font-family:DejaVu Sans!important}"} {
		var page strings.Builder
		for _, name := range names {
			page.Write(all[name])
		}
		drawn := drawnBy(t, fmt.Sprintf("<!doctype html><style>%s</style>%s", font, page.String()))
		for _, name := range names {
			texts, _, _ := readTexts(t, all[name])
			for _, want := range texts {
				if len(drawn) == 0 {
					t.Fatalf("%s: the browser has no %q", name, want.text)
				}
				if got := drawn[0]; got.Text != want.text || got.W > want.w+0.5 {
					t.Errorf("%s: %q is %.1f wide in the browser, %q had room for %.1f", name, got.Text, got.W, want.text, want.w)
				}
				drawn = drawn[1:]
			}
		}
	}
}

type drawnText struct {
	Text string
	W    float64
}

// drawnBy has Chromium measure the texts of a page.
func drawnBy(t *testing.T, page string) (list []drawnText) {
	t.Helper()
	const script = `<pre></pre><script>document.querySelector("pre").textContent="BEGIN"+
		JSON.stringify([...document.querySelectorAll("text")].map(e=>({Text:e.textContent,W:e.getBBox().width})))+"END"</script>`
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(page+script), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"--headless", "--disable-gpu", "--user-data-dir=" + t.TempDir(), "--dump-dom"}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium refuses root without it
	}
	out, err := exec.Command("chromium", append(args, "file://"+path)...).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	_, found, _ := strings.Cut(string(out), "<pre>BEGIN")
	found, _, _ = strings.Cut(found, "END</pre>")
	found = strings.NewReplacer("&nbsp;", "\u00a0", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(found)
	if err := json.Unmarshal([]byte(found), &list); err != nil {
		t.Fatalf("%v in %.300q", err, found)
	}
	return list
}

func TestSpell(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{8.623e-6, "s", "8.62 µs"}, {20.35e-6, "s", "20.4 µs"}, {0, "s", "0"}, {3e-12, "s", "0.003 ns"}, {1.5, "s", "1.5 s"}, {4.2e-3, "s", "4.2 ms"},
		{113701, "/s", "114 k/s"}, {999.9, "/s", "1 k/s"}, {999_950, "/s", "1 M/s"}, {120.19, "B", "120 B"}, {1.2e9, "B", "1.2 GB"},
		{0.93, "", "0.93"}, {0.93, "×", "0.93×"}, {1e6, "", "1 M"}, {0.5, "B", "0.5 B"}, {3e16, "B", "30000 TB"},
	} {
		if got := strings.ReplaceAll(Spell(c.v, c.unit), "\u00a0", " "); got != c.want {
			t.Errorf("%v of %q: %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		log    bool
		values []float64
		apart  float64 // of the 100 pixels
		want   []float64
	}{
		{false, []float64{3, 100}, 20, []float64{0, 20, 40, 60, 80, 100}},
		{false, []float64{100}, 25, []float64{0, 50, 100}},
		{false, []float64{0}, 40, []float64{0, 0.5, 1}},
		{true, []float64{1, 10}, 20, []float64{1, 2, 5, 10}},
		{true, []float64{1e-6, 1, 0}, 30, []float64{1e-6, 1e-4, 1e-2, 1}},
		{true, []float64{30, 3000}, 10, []float64{20, 50, 100, 200, 500, 1000, 2000, 5000}},
		{true, []float64{30, 3000}, 20, []float64{100, 1000}},
	} {
		s := newScale(c.log, c.values, 0, 100)
		got := s.ticks(func(_, _ float64) float64 { return c.apart })
		same := slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) })
		if !same {
			t.Errorf("log %v, %v, %v pixels apart: %v, want %v", c.log, c.values, c.apart, got, c.want)
		}
	}
}

// What a picture says is where it says it.
func TestScalePlacesValues(t *testing.T) {
	linear, log := newScale(false, []float64{200}, 10, 110), newScale(true, []float64{1, 100}, 0, 100)
	for _, c := range []struct {
		s       *scale
		v, want float64
	}{{&linear, 0, 10}, {&linear, 50, 35}, {&linear, 200, 110}, {&linear, 300, 110}, {&log, 1, 0}, {&log, 10, 50}, {&log, 100, 100}, {&log, 0, 0}} {
		if got := c.s.place(c.v); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%+v: %v is at %v, want %v", *c.s, c.v, got, c.want)
		}
	}
}

// A figure is a document: bars as long as their values, in the order of rows.
func TestBarsAreAsLongAsValues(t *testing.T) {
	f := &Figure{Title: "t", Panels: []Panel{&Bars{Groups: []Group{{Rows: []Row{
		{Name: "a", Values: []Value{One(30)}}, {Name: "b", Ours: true, Values: []Value{One(10)}}, {Name: "c", Values: []Value{{20, 10, 40, 3}}},
	}}}}}}
	var widths []float64
	for _, m := range regexp.MustCompile(`<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="12" class="(?:rest2|f0)"/>`).FindAllSubmatch(f.SVG(), -1) {
		var w float64
		fmt.Sscan(string(m[1]), &w)
		widths = append(widths, w)
	}
	if len(widths) != 3 || math.Abs(widths[0]/widths[1]-3) > 0.01 || math.Abs(widths[2]/widths[1]-2) > 0.01 {
		t.Errorf("bars of 30, 10, 20 are %v wide", widths)
	}
}
