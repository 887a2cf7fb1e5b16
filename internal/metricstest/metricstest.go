// Package metricstest compares what a document says of metrics with those that there are.
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

// Documented fails the test unless the tables in a file name exactly the metrics of the
// registry, with type and labels. The runtime's own are not ours to describe. It returns
// the text of the file.
func Documented(t *testing.T, file string, r *prometheus.Registry) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, strings.Join(m[1:], " | "))
	}
	there := exported(t, r)
	slices.Sort(documented)
	slices.Sort(there)
	if !slices.Equal(documented, there) {
		t.Errorf("%s and /metrics disagree:\n%s\n\n%s", file, strings.Join(documented, "\n"), strings.Join(there, "\n"))
	}
	return string(text)
}

// exported lists the metrics as the table does: name, type, labels.
func exported(t *testing.T, r *prometheus.Registry) (list []string) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "go_") || strings.HasPrefix(f.GetName(), "process_") {
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
