package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// A table writes results as a person reads them: a name and a value on each line.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer) table {
	return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
}

func (t table) row(name, format string, args ...any) {
	fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) // Flush reports errors
}
