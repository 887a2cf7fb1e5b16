package plot

import "slices"

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
	top := at.y
	if l.Title != "" {
		c.text(at.x, top+textSize, "start", "head", cut(l.Title, textSize, bold, at.w))
		top += headSize + 4
	}
	if x, _ := l.values(); len(x) == 0 {
		c.text(at.x, top+textSize, "start", "faint", "not measured")
		return
	}
	x, y := l.layout(box{at.x, top, at.w, l.plotHeight()})
	l.axes(c, &x, &y, at)
	classes := l.classes()
	for _, ours := range []bool{false, true} { // ours lie over others
		for i := range l.Lines {
			if l.Lines[i].Ours == ours {
				l.Lines[i].draw(c, &x, &y, classes[i])
			}
		}
	}
	l.names(c, &x, &y, classes, at.x+at.w-x.end-10)
}

// layout leaves room for the marks of y on the left and for names on the right.
func (l *Lines) layout(at box) (x, y scale) {
	xs, ys := l.values()
	y = newScale(l.Y.Log, ys, at.y+at.h, at.y+nameHeight/2.0)
	if !y.log {
		y.to = niceTop(y.to)
	}
	marks, names := 0.0, 0.0
	for _, v := range y.ticks(yApart) {
		marks = max(marks, width(Spell(v, l.Y.Unit), textSize, regular))
	}
	for i := range l.Lines {
		names = max(names, width(l.Lines[i].Name, textSize, bold))
	}
	x = newScale(l.X.Log, xs, at.x+marks+8, at.x+at.w-min(names, at.w*2/5)-10)
	if names == 0 {
		x.end = at.x + at.w - 16 // half of the last mark
	}
	return x, y
}

// niceTop is a little above v and round.
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

func (l *Lines) axes(c *canvas, x, y *scale, at box) {
	for _, v := range y.ticks(yApart) {
		c.line(x.start, y.place(v), x.end, y.place(v), "grid")
		c.text(x.start-6, y.place(v)+4, "end", "faint", Spell(v, l.Y.Unit))
	}
	for _, v := range x.ticks(func(v, w float64) float64 { return tickRoom(v, w, l.X.Unit) }) {
		c.line(x.place(v), y.start, x.place(v), y.start+4, "grid")
		c.text(x.place(v), y.start+textSize+6, "middle", "faint", Spell(v, l.X.Unit))
	}
	if l.X.Name != "" {
		c.text(x.end, y.start+2*textSize+10, "end", "faint", cut(l.X.Name, textSize, regular, x.end-at.x))
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

func (l *Line) draw(c *canvas, x, y *scale, class string) {
	stroke := "s" + class
	if l.Reference {
		stroke = "diagonal"
	}
	points := l.known()
	c.path(points, x, y, stroke)
	if l.Reference || len(points) > maxDots {
		return
	}
	for _, p := range points {
		if at := x.place(p.X); p.Y.Min < p.Y.Max {
			c.line(at, y.place(p.Y.Min), at, y.place(p.Y.Max), "range")
		}
		c.dot(x.place(p.X), y.place(p.Y.Median), "f"+class)
	}
}

// path is a line through points.
func (c *canvas) path(points []Point, x, y *scale, class string) {
	if len(points) < 2 {
		return
	}
	c.WriteString(`<path d="`)
	for i, p := range points {
		c.WriteByte("ML"[min(i, 1)])
		c.WriteString(px(x.place(p.X)) + " " + px(y.place(p.Y.Median)))
	}
	c.WriteString(`" class="` + class + `"/>` + "\n")
}

// names writes what lines are called, each at the height of its end or as near as others let it.
func (l *Lines) names(c *canvas, x, y *scale, classes []string, room float64) {
	type name struct {
		line int
		y    float64
	}
	var list []name
	for i := range l.Lines {
		if points := l.Lines[i].known(); l.Lines[i].Name != "" && len(points) > 0 {
			list = append(list, name{i, y.place(points[len(points)-1].Y.Median)})
		}
	}
	slices.SortStableFunc(list, func(a, b name) int { return int(a.y*10) - int(b.y*10) })
	// Down from the top none is above its own place; then up from the bottom, none leaves the plot.
	for i := 1; i < len(list); i++ {
		list[i].y = max(list[i].y, list[i-1].y+nameHeight)
	}
	limit := y.start
	for i := len(list) - 1; i >= 0; i-- {
		list[i].y = min(list[i].y, limit)
		limit = list[i].y - nameHeight
	}
	for _, n := range list {
		class := "f" + classes[n.line]
		if l.Lines[n.line].Ours {
			class += " ours"
		} else if l.Lines[n.line].Reference {
			class = "faint"
		}
		c.text(x.end+10, n.y+4, "start", class, cut(l.Lines[n.line].Name, textSize, bold, room))
	}
}
