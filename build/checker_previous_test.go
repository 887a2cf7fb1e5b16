package build

import (
	"strings"
	"testing"

	"lancre/build/internal/recipe"
	"lancre/index"
)

// A revocation in the second in which the good response was produced is held back,
// once, and the operator is told both ways out. Each of them works.
func TestRevocationInTheSameSecond(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	good, revoked := bundle(ca, index.Good), bundle(ca, index.Revoked)
	later := revoked
	later.ProducedAt = recipe.Now.Add(-recipe.Hour + recipe.Second)
	for name, tt := range map[string]struct {
		now   recipe.Response
		force []string
		want  string // what the rejection says; "" if there is none
	}{
		"as it is": {revoked, nil, "serial 01: certStatus is revoked; in the previous generation, with the same thisUpdate 2026-11-20T11:00:00Z and producedAt 2026-11-20T11:00:00Z, it was good: " +
			"clients and caches cannot tell which came later; have it signed again with a later producedAt [ocsp.previous-conflict] (to publish it all the same: --force ocsp.previous-conflict)"},
		"forced":       {revoked, []string{"ocsp.previous-conflict"}, ""},
		"signed again": {later, nil, ""},
	} {
		c := Config{Out: t.TempDir(), Responses: []string{recipe.File(t, "before", good.DER(t))}}
		if _, err := run(t, ca, c); err != nil {
			t.Fatal(err)
		}
		c.Responses, c.Force = []string{recipe.File(t, "now", tt.now.DER(t))}, tt.force
		_, err := run(t, ca, c)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: error %v, want %q in it", name, err, tt.want)
		}
	}
}
