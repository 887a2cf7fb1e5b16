// Package status is the page that an operator opens when something is wrong: what it is,
// in words and with the remedy, then what the program does and did over the last hour.
// It is HTML and SVG that load nothing and run nothing; the same is there as JSON.
package status

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
	"time"

	"lancre/internal/legible"
)

// A Page is what there is to see. Whoever fills it in need not make names legible.
type Page struct {
	Program  string    `json:"program"`
	Version  string    `json:"version"`
	Host     string    `json:"host"`
	At       time.Time `json:"at"`
	Problems []Problem `json:"problems"` // the gravest first; none: all is well
	Facts    []Fact    `json:"facts"`
	Stack    []Layer   `json:"stack,omitempty"` // newest first
	Tables   []Table   `json:"tables,omitempty"`
	Charts   []Chart   `json:"charts,omitempty"` // of the last hour
}

// A Problem is something for the reader to do.
type Problem struct {
	What   string `json:"what"`
	Remedy string `json:"remedy"`
	Grave  bool   `json:"grave"` // clients notice
}

// A Fact is one line of what is known.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Layer is one line of the stack that a look-up passes.
type Layer struct {
	Role    string `json:"role"`
	Shard   string `json:"shard"`
	Records uint64 `json:"records"`
	Octets  int64  `json:"octets"`
	Age     string `json:"age"`
}

// A Table has a head and rows of as many cells.
type Table struct {
	Title string     `json:"title"`
	Head  []string   `json:"head"`
	Rows  [][]string `json:"rows"`
}

// A Chart is how often something happened in each of the last minutes, oldest first.
type Chart struct {
	Name    string   `json:"name"`
	Minutes []uint64 `json:"minutes"`
}

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"line": line, "spark": spark, "sum": sum, "width": width, "utc": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}).Parse(pageText))

// line is text in one line, also where drivers of databases have several for one error.
func line(text string) string { return legible.Line(strings.Join(strings.Fields(text), " ")) }

// policy lets a browser load nothing and run nothing, but use the style in the page.
const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// HTML returns a handler that shows what current returns.
func HTML(current func() *Page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		if err := page.Execute(&b, current()); err != nil { // a fault of the template
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		_, _ = b.WriteTo(w) // an error means that the client is gone
	}
}

// JSON returns a handler that writes what current returns for programs.
func JSON(current func() *Page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		e := json.NewEncoder(legible.JSON(w))
		e.SetIndent("", "  ")
		_ = e.Encode(current()) // an error means that the client is gone
	}
}
