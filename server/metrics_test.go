package server

import (
	"crypto"
	"fmt"
	"strings"
	"testing"

	"lancre/internal/metricstest"
)

func TestMetrics(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	request := ask("05", crypto.SHA1)
	e.get(t, target(request))
	e.get(t, target(request), "If-None-Match: *")
	e.post(t, request)
	e.post(t, request)
	e.post(t, nil)
	e.get(t, "/MFEw!")
	e.post(t, ask("05", crypto.SHA512))
	e.post(t, ask("99", crypto.SHA1))
	e.post(t, unhexString(t, plain(der(seq, reqFor("05")), extensions(context2, extension(der(oid, nonceOID), der(octets))))))
	e.send(t, "PUT / HTTP/1.1\r\nHost: x\r\n\r\n")
	e.send(t, "junk\r\n\r\n")
	wantAdmin(t, e, "GET", "/readyz", 200, "") // counts nowhere

	_, text := e.admin("GET", "/metrics")
	for _, want := range []string{
		`ocsp_responses{type="Success"} 3`,
		`ocsp_responses{type="NotModified"} 1`,
		`ocsp_responses{type="Malformed"} 2`,
		`ocsp_responses{type="Unauthorized"} 3`,
		`ocsp_responses{type="TryLater"} 0`,
		`ocsp_nonces_total 1`,
		`ocsp_malformed_requests_total{reason="empty"} 1`,
		`ocsp_malformed_requests_total{reason="base64"} 1`,
		`ocsp_request_hashes_total{algorithm="sha1"} 6`,
		`ocsp_request_hashes_total{algorithm="sha512"} 1`,
		`ocsp_request_hashes_total{algorithm="unknown"} 0`,
		`ocsp_request_sizes_bucket{le="1"} 0`,
		`ocsp_request_sizes_bucket{le="100"} 6`,
		`ocsp_request_sizes_bucket{le="200"} 7`,
		`ocsp_request_sizes_bucket{le="+Inf"} 7`,
		`ocsp_response_ages_bucket{le="0"} 0`,
		`ocsp_response_ages_bucket{le="43200"} 3`,
		`ocsp_response_ages_sum 10800`,
		`ocsp_response_ages_count 3`,
		`lancred_requests_total{method="GET",outcome="served",status="200"} 1`,
		`lancred_requests_total{method="GET",outcome="not_modified",status="304"} 1`,
		`lancred_requests_total{method="GET",outcome="malformed",status="400"} 1`,
		`lancred_requests_total{method="POST",outcome="served",status="200"} 2`,
		`lancred_requests_total{method="POST",outcome="malformed",status="400"} 1`,
		`lancred_requests_total{method="other",outcome="method_not_allowed",status="405"} 1`,
		`lancred_reloads_total{result="swapped"} 1`,
		`lancred_reloads_total{result="refused"} 0`,
		`lancred_generation 1`,
		`lancred_manifest_age_seconds 3600`,
		`lancred_segments 1`,
		`lancred_ready 1`,
		`lancred_fresh 1`,
		`lancred_faults_total 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if !strings.Contains(text, `outcome="bad_http",status="400"} 1`) {
		t.Error("/metrics lacks the request that was no HTTP")
	}
}

// docs/METRICS.md names exactly the metrics there are, with type and labels.
// The runtime's own are not ours to describe.
func TestMetricsAreDocumented(t *testing.T) {
	e := newEdge(t, files()) // with a CRL, so that nothing is absent
	text := metricstest.Documented(t, "../docs/METRICS.md", e.metrics.registry)
	for _, row := range defaultOutcomes {
		if want := fmt.Sprintf("\n| `%s` | %d | ", row.name, row.status); !strings.Contains(text, want) {
			t.Errorf("docs/METRICS.md has no row %q", want[1:])
		}
	}
	for _, label := range defectLabels[sound+1:] {
		if want := "\n| `" + label + "` | "; !strings.Contains(text, want) {
			t.Errorf("docs/METRICS.md has no row %q", want[1:])
		}
	}
}

// Each value is in the first bucket whose bound is not below it.
func TestHistogram(t *testing.T) {
	h := newHistogram([]int64{0, 10, 20})
	for i, v := range []int64{0, 1, 10, 11, 20, 21, 1000} {
		h.observe(uint64(i), v)
	}
	for i, want := range []uint64{1, 2, 2, 2} {
		if got := h.counts[i].sum(); got != want {
			t.Errorf("bucket %d holds %d, want %d", i, got, want)
		}
	}
	if got := h.total.sum(); got != 1063 {
		t.Errorf("the sum is %d, want 1063", got)
	}
}
