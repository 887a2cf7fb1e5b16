package usage

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestManWritesAPageForEachCommand(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1000000000") // 2001-09-09
	dir := t.TempDir()
	root := newProgram()
	root.Long = "Program keeps the form of\n\n  this   list\n  of     words\n\nand no other."
	root.AddCommand(Man("8"))
	root.SetArgs([]string{"man", dir})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*"))
	if want := []string{filepath.Join(dir, "program-build.8"), filepath.Join(dir, "program.8")}; err != nil || !slices.Equal(pages, want) {
		t.Fatalf("pages %s, %v, want %s", pages, err, want)
	}
	page, err := os.ReadFile(filepath.Join(dir, "program.8"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`.TH "PROGRAM" "8" "Sep 2001" "program ` + root.Version + `" "Lancre"`, "\n  this   list\n  of     words\n", "\\fB--drain\\fP", "program-build(8)"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
}
