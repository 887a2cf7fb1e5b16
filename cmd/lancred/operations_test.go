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

// docs/OPERATIONS.md explains exactly the messages that lancred logs, with their levels,
// and docs/FLEET.md those of what runs beside it.
func TestWhatIsLoggedIsDocumented(t *testing.T) {
	compareLogs(t, "../../docs/OPERATIONS.md", ".", "../../server", "../../internal/service", "../../internal/admin", "../lancre", "../../origin")
	compareLogs(t, "../../docs/FLEET.md", "../../fleet/pull", "../../fleet/announce")
}

// compareLogs wants a page to explain exactly what is logged by the code in dirs.
func compareLogs(t *testing.T, page string, dirs ...string) {
	t.Helper()
	text, err := os.ReadFile(page)
	check(t, err)
	var logged, documented []string
	for _, m := range logRow.FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[2]+" "+m[1])
	}
	for _, dir := range dirs {
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
		t.Errorf("logged:\n%s\n\nin %s:\n%s", strings.Join(logged, "\n"), page, strings.Join(documented, "\n"))
	}
}

// No alarm is raised on a metric that METRICS.md does not have.
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
