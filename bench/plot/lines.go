package plot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Lines are curves in one pair of axes, each named at its end.
type Lines struct {
	Title string
	X, Y  Axis
	Lines []Line
}

// An Axis is linear, from 0, or logarithmic.
type Axis struct {
	Name string // what it is of, beside the unit
	Unit string // as in Bars
	Log  bool
}

// A Line goes through points, in the order of x. A reference is what others are to be seen against; it has
// no colour.
type Line struct {
	Name      string
	Ours      bool // the picture is about it
	Reference bool
	Points    []Point
}

// A Point is a value for x. One with a range shows it.
type Point struct {
	X float64
	Y Value
}

const (
	plotHeight = 130
	nameHeight = textSize + 2 // of a name at the end of a line
	nameGap    = 10           // before it
	markGap    = 10           // between a mark of y and its line, on which a dot may lie
	maxDots    = 12           // more points than that are a curve
)

func (l *Lines) plotHeight() float64 { return max(plotHeight, nameHeight*float64(len(l.Lines)+1)) }

func (l *Lines) height() float64 {
	h := l.plotHeight() + headSize
	if l.Title != "" {
		h += headSize + 4
	}
	if l.X.Name != "" {
		h += textSize + 3
	}
	return h
}

// known are the points that were measured.
func (l *Line) known() []Point {
	return slices.DeleteFunc(slices.Clone(l.Points), func(p Point) bool { return p.Y.Count == 0 })
}

// values are all of x and of y.
func (l *Lines) values() (x, y []float64) {
	for i := range l.Lines {
		for _, p := range l.Lines[i].known() {
			x, y = append(x, p.X), append(y, p.Y.Min, p.Y.Median, p.Y.Max)
		}
	}
	return x, y
}

func (l *Lines) draw(c *canvas, at box) {
	if l.Title != "" {
		c.text(at.x, at.y+textSize, "start", "head", cut(l.Title, textSize, bold, at.w))
		at.y += headSize + 4
	}
	at.h = l.plotHeight()
	if x, _ := l.values(); len(x) == 0 {
		c.text(at.x, at.y+textSize, "start", "faint", "not measured")
		return
	}
	d := l.layout(c, at)
	d.axes()
	for _, ours := range []bool{false, true} { // ours lie over others
		for i := range l.Lines {
			if l.Lines[i].Ours == ours {
				d.curve(i)
			}
		}
	}
	d.endings()
}

// A lineDrawing is lines that are being drawn: marks of y, then the plot, then names.
type lineDrawing struct {
	*Lines
	*canvas
	x, y  scale
	names float64  // width
	class []string // of each line, as in style
}

// layout divides at.
func (l *Lines) layout(c *canvas, at box) lineDrawing {
	d := lineDrawing{Lines: l, canvas: c, class: l.classes()}
	xs, ys := l.values()
	d.y = newScale(l.Y.Log, ys, at.y+at.h, at.y+nameHeight/2.0)
	if !d.y.log {
		d.y.to = niceTop(d.y.to)
	}
	marks := 0.0
	for _, v := range d.y.ticks(yApart) {
		marks = max(marks, width(Spell(v, l.Y.Unit), textSize, regular))
	}
	for i := range l.Lines {
		d.names = max(d.names, width(l.Lines[i].Name, textSize, bold))
	}
	d.names = min(d.names, at.w*2/5)
	const halfMark = 16 // of the last one of x
	d.x = newScale(l.X.Log, xs, at.x+marks+markGap+2, at.x+at.w-max(d.names+nameGap, halfMark))
	return d
}

// niceTop is v or a little above, and round.
func niceTop(v float64) float64 {
	step := niceAbove(v / 5)
	for n := 1.0; ; n++ {
		if n*step >= v {
			return n * step
		}
	}
}

func yApart(_, _ float64) float64 { return 22 }

