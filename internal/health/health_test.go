package health

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAsk(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   string // of the error; "" for generation 7
	}{
		{200, `{"ok":true,"generation":7}`, ""},
		{503, `{"ok":false,"reason":"stopping","generation":7}`, "/readyz: 503 Service Unavailable: stopping"},
		{502, `<html>`, "/readyz: 502 Bad Gateway: no reason is given"},
		{302, ``, "/readyz: 302 Found: "},
		{200, `<html>`, "/readyz: 200 OK, and no report: "},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != "POST" || r.URL.Path != "/readyz" {
				t.Errorf("%s %s", r.Method, r.URL)
			}
			w.Header().Set("Location", "http://192.0.2.1/")
			w.WriteHeader(test.status)
			fmt.Fprint(w, test.body)
		}))
		generation, err := Ask(t.Context(), "POST", server.URL+"/", "/readyz")
		switch {
		case test.want == "" && (err != nil || generation != 7):
			t.Errorf("%d %s: %d, %v", test.status, test.body, generation, err)
		case test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), server.URL+test.want)):
			t.Errorf("%d %s: %v, want %s", test.status, test.body, err, test.want)
		}
		server.Close()
	}
	if _, err := Ask(t.Context(), "GET", "http://127.0.0.1:0", "/readyz"); err == nil {
		t.Error("nobody answers, and all is well")
	}
}
