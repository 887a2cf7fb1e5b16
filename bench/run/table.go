package main

import (
	"fmt"
	"os"
	"text/tabwriter"
)

// A table is printed with its columns aligned.
type table struct{ *tabwriter.Writer }

func newTable(columns ...any) table {
	t := table{tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)}
	t.row(columns...)
	return t
}

func (t table) row(cells ...any) {
	for _, cell := range cells {
		if f, ok := cell.(float64); ok {
			cell = figure(f)
		}
		fmt.Fprintf(t, "%v\t", cell)
	}
	fmt.Fprintln(t)
}
