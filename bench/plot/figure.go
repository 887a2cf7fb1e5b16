// Package plot draws measurements as SVG, for pages that are read in light and in dark.
//
// It writes SVG itself. Libraries for plots lay out axes and legends and leave it to the caller
// that labels find room; here room is what comes first: every text's width is bounded before
// anything is drawn (text.go), lines and bars are named where they are in place of a
// legend, and what is left is for data. A picture has a background of its own, light or dark as the
// reader's browser prefers, for the page around it may be either.
package plot

import (
	"fmt"
	"math"
	"strings"
)

// A Value is what was measured several times. Count is how often; 0: not at all.
type Value struct {
	Median, Min, Max float64
	Count            int
}

// One is a value that was measured once.
func One(v float64) Value { return Value{v, v, v, 1} }

// A Figure is one picture: panels below each other, or in columns.
type Figure struct {
	Title   string
	Note    string // what to know for reading it
	Columns int    // 0: one
	Panels  []Panel
}

// A Panel is Bars or Lines.
type Panel interface {
	// height is what it needs, in pixels.
	height() float64
	draw(c *canvas, at box)
}

// Sizes are in pixels of a picture that is not scaled. 720 is a column of GitHub's, about.
const (
	figureWidth = 720
	margin      = 18
	between     = 22 // panels
)

// SVG is the picture.
func (f *Figure) SVG() []byte {
	c := new(canvas)
	y := f.heading(c)
	columns := max(1, f.Columns)
	width := (figureWidth - 2*margin - between*float64(columns-1)) / float64(columns)
	for i, p := range f.Panels {
		column := i % columns
		c.panel(p, box{margin + float64(column)*(width+between), y, width, p.height()})
		if column == columns-1 || i == len(f.Panels)-1 {
			y += tallest(f.Panels[i-column:i+1]) + between
		}
	}
	return c.document(f.Title, y-between+margin)
}

// heading writes title and note and returns where they end.
func (f *Figure) heading(c *canvas) float64 {
	const room = figureWidth - 2*margin
	y := margin + titleSize - 2.0
	for _, line := range wrap(f.Title, titleSize, bold, room) {
		c.text(margin, y, "start", "title", line)
		y += titleSize + 5
	}
	for _, line := range wrap(f.Note, textSize, regular, room) {
		c.text(margin, y, "start", "faint", line)
		y += textSize + 4
	}
	return y + 8 - textSize
}

func tallest(panels []Panel) (h float64) {
	for _, p := range panels {
		h = max(h, p.height())
	}
	return h
}

// A box is a part of the picture.
type box struct{ x, y, w, h float64 }

// A canvas is SVG elements so far.
type canvas struct{ strings.Builder }

func (c *canvas) panel(p Panel, at box) {
	c.WriteString("<g>\n")
	p.draw(c, at)
	c.WriteString("</g>\n")
}

func (c *canvas) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(c, `<text x="%s" y="%s" text-anchor="%s" class="%s">%s</text>`+"\n", px(x), px(y), anchor, class, escape.Replace(text))
}

// line is straight, from one point to another.
func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(c, `<path d="M%s %sL%s %s" class="%s"/>`+"\n", px(x1), px(y1), px(x2), px(y2), class)
}

func (c *canvas) rect(b box, class string) {
	fmt.Fprintf(c, `<rect x="%s" y="%s" width="%s" height="%s" class="%s"/>`+"\n", px(b.x), px(b.y), px(b.w), px(b.h), class)
}

func (c *canvas) dot(x, y float64, class string) {
	fmt.Fprintf(c, `<circle cx="%s" cy="%s" r="3.5" class="%s"/>`+"\n", px(x), px(y), class)
}

// px is v to a tenth of a pixel.
func px(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", math.Round(v*10)/10), ".0") }

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// document is the whole, in a picture so high.
func (c *canvas) document(title string, height float64) []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%s" viewBox="0 0 %[1]d %[2]s" role="img">
<title>%s</title>
<style>%s</style>
<rect width="%[1]d" height="%[2]s" class="back"/>
%[5]s</svg>
`, figureWidth, px(math.Ceil(height)), escape.Replace(title), style, c.String())
}

// style has the colours: of fills as .f0, of lines as .s0. 0 is what the picture is about; the others
// can be told from it and from each other, in the order of Okabe and Ito, by those who see no red or no green.
const style = `
text{font:12px Helvetica Neue,Helvetica,Arial,Liberation Sans,sans-serif;fill:var(--ink);stroke:var(--back);stroke-width:3px;paint-order:stroke}
.title{font-size:16px;font-weight:bold}.head,.ours{font-weight:bold}.faint{fill:var(--faint)}
.back{fill:var(--back)}path{fill:none;stroke-width:2;stroke-linejoin:round}
.grid{stroke:var(--grid);stroke-width:1}.range{stroke:var(--ink);stroke-width:1.3}.diagonal{stroke:var(--rest)}
.rest{fill:var(--rest)}.rest2{fill:var(--rest2)}.f0{fill:var(--c0)}.f02{fill:var(--c02)}
.f1{fill:var(--c1)}.f2{fill:var(--c2)}.f3{fill:var(--c3)}.f4{fill:var(--c4)}.f5{fill:var(--c5)}
.s0{stroke:var(--c0);stroke-width:2.6}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}.s4{stroke:var(--c4)}.s5{stroke:var(--c5)}.thin{stroke-width:1.3}
svg{--back:#fff;--ink:#1f2328;--faint:#59636e;--grid:#e4e7eb;--rest:#b4bcc6;--rest2:#7f8995;
--c0:#0969da;--c02:#7bb5f5;--c1:#b35900;--c2:#0b7a5c;--c3:#a0408a;--c4:#6b7280;--c5:#8a6d00}
@media(prefers-color-scheme:dark){svg{--back:#0d1117;--ink:#e6edf3;--faint:#9198a1;--grid:#2a313c;--rest:#4a5462;--rest2:#76808d;
--c0:#58a6ff;--c02:#2b5f9e;--c1:#f0883e;--c2:#3fbf95;--c3:#e086c9;--c4:#9aa4b0;--c5:#d4b13f}}
`
