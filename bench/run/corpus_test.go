package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	inputs "lancre/bench/corpus"
	"lancre/bench/traffic"
	"lancre/build/demo"
	"lancre/index"
	edge "lancre/server" // server is what is compared here
)

func testCorpus(t *testing.T, n uint64) *corpus {
	t.Helper()
	r := &runner{dir: t.TempDir()}
	c, err := r.makeCorpus(t.Context(), "test", demo.Options{Unsigned: true}, n)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every exchange asks for the certificate that its response is for, by each
// method.
func TestExchangesBelongTogether(t *testing.T) {
	c := testCorpus(t, 100)
	sampled := c.sample(10)
	bodies, err := c.bodies(sampled)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range methods {
		list := c.exchanges(m, sampled, bodies)
		if len(list) != 10 {
			t.Fatalf("%s: %d exchanges, want 10", m, len(list))
		}
		for _, e := range list {
			var r index.Response
			if err := r.Parse(e.Bodies[0]); err != nil {
				t.Fatal(err)
			}
			var q edge.Request
			if !q.Parse(requested(t, &e)) {
				t.Fatalf("%s: %q is no OCSP request", m, e.Request)
			}
			if got, want := q.CertIDs()[0], r.Singles[0].CertID; !got.Equal(&want) {
				t.Errorf("%s asks for %s and expects the response for %s", m, &got, &want)
			}
		}
	}
}

// requested is the DER that an exchange sends.
func requested(t *testing.T, e *traffic.Exchange) []byte {
	t.Helper()
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(e.Request)))
	if err != nil {
		t.Fatal(err)
	}
	der, err := io.ReadAll(req.Body)
	if req.Method == http.MethodGet {
		der, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(req.URL.Path, "/"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestSample(t *testing.T) {
	for _, c := range []struct {
		n     uint64
		asked int
		want  []uint64
	}{{10, 3, []uint64{0, 3, 6}}, {3, 10, []uint64{0, 1, 2}}, {4, 4, []uint64{0, 1, 2, 3}}} {
		if got := (&corpus{&inputs.Corpus{N: c.n}}).sample(c.asked); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%d of %d: %v, want %v", c.asked, c.n, got, c.want)
		}
	}
}

func TestBodiesRefusesWhatIsNoResponse(t *testing.T) {
	c := testCorpus(t, 3)
	if err := os.WriteFile(c.Responses, []byte("no response"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := c.bodies(c.sample(1)); err == nil {
		t.Error("no error")
	}
}

func TestInstallMayRepeat(t *testing.T) {
	c := &corpus{&inputs.Corpus{Dir: t.TempDir()}}
	if err := os.Mkdir(c.store(), 0o755); err != nil {
		t.Fatal(err)
	}
	for n, text := range []string{"", "one", "two"} {
		if err := os.WriteFile(c.manifest(n), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		number int
		want   string
	}{{1, "one"}, {1, "one"}, {2, "two"}, {1, "one"}} {
		if err := c.install(step.number); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(c.store(), "manifest")); string(got) != step.want || err != nil {
			t.Errorf("generation %d: %q, %v", step.number, got, err)
		}
	}
}

// Seconds before the new manifest are quiet, but for the first; those in which
// the swap went on are not; what comes after counts for neither.
func TestSplitTellsSwapFromQuiet(t *testing.T) {
	begin := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	run := sample{Result: traffic.Result{Begin: begin, Seconds: 6}}
	for _, p999 := range []float64{900, 10, 20, 70, 50, 800, 1000} {
		run.Windows = append(run.Windows, traffic.Window{Latency: traffic.Latency{P999: p999}})
	}
	var s swapped
	s.split(&run, begin.Add(3500*time.Millisecond), begin.Add(4100*time.Millisecond))
	if s.Quiet != 15 || s.During != 70 {
		t.Errorf("quiet %v, during %v, want 15 and 70", s.Quiet, s.During)
	}
}
