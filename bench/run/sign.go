package main

import (
	"bytes"
	"context"
	"maps"
)

// A signed is how fast lancre sign is, and how much memory it takes.
type signed struct {
	Records    uint64               `json:"records"` // of the lists whose memory was looked at
	Benchmarks map[string]benchmark `json:"benchmarks"`
}

func (r *runner) measureSign(ctx context.Context) error {
	s := signed{r.many, make(map[string]benchmark)}
	for _, suite := range []suite{
		{module: ".", pkg: "./bench", pattern: "^BenchmarkSign$|SignPeers|SignCRL", args: r.signs},
		{module: ".", pkg: "./bench", pattern: "SignList", args: []string{"-count=1", "-benchtime=1x"}},
		{module: ".", pkg: "./sign/ocsp", pattern: "Construction", args: r.bench},
		{module: ".", pkg: "./sign/crl", pattern: "Million", args: r.signs},
		{module: ".", pkg: "./cmd/lancre-pkcs11", pattern: "SoftHSM", args: r.signs},
	} {
		out, err := r.runSuite(ctx, suite, r.many)
		if err != nil {
			return err
		}
		maps.Copy(s.Benchmarks, parseBenchmarks(bytes.NewReader(out)))
	}
	r.results.Signed = s
	t := newTable("signed by", "responses/s", "to the key alone")
	for _, key := range []string{"p256", "rsa2048"} {
		t.row(key, s.Of("Sign/"+key, "responses/s"), s.Of("Sign/"+key, "x/raw"))
	}
	for _, key := range []string{"P-256", "RSA"} {
		t.row("SoftHSM, "+key, s.HSM(key, "signatures/s"), s.HSM(key, "x/raw"))
	}
	t.row("cfssl ocsprefresh, a core", s.Of("SignPeers", "cfssl/core-s"), s.Of("SignPeers", "x/cfssl"))
	t.row("openssl ocsp, a core", s.Of("SignPeers", "openssl/core-s"), s.Of("SignPeers", "x/openssl"))
	return t.Flush()
}

// Of is a figure of a benchmark.
func (s signed) Of(benchmark, unit string) spread { return s.Benchmarks[benchmark][unit] }

// MB is a figure in octets.
func (s signed) MB(benchmark string) spread { return s.Of(benchmark, "anon-B").times(1e-6) }

// HSM is a figure of SoftHSM where it is asked for as many signatures at a time as lancre sign
// asks for.
func (s signed) HSM(key, unit string) spread { return s.Of("SoftHSM/"+key+"/128", unit) }

// Seconds is how long something takes.
func (s signed) Seconds(benchmark string) spread { return s.Of(benchmark, "ns/op").times(1e-9) }

// Constructed is how many million responses a core makes in a second, without signatures.
func (s signed) Constructed() spread {
	ns := s.Of("Construction", "ns/op")
	if ns.Count == 0 {
		return ns
	}
	return spread{1e3 / ns.Median, 1e3 / ns.Max, 1e3 / ns.Min, ns.Count}
}
