package main

import (
	_ "embed"
	"fmt"
	"os"
	"strings"
	"text/template"
)

//go:embed report.md
var reportText string

// reportTemplate is RESULTS.md but for the figures.
var reportTemplate = template.Must(template.New("report.md").Funcs(template.FuncMap{
	"ns":       func(b benchmark) string { return b.median("ns/op", "%.0f") },
	"per":      func(b benchmark, unit string) string { return b.median(unit, "%.1f") },
	"figure":   figure,
	"whole":    func(v float64) string { return fmt.Sprintf("%.0f", v) },
	"mb":       func(octets int64) string { return fmt.Sprintf("%.0f", float64(octets)/1e6) },
	"mbs":      func(octets spread) spread { return octets.times(1e-6) },
	"first":    func(g grown) float64 { first, _ := g.Anon(); return first / 1e6 },
	"last":     func(g grown) float64 { _, last := g.Anon(); return last / 1e6 },
	"split":    func(list string) []string { return strings.Fields(list) },
	"millions": millions,

	"millionsOf":  func(n uint64) string { return figure(float64(n)/1e6) + " million" },
	"perSecond":   func(p packed) float64 { return float64(p.Responses) / p.CPUSeconds },
	"perResponse": func(p packed) float64 { return p.perResponse() },
	"answered":    func(h hundred) uint64 { return h.Warm.Answered + h.Half.Answered },
	"wrong":       func(h hundred) uint64 { return h.Warm.Wrong + h.Half.Wrong },
	"failed":      func(h hundred) uint64 { return h.Warm.Failed + h.Half.Failed },
}).Parse(reportText))

// median is in words, for what was left out has none.
func (b benchmark) median(unit, form string) string {
	if b[unit].Count == 0 {
		return "–"
	}
	return fmt.Sprintf(form, b[unit].Median)
}

// report writes the results as a page for people.
func (r *runner) report(path string) error {
	var page strings.Builder
	if err := reportTemplate.Execute(&page, &r.results); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(page.String()), 0o644)
}
