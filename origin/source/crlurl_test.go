package source

import (
	"net/http"
	"testing"
)

// A CRL that was made in the second in which it was fetched is asked for in full.
func TestLastModifiedIsHeededOnceItIsSettled(t *testing.T) {
	const (
		first = "Sun, 01 Mar 2026 12:00:00 GMT"
		next  = "Sun, 01 Mar 2026 12:00:01 GMT"
	)
	for _, c := range []struct{ modified, date, want string }{
		{first, next, first},
		{first, first, ""},
		{next, first, ""}, // by a clock that is behind
		{first, "", ""},
		{"", next, ""},
	} {
		h := http.Header{"Last-Modified": {c.modified}, "Date": {c.date}}
		if got := settled(h); got != c.want {
			t.Errorf("modified %q, answered %q: %q is taken, want %q", c.modified, c.date, got, c.want)
		}
	}
}
