package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	logCall   = regexp.MustCompile(`\b[lL]og\.(Info|Warn|Error)\("([^"]+)"`)
	logRow    = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (info|warn|error) \\|")
	docMetric = regexp.MustCompile("`[^`\n]*\\b(lancred_[a-z_]+)")
)

// docs/OPERATIONS.md explains exactly the messages that lancred logs, with their
// levels, and raises alarms on no metric that METRICS.md does not have.
func TestOperationsNamesWhatIsLogged(t *testing.T) {
	text, err := os.ReadFile("../../docs/OPERATIONS.md")
	check(t, err)
	var logged, documented []string
	for _, m := range logRow.FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[2]+" "+m[1])
	}
	for _, dir := range []string{".", "../../server", "../../internal/service", "../lancre", "../../origin"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		check(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			check(t, err)
			for _, m := range logCall.FindAllStringSubmatch(string(source), -1) {
				logged = append(logged, strings.ToLower(m[1])+" "+m[2])
			}
		}
	}
	slices.Sort(logged)
	slices.Sort(documented)
	if !slices.Equal(slices.Compact(logged), documented) {
		t.Errorf("logged:\n%s\n\nin docs/OPERATIONS.md:\n%s", strings.Join(logged, "\n"), strings.Join(documented, "\n"))
	}
}

func TestOperationsNamesMetricsThatExist(t *testing.T) {
	operations, err := os.ReadFile("../../docs/OPERATIONS.md")
	check(t, err)
	metrics, err := os.ReadFile("../../docs/METRICS.md")
	check(t, err)
	for _, m := range docMetric.FindAllStringSubmatch(string(operations), -1) {
		if !strings.Contains(string(metrics), "| `"+m[1]+"` |") {
			t.Errorf("docs/OPERATIONS.md has the metric %s, docs/METRICS.md has not", m[1])
		}
	}
}
