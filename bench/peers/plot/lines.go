package main

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

func (r *results) throughput() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = "Answers from one core against offered load", "requests offered, thousands a second", "answers, thousands a second"
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left = true, true
	names, by := r.servers()
	for i, name := range names {
		err := addLine(p, name, i, 0, by[name], func(o *offered) float64 { return o.Reached / 1e3 })
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// latency draws p50, p99 and p99.9 of every server on a logarithmic axis: solid,
// dashed, dotted.
func (r *results) latency() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = "Time to the answer, from when the request was due: p50, p99 dashed, p99.9 dotted", "requests offered, thousands a second", "µs"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left = true, true
	names, by := r.servers()
	quantiles := []func(*offered) float64{
		func(o *offered) float64 { return o.P50 }, func(o *offered) float64 { return o.P99 }, func(o *offered) float64 { return o.P999 },
	}
	for i, name := range names {
		for dash, q := range quantiles {
			legend := name
			if dash > 0 {
				legend = ""
			}
			if err := addLine(p, legend, i, dash, by[name], q); err != nil {
				return nil, err
			}
		}
	}
	p.Y.Max *= 10 // room for the legend
	return p, nil
}

// growth draws how a store and its server do while revocations come, second by second, on
// a logarithmic axis.
func (r *results) growth() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text = "Twenty revocations a second, with merges beside", "s"
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left = true, true
	if len(r.Grown.Course) == 0 {
		return p, nil // it was not measured
	}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	for i, of := range []struct {
		name string
		y    func(*moment) float64
	}{
		{"lines of the manifest", func(m *moment) float64 { return m.Lines }},
		{"anonymous memory of lancred, MB", func(m *moment) float64 { return m.Anon / 1e6 }},
		{"p99 of requests, µs", func(m *moment) float64 { return m.P99 }},
	} {
		points := make(plotter.XYs, len(r.Grown.Course))
		for n := range r.Grown.Course {
			points[n] = plotter.XY{X: float64(n), Y: max(of.y(&r.Grown.Course[n]), 1e-3)}
		}
		if err := addPoints(p, of.name, i, 0, points); err != nil {
			return nil, err
		}
	}
	p.Y.Max *= 10 // room for the legend
	return p, nil
}

var dashes = [][]vg.Length{nil, {vg.Points(5), vg.Points(3)}, {vg.Points(1), vg.Points(2)}}

// addLine adds one line; it is in the legend if it has a name.
func addLine(p *plot.Plot, name string, colour, dash int, list []offered, y func(*offered) float64) error {
	points := make(plotter.XYs, len(list))
	for i := range list {
		points[i] = plotter.XY{X: list[i].Rate / 1e3, Y: max(y(&list[i]), 1e-3)}
	}
	return addPoints(p, name, colour, dash, points)
}

func addPoints(p *plot.Plot, name string, colour, dash int, points plotter.XYs) error {
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.Color, line.Width, line.Dashes = palette[colour%len(palette)], vg.Points(1.5), dashes[dash]
	p.Add(line)
	if name != "" {
		p.Legend.Add(name, line)
	}
	return nil
}
