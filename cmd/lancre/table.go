package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"lancre/internal/legible"
)

// A table writes results as a person reads them: a name and a value on each line, and
// each value in one line whatever is in it.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer) table {
	return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
}

// row writes a name and a value.
func (t table) row(name, format string, args ...any) { t.columns(name, fmt.Sprintf(format, args...)) }

// columns writes a line of several values.
func (t table) columns(values ...any) {
	for i, v := range values {
		if i > 0 {
			fmt.Fprint(t, "\t") // Flush reports errors
		}
		fmt.Fprint(t, legible.Line(fmt.Sprint(v)))
	}
	fmt.Fprintln(t)
}
