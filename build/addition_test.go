package build

import (
	"strings"
	"testing"
	"time"

	"lancre/build/held"
	"lancre/build/internal/recipe"
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

// meanwhile has something else published while an addition is being prepared.
func (w *world) meanwhile(other func()) func(*Addition) {
	at := w.now
	return func(a *Addition) {
		a.Progress = func(Progress) {
			if other != nil {
				w.now = at // another host began at the same time
				other()
				other = nil
			}
		}
	}
}

// What is added stands if it is newer than what was published while it was prepared, and
// takes no revocation back; by force it stands all the same.
func TestAddBesideOthers(t *testing.T) {

	for _, test := range []struct {
		name      string
		adds      recipe.Response
		came      []recipe.Response // in another addition; nil for a build that lacks it
		force     string
		want      string
		minute    int // of thisUpdate
		overtaken uint64
	}{
		{"another certificate", later(good, 1), []recipe.Response{later(other, 5)}, "", "01 good", 1, 0},
		{"older", later(good, 2), []recipe.Response{later(good, 1)}, "", "01 good", 2, 0},
		{"newer", later(good, 1), []recipe.Response{later(good, 2)}, "", "01 good", 2, 1},
		{"newer, by force", later(good, 1), []recipe.Response{later(good, 2)}, "ocsp.previous-newer", "01 good", 1, 0},
		{"a newer revocation", later(good, 1), []recipe.Response{later(revoked, 2)}, "", "01 revoked", 2, 1},
		{"an older revocation", later(good, 2), []recipe.Response{later(revoked, 1)}, "", "01 revoked", 1, 1},
		{"an older revocation, by force", later(good, 2), []recipe.Response{later(revoked, 1)}, "ocsp.previous-revoked", "01 good", 2, 0},
		{"an older revocation, by another force", later(good, 2), []recipe.Response{later(revoked, 1)}, "ocsp.previous-newer", "01 revoked", 1, 1},
		{"an older revocation, of what is revoked", later(revoked, 2), []recipe.Response{later(revoked, 1)}, "", "01 revoked", 2, 0},
		{"it is there no more", later(good, 1), nil, "", "01 good", 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.done(w.build(nil, good, other))
			beside := w.meanwhile(func() {
				if test.came == nil {
					w.done(w.build(func(c *Config) { c.MaxShrink = 100 }, later(other, 1)))
				} else {
					w.done(w.add(nil, test.came...))
				}
			})
			r := w.done(w.add(func(a *Addition) {
				beside(a)
				if test.force != "" {
					a.Force = []string{test.force}
				}
			}, test.adds))
			w.says(test.want)
			rec, _, err := lookUp(t, w, "\x01")
			if want := recipe.Now.Add(-recipe.Hour).Add(time.Duration(test.minute) * time.Minute).Unix(); err != nil || rec.ThisUpdate() != want {
				t.Errorf("%v, thisUpdate %d, want %d", err, rec.ThisUpdate(), want)
			}
			if r.Responses.Overtaken != test.overtaken {
				t.Errorf("overtaken: %d, want %d", r.Responses.Overtaken, test.overtaken)
			}
		})
	}
}

// A file that others have changed while an addition was being prepared is theirs: who
// changes it too is to look again.
func TestAddFilesBesideOthers(t *testing.T) {
	w := newWorld(t)
	text := func(content string) func(*Addition) {
		return func(a *Addition) {
			a.Static = []string{recipe.Dir(t, map[string][]byte{"_/robots.txt": []byte(content)})}
		}
	}
	w.done(w.build(nil, good))
	beside := w.meanwhile(func() { w.done(w.add(text("theirs\n"))) })
	_, err := w.add(func(a *Addition) {
		beside(a)
		text("ours\n")(a)
	}, later(good, 1))
	if err == nil || !strings.Contains(err.Error(), "_/robots.txt: the store was changed meanwhile") {
		t.Errorf("%v, want that the store was changed", err)
	}
	beside = w.meanwhile(func() { w.done(w.add(text("again\n"))) })
	r := w.done(w.add(beside, later(good, 1)))
	m := published(t, r)
	if files := m.Files(); len(files) != 1 || string(files[0].Body) != "again\n" {
		t.Errorf("files %v, want theirs", files)
	}
}

// A build, too, puts aside what breaks a check that is held: the certificate is answered
// as before, and the rest is published.
func TestBuildHolds(t *testing.T) {
	w := newWorld(t)
	w.done(w.build(nil, revoked, other))
	hold := func(c *Config) { c.Hold = []string{"ocsp.previous-revoked"} }
	r := w.done(w.build(hold, later(good, 1), later(other, 1)))
	if n := r.Responses; n.Held != 1 || n.Published != 1 || published(t, r).Manifest().Held != 1 {
		t.Errorf("%+v, the manifest says %d held; want one held, one published", n, published(t, r).Manifest().Held)
	}
	w.says("01 revoked", "02 good")
	box, err := held.Open(w.dir)
	if err != nil || box.Len() != 1 {
		t.Fatalf("%v, %d held", err, box.Len())
	}
	r = w.done(w.build(func(c *Config) { c.Force = []string{"ocsp.previous-revoked"} }, later(other, 2)))
	if box, err = held.Open(w.dir); err != nil || box.Len() != 0 || r.Responses.Published != 2 {
		t.Errorf("%v, %d held still, %+v; want what was held published", err, box.Len(), r.Responses)
	}
	w.says("01 good", "02 good")
}
