package admin

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

// What net/http says of the admin address is a line like all others.
func TestErrorsAreLogged(t *testing.T) {
	var log bytes.Buffer
	s := NewServer(nil, slog.New(slog.NewTextHandler(&log, nil)))
	s.ErrorLog.Printf("http: Accept error: %s; retrying in 5ms\n", "too many open files")
	if got, want := log.String(), `level=ERROR msg="the admin address failed" err="http: Accept error: too many open files; retrying in 5ms"`; !strings.Contains(got, want) {
		t.Errorf("log is %s, want %s", got, want)
	}
}

func TestMetricsOfEveryProgram(t *testing.T) {
	w := httptest.NewRecorder()
	NewMux(NewRegistry()).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{"\nlancre_build_info{goversion=\"go", "\ngo_goroutines ", "\nprocess_open_fds "} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no line begins with %q in\n%s", want[1:], w.Body)
		}
	}
}
