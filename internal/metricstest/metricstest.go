// Package metricstest compares what programs export with what docs/METRICS.md says.
package metricstest

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var row = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (counter|gauge|histogram) \\| (.*?) \\|")

// Compare wants the tables of the file below heading, up to the next heading of its
// level, to name exactly the metrics that registry has, with type and labels, but for
// those of every program.
func Compare(t *testing.T, file, heading string, registry *prometheus.Registry) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", file, heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	section, _, _ = strings.Cut(section, "\n"+level+" ")
	var documented []string
	for _, match := range row.FindAllStringSubmatch(section, -1) {
		documented = append(documented, strings.Join(match[1:], " | "))
	}
	exported := exportedBy(t, registry)
	slices.Sort(documented)
	slices.Sort(exported)
	if !slices.Equal(documented, exported) {
		t.Errorf("%s and /metrics disagree:\n%s\n\n%s", file, strings.Join(documented, "\n"), strings.Join(exported, "\n"))
	}
}

// exportedBy lists the metrics as the table does: name, type, labels.
func exportedBy(t *testing.T, r *prometheus.Registry) (list []string) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "go_") || strings.HasPrefix(f.GetName(), "process_") || f.GetName() == "lancre_build_info" {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		list = append(list, strings.Join([]string{f.GetName(), strings.ToLower(f.GetType().String()),
			cmp.Or(strings.Join(labels, ", "), "–")}, " | "))
	}
	return list
}
