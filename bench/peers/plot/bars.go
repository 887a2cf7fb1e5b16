package main

import (
	"fmt"
	"image/color"
	"slices"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// palette is Okabe and Ito's, which colour-blind readers can tell apart.
var palette = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xe6, 0x9f, 0x00, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff},
	color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0xcc, 0x79, 0xa7, 0xff}, color.RGBA{0x56, 0xb4, 0xe9, 0xff},
}

// A group is the bars of one colour, one for each label of the axis.
type group struct {
	name   string
	colour color.Color
	values []float64
}

// bars draws groups side by side.
func bars(title, axis string, labels []string, groups []group) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.Y.Label.Text, p.Y.Min = title, axis, 0
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	width := vg.Points(320) / vg.Length(len(labels)*(len(groups)+1))
	for i, g := range groups {
		b, err := plotter.NewBarChart(plotter.Values(g.values), width)
		if err != nil {
			return nil, err
		}
		b.Color, b.LineStyle.Width = g.colour, 0
		b.Offset = width * vg.Length(2*i-len(groups)+1) / 2
		p.Add(b)
		if len(groups) > 1 {
			p.Legend.Add(g.name, b)
		}
	}
	p.NominalX(labels...)
	p.Y.Max *= 1.3 // room for the legend
	return p, nil
}

func (r *results) cpu() (*plot.Plot, error) {
	var labels []string
	byMethod := map[string]map[string]float64{}
	for _, c := range r.Closed {
		if !slices.Contains(labels, c.Server) {
			labels = append(labels, c.Server)
		}
		if byMethod[c.Method] == nil {
			byMethod[c.Method] = map[string]float64{}
		}
		byMethod[c.Method][c.Server] = c.CPU.Median
	}
	var groups []group
	for i, m := range []struct{ method, name string }{{"get", "GET"}, {"post", "POST"}, {"get-close", "GET, connection per request"}} {
		g := group{name: m.name, colour: palette[i]}
		for _, server := range labels {
			g.values = append(g.values, byMethod[m.method][server])
		}
		groups = append(groups, g)
	}
	return bars("Processor time of the server for a request", "µs", labels, groups)
}

func (r *results) size() (*plot.Plot, error) {
	var labels []string
	var octets []float64
	for _, b := range r.Builds {
		labels, octets = append(labels, b.Kind), append(octets, b.Octets)
	}
	return bars("Size of a response on disk, look-up table and all", "octets", labels, []group{{"lancre", palette[0], octets}})
}

func (r *results) build() (*plot.Plot, error) {
	var labels []string
	alone, whole := group{name: "verifying signatures alone", colour: palette[0]}, group{name: "a whole build", colour: palette[1]}
	for _, b := range r.Builds {
		labels = append(labels, b.Kind)
		alone.values, whole.values = append(alone.values, b.Verify.Median), append(whole.values, b.Rate.Median)
	}
	return bars("Responses a second, two cores", "1/s", labels, []group{alone, whole})
}

func (r *results) lookup() (*plot.Plot, error) {
	labels := []string{"lancre", "cdb", "map", "lmdb", "bbolt", "pebble"}
	var groups []group
	for _, kind := range []struct {
		name, what string
		colours    [2]int // of the two sizes: a light one and a dark one
	}{{"hit", "hit", [2]int{5, 0}}, {"response", "hit, copied out", [2]int{1, 3}}, {"miss", "miss", [2]int{4, 2}}} {
		for i, size := range r.Lookups {
			g := group{name: fmt.Sprintf("%s, %g M", kind.what, size.Records/1e6), colour: palette[kind.colours[i]]}
			for _, l := range labels {
				g.values = append(g.values, size.Benchmarks["Table/"+l+"/"+kind.name]["ns/op"].Median)
			}
			groups = append(groups, g)
		}
	}
	p, err := bars("A look-up that waits for the one before", "ns", labels, groups)
	if err != nil {
		return nil, err
	}
	p.Legend.Left = true // the fastest are there
	return p, nil
}

// servers are those of r.Offered, and what was offered to each in ascending order.
func (r *results) servers() (names []string, by map[string][]offered) {
	by = make(map[string][]offered)
	for _, o := range r.Offered {
		if by[o.Server] == nil {
			names = append(names, o.Server)
		}
		by[o.Server] = append(by[o.Server], o)
	}
	for _, list := range by {
		sort.Slice(list, func(i, j int) bool { return list[i].Rate < list[j].Rate })
	}
	return names, by
}
