package server

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

func TestAppendDate(t *testing.T) {
	check := func(unix int64) {
		t.Helper()
		got, want := string(appendDate(nil, unix)), time.Unix(unix, 0).UTC().Format(http.TimeFormat)
		if got != want {
			t.Fatalf("%d is %q, want %q", unix, got, want)
		}
	}
	for _, unix := range []int64{0, 1, 59, 784111777, 951782399, 951782400, 1<<32 - 1, 253402300799} {
		check(unix)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		check(r.Int64N(1 << 33))
	}
}
