package build

import (
	"testing"

	"lancre/build/internal/recipe"
)

// A CRL that has expired since it was published does not hold back the others; one that
// was not published before does.
func TestExpiredCRLsThatArePublishedAlready(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	crl := func(uri string, change func(*recipe.CRL)) []byte {
		r := recipe.CRL{Issuer: ca, Point: &recipe.CRLPoint{URIs: []string{uri}}}
		change(&r)
		return r.DER(t)
	}
	const one, two = "http://c.example/1.crl", "http://c.example/2.crl"
	ends := func(r *recipe.CRL) { r.NextUpdate = recipe.Now.Add(recipe.Hour) }
	again := func(r *recipe.CRL) { r.NextUpdate, r.Number = recipe.Now.Add(recipe.Hour+recipe.Second), []byte{8} }
	old := map[string][]byte{"c.example/1.crl": crl(one, ends), "c.example/2.crl": crl(two, ends)}
	renewed := func(r *recipe.CRL) { r.Number = []byte{8} }
	next := crl(two, renewed)
	for _, tt := range []struct {
		name   string
		files  map[string][]byte
		error  []string
		still  uint64 // warnings of crl.time-expired-still
		reject string
	}{
		{"one of two", map[string][]byte{"c.example/1.crl": old["c.example/1.crl"], "c.example/2.crl": next}, nil, 1, ""},
		{"both", old, nil, 2, ""},
		{"both, as an error", old, []string{"crl.time-expired-still"}, 0, "crl.time-expired-still"},
		{"a new one, expired too", map[string][]byte{"c.example/1.crl": crl(one, again), "c.example/2.crl": next}, nil, 0, "crl.time-expired"},
		{"one more, expired", map[string][]byte{"c.example/1.crl": old["c.example/1.crl"], "c.example/2.crl": next, "c.example/3.crl": crl("http://c.example/3.crl", ends)}, nil, 1, "crl.time-expired"},
		{"none", map[string][]byte{"c.example/1.crl": crl(one, renewed), "c.example/2.crl": next}, nil, 0, ""},
	} {
		out := t.TempDir()
		if _, err := run(t, ca, Config{Out: out, Static: []string{recipe.Dir(t, old)}}); err != nil {
			t.Fatal(err)
		}
		report, err := run(t, ca, Config{Out: out, Static: []string{recipe.Dir(t, tt.files)}, At: recipe.Now.Add(2 * recipe.Hour), Error: tt.error})
		var still uint64
		for _, w := range report.Warnings {
			if w.Check == "crl.time-expired-still" {
				still = w.Count
			}
		}
		rejected := ""
		if len(report.Rejections) > 0 {
			rejected = report.Rejections[0].Check
		}
		if rejected != tt.reject || (err == nil) != (rejected == "") || still != tt.still {
			t.Errorf("%s: rejected by %q (%v), %d warnings; want %q, %d", tt.name, rejected, err, still, tt.reject, tt.still)
		}
	}
}
