package main

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"lancre/internal/legible"
)

// writeJSON writes v as a person and a program can read it.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(legible.JSON(w))
	e.SetEscapeHTML(false) // names of CAs have & in them
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// jsonFlag adds --json.
func jsonFlag(cmd *cobra.Command, json *bool) {
	cmd.Flags().BoolVar(json, "json", false, "print the result as JSON")
}
