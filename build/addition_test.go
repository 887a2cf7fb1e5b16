package build

import (
	"strings"
	"testing"

	"lancre/index"
)

// An addition that says too little, or two things at once, is refused before anything is
// opened. What concerns files alone needs no issuer.
func TestAdditionIsChecked(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Addition)
		want   string // in the error; "" for none
	}{
		{"nothing", func(a *Addition) {}, "nothing to add"},
		{"responses", func(a *Addition) { a.Responses = []string{"r"} }, ""},
		{"files without an issuer", func(a *Addition) { a.Static, a.Issuers = []string{"s"}, nil }, ""},
		{"a file to go, without an issuer", func(a *Addition) { a.Unpublish, a.Issuers = []string{"c.example/1.crl"}, nil }, ""},
		{"no host", func(a *Addition) { a.Unpublish = []string{"/1.crl"} }, "--unpublish /1.crl: want HOST/PATH"},
		{"no path", func(a *Addition) { a.Unpublish = []string{"c.example"} }, "--unpublish c.example: want HOST/PATH"},
		{"the shortest host", func(a *Addition) { a.Unpublish = []string{"_/"} }, ""},
		{"certificates", func(a *Addition) { a.Withdraw = "w" }, ""},
		{"certificates of nobody", func(a *Addition) { a.Withdraw, a.Issuers = "w", nil }, "those of an issuer"},
		{"shards", func(a *Addition) { a.Replace, a.Responses = []index.Shard{index.Everything}, []string{"r"} }, ""},
		{"shards of files", func(a *Addition) { a.Replace, a.Static = []index.Shard{index.Everything}, []string{"s"} }, "shards are replaced"},
		{"shards, and certificates", func(a *Addition) {
			a.Replace, a.Responses, a.Withdraw = []index.Shard{index.Everything}, []string{"r"}, "w"
		}, "nothing is withdrawn"},
	} {
		a := Addition{Config: DefaultConfig()}
		a.Out, a.Issuers = "store", []string{"ca.pem"}
		test.change(&a)
		if err := a.Check(); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// Who publishes is as before, unless the addition says who.
func TestAddSaysWhoPublishes(t *testing.T) {
	w := newWorld(t)
	w.done(w.build(func(c *Config) { c.Origin = "ocsp.example" }, good))
	for i, test := range []struct{ origin, want string }{{"", "ocsp.example"}, {"another.example", "another.example"}, {"", "another.example"}} {
		r := w.done(w.add(func(a *Addition) { a.Origin = test.origin }, later(good, 1+i)))
		if got := published(t, r).Manifest().Origin; got != test.want || r.Origin != test.want {
			t.Errorf("with origin %q it is %s, the report says %s; want %s", test.origin, got, r.Origin, test.want)
		}
	}
}
