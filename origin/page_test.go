package origin

import (
	"strings"
	"testing"
)

// What is wrong comes first what is worst, each with what to do.
func TestProblemsOfStatus(t *testing.T) {
	s := &Status{
		Reason: "disk full", Held: 2,
		Sources: []SourceStatus{{Name: "ca"}, {Name: "db", Failure: "refused", Failures: 3}},
		Targets: []TargetStatus{{TaskStatus: TaskStatus{Name: "a"}, To: "s3://a/b"}, {TaskStatus: TaskStatus{"c", "403", 2}, To: "s3://c/d"}},
		Upkeep:  []TaskStatus{{Name: "heartbeat"}, {Name: "merge", Failure: "no room", Failures: 1}},
	}
	want := []string{"Nothing can be published: disk full", "Source db failed 3 times in a row: refused",
		"Edges get nothing new from s3://c/d: publishing there failed 2 times in a row: 403", "merge failed 1 times in a row: no room", "2 responses are put aside"}
	var got []string
	for _, p := range problems(s) {
		got = append(got, p.What)
		if p.Remedy == "" {
			t.Errorf("no remedy for %s", p.What)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if list := problems(&Status{}); list == nil || len(list) != 0 {
		t.Errorf("of nothing: %v", list)
	}
}
