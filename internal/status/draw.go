package status

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// The size of a sparkline, in pixels: a minute has four.
const (
	sparkWidth  = 4 * Minutes
	sparkHeight = 28
)

// spark draws a chart: a bar a minute, the highest as high as the picture.
func spark(c Chart) template.HTML {
	var highest uint64
	for _, n := range c.Minutes {
		highest = max(highest, n)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label="%d at most in a minute">`, sparkWidth, sparkHeight, highest)
	for i, n := range c.Minutes {
		if n == 0 {
			continue
		}
		height := max(1, math.Round(float64(n)/float64(highest)*sparkHeight))
		x := 4 * (Minutes - len(c.Minutes) + i)
		fmt.Fprintf(&b, `<rect x="%d" y="%g" width="3" height="%g"/>`, x, sparkHeight-height, height)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) // numbers alone
}

// sum is how often it happened in all.
func sum(c Chart) (n uint64) {
	for _, m := range c.Minutes {
		n += m
	}
	return n
}

// width is how wide a layer is drawn, in percent: by the logarithm of its records, for a
// delta has ten and a base has millions.
func width(records uint64) float64 {
	const widest = 9 // a billion
	return math.Round(100 * min(1, math.Log10(float64(records)+1)/widest))
}
