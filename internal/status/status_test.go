package status

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a stranger wrote is text on the page and in JSON, and neither loads anything.
func TestNothingRuns(t *testing.T) {
	const evil = "<script>x()</script>\x1b[2J\u202e\nok"
	p := &Page{
		Program: "lancred", Version: evil, Host: evil, At: time.Unix(0, 0),
		Problems: []Problem{{evil, evil, true}}, Facts: []Fact{{evil, evil}}, Stack: []Layer{{evil, evil, 1, 1, evil}},
		Tables: []Table{{evil, []string{evil}, [][]string{{evil}}}}, Charts: []Chart{{evil, []uint64{1, 2}}},
	}
	w := httptest.NewRecorder()
	HTML(func() *Page { return p })(w, httptest.NewRequest("GET", "/", nil))
	html := w.Body.String()
	for _, bad := range []string{"<script", "\x1b", "\u202e", "src=", "http://", "https://"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; ") {
		t.Errorf("policy is %q", got)
	}
	w = httptest.NewRecorder()
	JSON(func() *Page { return p })(w, httptest.NewRequest("GET", "/status.json", nil))
	if s := w.Body.String(); strings.ContainsAny(s, "\x1b\u202e") {
		t.Errorf("JSON is %q", s)
	}
	var back Page
	if err := json.Unmarshal(w.Body.Bytes(), &back); err != nil || back.Problems[0].What != evil {
		t.Errorf("%v, problems %v", err, back.Problems)
	}
}

func TestWhatIsWrongIsAtTheTop(t *testing.T) {
	show := func(p Page) string {
		w := httptest.NewRecorder()
		HTML(func() *Page { return &p })(w, httptest.NewRequest("GET", "/", nil))
		return w.Body.String()
	}
	if got := show(Page{Program: "x"}); !strings.Contains(got, "Nothing is wrong.") {
		t.Error(got)
	}
	got := show(Page{Program: "x", Problems: []Problem{{"it burns", "put it out", true}}, Facts: []Fact{{"weather", "fine"}}})
	if i, j := strings.Index(got, "it burns"), strings.Index(got, "weather"); i < 0 || i > j || strings.Contains(got, "Nothing is wrong") {
		t.Error(got)
	}
}

// A ring tells of the last hour what a list of all minutes would.
func TestRing(t *testing.T) {
	var r Ring
	if got := r.Of(0, 7); got != nil {
		t.Errorf("before it began: %v", got)
	}
	var all []uint64
	total := uint64(5)
	r.Tick([]uint64{total, 1})
	for minute := range uint64(3*Minutes + 7) {
		const begun = 3
		want := slices.Concat(all, []uint64{begun})
		want = want[max(0, len(want)-Minutes):]
		if got := r.Of(0, total+begun); !slices.Equal(got, want) {
			t.Fatalf("after %d minutes\ngot  %v\nwant %v", minute, got, want)
		}
		all = append(all, minute%11)
		total += minute % 11
		r.Tick([]uint64{total, 1})
	}
	if got := sum(Chart{Minutes: r.Of(1, 1)}); got != 0 {
		t.Errorf("what does not grow has %d", got)
	}
}

func TestSpark(t *testing.T) {
	got := string(spark(Chart{Minutes: []uint64{0, 1, 1000}}))
	for _, want := range []string{`aria-label="1000 at most in a minute"`, `<rect x="232" y="27" width="3" height="1"/>`, `<rect x="236" y="0" width="3" height="28"/></svg>`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	if got := strings.Count(got, "<rect"); got != 2 {
		t.Errorf("%d bars, want 2", got)
	}
}
