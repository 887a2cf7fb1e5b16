package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"lancre/bench/plot"
)

// drawings are the pictures of RESULTS.md, by the name of their file; nil where there is nothing
// to draw.
var drawings = []struct {
	name string
	draw func(*results) *plot.Figure
}{
	{"cpu", (*results).drawCPU},
	{"throughput", (*results).drawThroughput},
	{"latency", (*results).drawLatency},
	{"crl", (*results).drawCRLs},
	{"lookup", (*results).drawLookups},
	{"size", (*results).drawSize},
	{"build", (*results).drawBuilds},
	{"growth", (*results).drawGrowth},
	{"scale", (*results).drawScale},
	{"fleet", (*results).drawFleet},
}

// drawAll writes the pictures into dir.
func (r *results) drawAll(dir string) error {
	for _, d := range drawings {
		f := d.draw(r)
		if f == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, d.name+".svg"), f.SVG(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// drawn is s, which is in parts of unit, for a picture.
func (s spread) drawn(unit float64) plot.Value { return plot.Value(s.times(unit)) }

const (
	milli = 1e-3
	micro = 1e-6
	nano  = 1e-9
)

// spelled is how methods are called in a picture.
var spelled = map[method]string{get: "GET", post: "POST", getClose: "GET, each on a connection of its own"}

func (r *results) drawCPU() *plot.Figure {
	b := &plot.Bars{Unit: "s"}
	for _, m := range methods {
		g := plot.Group{Title: spelled[m]}
		for _, c := range r.Closed {
			if c.Method == m {
				g.Rows = append(g.Rows, plot.Row{Name: c.Server, Ours: c.Server == "lancred", Values: []plot.Value{c.CPU.drawn(micro)}})
			}
		}
		b.Groups = append(b.Groups, g)
	}
	return &plot.Figure{
		Title: "Processor time of the server for a request", Note: "Less is better. A thin line goes from the least to the greatest of the rounds.",
		Panels: []plot.Panel{b},
	}
}

// offeredTo are what was offered to each server, in the order of the servers and ascending.
func (r *results) offeredTo() (names []string, by map[string][]offered) {
	by = make(map[string][]offered)
	for _, o := range r.Offered {
		if by[o.Server] == nil {
			names = append(names, o.Server)
		}
		by[o.Server] = append(by[o.Server], o)
	}
	for _, list := range by {
		slices.SortFunc(list, func(a, b offered) int { return int(a.Rate - b.Rate) })
	}
	return names, by
}

func (r *results) drawThroughput() *plot.Figure {
	f := &plot.Figure{
		Title:   "Answers a second from one core against requests offered",
		Note:    "The grey line is where every request is answered.",
		Columns: 2,
	}
	names, by := r.offeredTo()
	for _, name := range names {
		line, all := plot.Line{Ours: name == "lancred"}, plot.Line{Reference: true}
		most := 0.0
		for _, o := range by[name] {
			line.Points = append(line.Points, plot.Point{X: o.Rate, Y: plot.Value(o.Reached)})
			all.Points = append(all.Points, plot.Point{X: o.Rate, Y: plot.One(o.Rate)})
			most = max(most, o.Reached.Median)
		}
		title := fmt.Sprintf("%s: %s at most", name, plot.Spell(most, "/s"))
		f.Panels = append(f.Panels, &plot.Lines{Title: title, X: plot.Axis{Unit: "/s"}, Y: plot.Axis{Unit: "/s"}, Lines: []plot.Line{all, line}})
	}
	return f
}

func (r *results) drawLatency() *plot.Figure {
	f := &plot.Figure{Title: "Time to the answer, from when the request was due", Note: "Against requests offered to one core in a second."}
	names, by := r.offeredTo()
	for _, q := range []struct {
		title string
		of    func(*offered) spread
	}{
		{"half of them are faster (p50)", func(o *offered) spread { return o.P50 }},
		{"99 of 100 are faster (p99)", func(o *offered) spread { return o.P99 }},
		{"999 of 1,000 are faster (p99.9)", func(o *offered) spread { return o.P999 }},
	} {
		p := &plot.Lines{Title: q.title, X: plot.Axis{Unit: "/s"}, Y: plot.Axis{Unit: "s", Log: true}}
		for _, name := range names {
			line := plot.Line{Name: name, Ours: name == "lancred"}
			for _, o := range by[name] {
				line.Points = append(line.Points, plot.Point{X: o.Rate, Y: q.of(&o).drawn(micro)})
			}
			p.Lines = append(p.Lines, line)
		}
		f.Panels = append(f.Panels, p)
	}
	return f
}

// drawCRLs has a panel for each way of asking, for their times have nothing in common.
func (r *results) drawCRLs() *plot.Figure {
	f := &plot.Figure{Title: "Processor time of the server for a CRL", Note: "Less is better. nginx has it in a file and sends it by sendfile.", Columns: 2}
	for _, way := range fetches {
		g := plot.Group{Title: way.title}
		for _, c := range r.CRLs {
			if c.Asked == way.name {
				g.Title = plot.Spell(float64(c.Octets), "B") + way.title
				g.Rows = append(g.Rows, plot.Row{Name: c.Server, Ours: c.Server == "lancred", Values: []plot.Value{c.CPU.drawn(micro)}})
			}
		}
		f.Panels = append(f.Panels, &plot.Bars{Unit: "s", Groups: []plot.Group{g}})
	}
	if len(r.CRLs) == 0 {
		return nil
	}
	return f
}

// indexes are what look-ups are measured in, in the order of tables and pictures.
var indexes = []string{"lancre", "cdb", "map", "lmdb", "bbolt", "pebble"}

func (r *results) drawLookups() *plot.Figure {
	b := &plot.Bars{Unit: "s"}
	for _, l := range r.Lookups {
		b.Series = append(b.Series, "among "+millions(l.Records))
	}
	for _, what := range []struct{ name, title string }{
		{"hit", "A response is found"}, {"response", "Found, and copied out"}, {"miss", "There is none"},
	} {
		g := plot.Group{Title: what.title}
		for _, name := range indexes {
			row := plot.Row{Name: name, Ours: name == "lancre"}
			for _, l := range r.Lookups {
				row.Values = append(row.Values, l.Table(name, what.name)["ns/op"].drawn(nano))
			}
			g.Rows = append(g.Rows, row)
		}
		b.Groups = append(b.Groups, g)
	}
	return &plot.Figure{Title: "A look-up that waits for the one before", Note: "Less is better.", Panels: []plot.Panel{b}}
}

// drawSize compares what a response takes with what it takes in the others' indexes, and
// with keys and responses one after another.
func (r *results) drawSize() *plot.Figure {
	ours := plot.Group{Title: "By how they are signed, look-up table and all"}
	for _, b := range r.Builds {
		ours.Rows = append(ours.Rows, plot.Row{Name: b.Kind, Ours: true, Values: []plot.Value{plot.One(b.PerResponse)}})
	}
	peers := plot.Group{Title: fmt.Sprintf("P-256, no certificate inside, %s of them", millions(r.Many))}
	for _, name := range indexes {
		hit := r.Among(r.Many).Table(name, "hit")
		size, beyond := hit["octets/entry"], hit["overhead/entry"]
		if size.Count == 0 {
			continue
		}
		if name == "lancre" {
			peers.Rows = append(peers.Rows, plot.Row{Name: "serials and responses alone", Values: []plot.Value{plot.One(size.Median - beyond.Median)}})
		}
		peers.Rows = append(peers.Rows, plot.Row{Name: name, Ours: name == "lancre", Values: []plot.Value{plot.Value(size)}})
	}
	if r.FileOctets > 0 {
		peers.Rows = append(peers.Rows, plot.Row{Name: "a file for each", Values: []plot.Value{plot.One(r.FileOctets)}})
	}
	return &plot.Figure{
		Title: "Octets that a response takes", Note: "Less is better. On the disk, but for the map.",
		Panels: []plot.Panel{&plot.Bars{Unit: "B", Groups: []plot.Group{peers, ours}}},
	}
}

func (r *results) drawBuilds() *plot.Figure {
	b := &plot.Bars{Unit: "/s"}
	for _, k := range r.Builds {
		b.Groups = append(b.Groups, plot.Group{Title: k.Kind, Rows: []plot.Row{
			{Name: "verifying signatures alone", Values: []plot.Value{plot.Value(k.Verify)}},
			{Name: "a whole build", Ours: true, Values: []plot.Value{plot.Value(k.Rate)}},
		}})
	}
	return &plot.Figure{
		Title: "Responses a second that two cores check and pack", Note: "More is better, and no build that verifies signatures can be faster than that.",
		Panels: []plot.Panel{b},
	}
}

// drawGrowth draws how a store and its server do while revocations come, second by second.
func (r *results) drawGrowth() *plot.Figure {
	if len(r.Grown.Course) == 0 {
		return nil
	}
	f := &plot.Figure{Title: "Twenty revocations a second, with merges beside", Note: "Against seconds."}
	for _, of := range []struct {
		name, unit string
		y          func(*moment) float64
	}{
		{"lines of the manifest", "", func(m *moment) float64 { return float64(m.Lines) }},
		{"anonymous memory of lancred", "B", func(m *moment) float64 { return float64(m.Anon) }},
		{"p99 of requests", "s", func(m *moment) float64 { return m.P99 * micro }},
	} {
		line := plot.Line{Ours: true}
		for n, m := range r.Grown.Whole() {
			line.Points = append(line.Points, plot.Point{X: float64(n), Y: plot.One(of.y(&m))})
		}
		f.Panels = append(f.Panels, &plot.Lines{Title: of.name, X: plot.Axis{Unit: "s"}, Y: plot.Axis{Unit: of.unit}, Lines: []plot.Line{line}})
	}
	return f
}

// drawScale draws what things cost against how many responses the store has.
func (r *results) drawScale() *plot.Figure {
	scales := r.Scales()
	if len(scales) == 0 {
		return nil
	}
	panel := func(title, unit string, lines ...plot.Line) plot.Panel {
		return &plot.Lines{Title: title, X: plot.Axis{Name: "responses in the store", Log: true}, Y: plot.Axis{Unit: unit}, Lines: lines}
	}
	line := func(name string, ours bool, of func(*scaled) plot.Value) plot.Line {
		l := plot.Line{Name: name, Ours: ours}
		for i := range scales {
			l.Points = append(l.Points, plot.Point{X: float64(scales[i].Records), Y: of(&scales[i])})
		}
		return l
	}
	var gets, lookups []plot.Line
	for _, name := range slices.Sorted(maps.Keys(scaleServers)) {
		gets = append(gets, line(name, name == "lancred", func(s *scaled) plot.Value { return s.GET[name].drawn(micro) }))
	}
	for _, name := range scaleTables {
		lookups = append(lookups, line(name, name == "lancre", func(s *scaled) plot.Value { return s.Lookup[name].drawn(nano) }))
	}
	return &plot.Figure{
		Title: "What grows with the store, and what does not", Note: "A thin line goes from the least to the greatest of the rounds.", Columns: 2,
		Panels: []plot.Panel{
			panel("GET: processor time of the server", "s", gets...),
			panel("A look-up that waits for the one before", "s", lookups...),
			panel("Responses a second, without verifying", "/s",
				line("built", true, func(s *scaled) plot.Value { return plot.Value(s.Build) }),
				line("merged", false, func(s *scaled) plot.Value { return plot.Value(s.Merge) })),
			panel("Adding a response and publishing it", "s",
				line("", true, func(s *scaled) plot.Value { return s.Add.drawn(1e-3) })),
		},
	}
}
