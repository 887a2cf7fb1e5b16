package plot

import "math"

// Bars are rows with a bar for each value, and a line from the least to the greatest
// that was measured of it. Where bars would be too unlike to be compared, they are dots on a logarithmic axis.
type Bars struct {
	Unit   string   // s, B, /s, × or none; values are in it, not in parts or multiples
	Series []string // names of the values of a row, if it has several
	Groups []Group
}

// A Group is rows below a title.
type Group struct {
	Title string
	Rows  []Row
}

// A Row is the values of one thing. Ours are the ones that the picture is about.
type Row struct {
	Name   string
	Ours   bool
	Values []Value
}

const (
	barHeight = 14
	rowGap    = 7
	groupGap  = 12
	headSize  = textSize + 8 // a group's title, or an axis
	// unlike is how many times the longest bar may be the shortest.
	unlike = 40
)

func (b *Bars) height() (h float64) {
	for i, g := range b.Groups {
		if i > 0 {
			h += groupGap
		}
		h += b.groupHeight(&g)
	}
	if b.logarithmic() {
		h += headSize
	}
	return h
}

func (b *Bars) groupHeight(g *Group) float64 {
	if g.Title != "" {
		return headSize + g.rowsHeight()
	}
	return g.rowsHeight()
}

func (g *Group) rowsHeight() (h float64) {
	for _, row := range g.Rows {
		h += float64(len(row.Values))*barHeight + rowGap
	}
	return h
}

// all calls do for what was measured.
func (b *Bars) all(do func(row *Row, n int, v Value)) {
	for _, g := range b.Groups {
		for i := range g.Rows {
			for n, v := range g.Rows[i].Values {
				if v.Count > 0 {
					do(&g.Rows[i], n, v)
				}
			}
		}
	}
}

// logarithmic reports whether some values are too small beside others for a bar.
func (b *Bars) logarithmic() bool {
	least, most := math.Inf(1), 0.0
	b.all(func(_ *Row, _ int, v Value) {
		most = max(most, v.Median)
		if v.Median > 0 {
			least = min(least, v.Median)
		}
	})
	return most > unlike*least
}

// label is what stands behind a value. The first row names the series.
func (b *Bars) label(n int, v Value, first bool) string {
	text := Spell(v.Median, b.Unit)
	if first && n < len(b.Series) {
		text += ", " + b.Series[n]
	}
	return text
}

func (b *Bars) draw(c *canvas, at box) {
	d := b.layout(c, at)
	if d.names == 0 {
		c.text(at.x, at.y+textSize, "start", "faint", "not measured")
		return
	}
	y := at.y
	for i, g := range b.Groups {
		if i > 0 {
			y += groupGap
		}
		if g.Title != "" {
			c.text(at.x, y+textSize, "start", "head", cut(g.Title, textSize, bold, at.w))
			y += headSize
		}
		if d.log {
			d.grid(y, y+g.rowsHeight())
		}
		for n := range g.Rows {
			d.row(&g.Rows[n], y, i == 0 && n == 0)
			y += float64(len(g.Rows[n].Values))*barHeight + rowGap
		}
	}
	if d.log {
		d.axis(y)
	}
}

// A barDrawing is bars that are being drawn: names, then bars by the scale, then labels.
type barDrawing struct {
	*Bars
	*canvas
	scale
	at            box
	names, labels float64 // widths
}

// layout divides at. Names and labels get two fifths each at most.
func (b *Bars) layout(c *canvas, at box) barDrawing {
	d := barDrawing{Bars: b, canvas: c, at: at}
	var values []float64
	b.all(func(row *Row, n int, v Value) {
		d.labels = max(d.labels, width(b.label(n, v, true), textSize, bold))
		d.names = max(d.names, width(row.Name, textSize, bold))
		values = append(values, v.Min, v.Median, v.Max)
	})
	d.names, d.labels = min(d.names, at.w*2/5), min(d.labels, at.w*2/5)
	d.scale = newScale(b.logarithmic(), values, at.x+d.names+10, at.x+at.w-d.labels-8)
	return d
}

// marks are the values that are marked.
func (d *barDrawing) marks() []float64 {
	return d.ticks(func(v, w float64) float64 { return tickRoom(v, w, d.Unit) })
}

// grid marks values behind the rows of a group, and not behind its title.
func (d *barDrawing) grid(top, bottom float64) {
	for _, v := range d.marks() {
		d.line(d.place(v), top, d.place(v), bottom, "grid")
	}
}

// axis spells the marked values below all rows.
func (d *barDrawing) axis(bottom float64) {
	for _, v := range d.marks() {
		d.text(d.place(v), bottom+textSize+3, "middle", "faint", Spell(v, d.Unit))
	}
}

func (d *barDrawing) row(row *Row, y float64, first bool) {
	class, fills := "", []string{"rest", "rest2"}
	if row.Ours {
		class, fills = "ours", []string{"f02", "f0"}
	}
	middle := y + float64(len(row.Values))*barHeight/2
	d.text(d.start-10, middle+4, "end", class, cut(row.Name, textSize, bold, d.names))
	for n, v := range row.Values {
		middle := y + (float64(n)+0.5)*barHeight
		if v.Count > 0 {
			d.bar(v, middle, fills[max(0, n+len(fills)-len(row.Values))]) // the last is the strongest
			d.text(d.place(max(v.Max, v.Median))+7, middle+4, "start", class, cut(d.label(n, v, first), textSize, bold, d.labels))
		}
	}
}

// bar is one value, or a dot.
func (d *barDrawing) bar(v Value, middle float64, fill string) {
	if end := d.place(v.Median); d.log {
		d.dot(end, middle, fill)
	} else {
		d.rect(box{d.start, middle - barHeight/2 + 1, end - d.start, barHeight - 2}, fill)
	}
	if v.Min < v.Max {
		d.line(d.place(v.Min), middle, d.place(v.Max), middle, "range")
	}
}