// tickRoom is how far the marks of two values must be apart, side by side.
func tickRoom(v, w float64, unit string) float64 {
	return (width(Spell(v, unit), textSize, regular)+width(Spell(w, unit), textSize, regular))/2 + 10
}

func (d *lineDrawing) axes() {
	for _, v := range d.y.ticks(yApart) {
		y := d.y.place(v)
		d.line(d.x.start, y, d.x.end, y, "grid")
		d.text(d.x.start-markGap, y+4, "end", "faint", Spell(v, d.Y.Unit))
	}
	bottom := d.y.start
	for _, v := range d.x.ticks(func(v, w float64) float64 { return tickRoom(v, w, d.X.Unit) }) {
		x := d.x.place(v)
		d.line(x, bottom, x, bottom+4, "grid")
		d.text(x, bottom+textSize+6, "middle", "faint", Spell(v, d.X.Unit))
	}
	if d.X.Name != "" {
		d.text(d.x.end, bottom+2*textSize+10, "end", "faint", cut(d.X.Name, textSize, regular, d.x.end-d.x.start))
	}
}

// classes are the colours of lines, by number: 0 is ours.
func (l *Lines) classes() []string {
	list := make([]string, len(l.Lines))
	next := 0
	for i := range l.Lines {
		switch {
		case l.Lines[i].Ours:
			list[i] = "0"
		case !l.Lines[i].Reference:
			list[i] = string(rune('1' + next%5))
			next++
		}
	}
	return list
}

// curve is line number i, with its points if they are few.
func (d *lineDrawing) curve(i int) {
	l := &d.Lines.Lines[i]
	points := l.known()
	if l.Reference {
		d.path(points, "diagonal")
		return
	}
	d.path(points, "s"+d.class[i])
	if len(points) > maxDots {
		return
	}
	for _, p := range points {
		x := d.x.place(p.X)
		if p.Y.Min < p.Y.Max {
			d.line(x, d.y.place(p.Y.Min), x, d.y.place(p.Y.Max), "thin s"+d.class[i])
		}
		d.dot(x, d.y.place(p.Y.Median), "f"+d.class[i])
	}
}

// path leads through points.
func (d *lineDrawing) path(points []Point, class string) {
	var path strings.Builder
	for i, p := range points {
		path.WriteByte("ML"[min(i, 1)])
		path.WriteString(px(d.x.place(p.X)) + " " + px(d.y.place(p.Y.Median)))
	}
	if len(points) > 1 {
		fmt.Fprintf(d, `<path d="%s" class="%s"/>`+"\n", path.String(), class)
	}
}

// endings writes what lines are called behind their ends.
func (d *lineDrawing) endings() {
	for _, e := range d.placeEndings() {
		l, class := &d.Lines.Lines[e.line], "f"+d.class[e.line]
		switch {
		case l.Ours:
			class += " ours"
		case l.Reference:
			class = "faint"
		}
		d.text(d.x.end+nameGap, e.y+4, "start", class, cut(l.Name, textSize, bold, d.names))
	}
}

// An ending is the height at which the name of a line is.
type ending struct {
	line int
	y    float64
}

// placeEndings has each name where its line ends, or as near as others let it.
func (d *lineDrawing) placeEndings() (list []ending) {
	for i := range d.Lines.Lines {
		l := &d.Lines.Lines[i]
		if points := l.known(); l.Name != "" && len(points) > 0 {
			list = append(list, ending{i, d.y.place(points[len(points)-1].Y.Median)})
		}
	}
	slices.SortStableFunc(list, func(a, b ending) int { return cmp.Compare(a.y, b.y) })
	// From the top down none is above where it belongs; then none leaves the plot at the bottom.
	for i := 1; i < len(list); i++ {
		list[i].y = max(list[i].y, list[i-1].y+nameHeight)
	}
	limit := d.y.start
	for i := len(list) - 1; i >= 0; i-- {
		list[i].y = min(list[i].y, limit)
		limit = list[i].y - nameHeight
	}
	return list
}
