package build

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/build/certs"
	"lancre/build/held"
	"lancre/build/input"
	"lancre/build/internal/recipe"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
)

// A world is a store that builds and additions of one CA change, a minute after
// another.
type world struct {
	t   *testing.T
	ca  recipe.Identity
	dir string
	now time.Time
}

func newWorld(t *testing.T) *world {
	return &world{t: t, ca: recipe.NewCA(t, "CA", recipe.P256()), dir: t.TempDir(), now: recipe.Now}
}

// file writes responses of the world's CA, by SHA-1 unless they say otherwise.
func (w *world) file(list []recipe.Response) string {
	w.t.Helper()
	var ders [][]byte
	for _, r := range list {
		r.Issuer = w.ca
		ders = append(ders, r.DER(w.t))
	}
	return recipe.File(w.t, "responses", ders...)
}

// config is that of the next step, a minute later.
func (w *world) config() Config {
	c := DefaultConfig()
	w.now = w.now.Add(time.Minute)
	c.Out, c.At = w.dir, w.now
	c.Issuers = []string{recipe.File(w.t, "ca.der", w.ca.Cert.Raw)}
	c.Warn = []string{"ocsp.sha1-alone"}
	return c
}

func (w *world) build(change func(*Config), list ...recipe.Response) (*Report, error) {
	w.t.Helper()
	c := w.config()
	c.Responses = []string{w.file(list)}
	if change != nil {
		change(&c)
	}
	return Run(context.Background(), c)
}

func (w *world) add(change func(*Addition), list ...recipe.Response) (*Report, error) {
	w.t.Helper()
	a := Addition{Config: w.config()}
	if list != nil {
		a.Responses = []string{w.file(list)}
	}
	if change != nil {
		change(&a)
	}
	return Add(context.Background(), a)
}

// done fails the test unless a step published.
func (w *world) done(r *Report, err error) *Report {
	w.t.Helper()
	if err != nil || r.Generation == 0 {
		w.t.Fatalf("%v: %+v", err, r)
	}
	return w.sound(r)
}

// sound fails the test unless the store passes Verify.
func (w *world) sound(r *Report) *Report {
	w.t.Helper()
	if err := store.Verify(w.dir, nil, func(f *store.Fault) { w.t.Error(f) }); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// refused fails the test unless a step was rejected by that check and changed nothing.
func (w *world) refused(check string) func(*Report, error) {
	w.t.Helper()
	before := readFile(w.t, filepath.Join(w.dir, "manifest"))
	return func(r *Report, err error) {
		w.t.Helper()
		if err == nil || !strings.Contains(err.Error(), check) {
			w.t.Errorf("%v, want an error of %s", err, check)
		}
		if !slices.Equal(before, readFile(w.t, filepath.Join(w.dir, "manifest"))) {
			w.t.Error("the manifest was changed")
		}
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// says checks what the store answers for certificates, as "01 good".
func (w *world) says(want ...string) {
	w.t.Helper()
	for _, text := range want {
		serial, what, _ := strings.Cut(text, " ")
		n, _ := new(big.Int).SetString(serial, 16)
		if got := stored(w.t, &Report{Store: w.dir}, w.ca, string(n.Bytes())); got != what {
			w.t.Errorf("serial %s: %s, want %s", serial, got, what)
		}
	}
}

// later is r, signed so many minutes after what it is otherwise.
func later(r recipe.Response, minutes int) recipe.Response {
	return since(r, -recipe.Hour+time.Duration(minutes)*time.Minute)
}

// A batch is added like a file; where all of it is refused, that is told apart from what
// may pass, and what is said of the manifest is in the one that is published.
func TestAddBatch(t *testing.T) {
	w := newWorld(t)
	w.done(w.build(nil, good))
	batch := new(input.Batch)
	place := rule.Place{Source: "table", Row: 7}
	response := later(revoked, 1)
	response.Issuer = w.ca
	der := response.DER(t)
	_ = batch.Response(place, der) // it never fails
	batched := func(a *Addition) {
		a.Batch = batch
		a.Amend = func(next *store.Manifest) { next.Marks = []store.Mark{{Source: "table", Value: "7"}} }
	}
	r := w.done(w.add(batched))
	w.says("01 revoked")
	if m := recipe.Must(store.ReadManifest(w.dir)); len(m.Marks) != 1 || m.Marks[0].Value != "7" || m.Generation != r.Generation {
		t.Errorf("marks %v of generation %d, want one of 7 in %d", m.Marks, m.Generation, r.Generation)
	}
	batch = new(input.Batch)
	_ = batch.Response(place, der[:len(der)-1])
	r, err := w.add(batched)
	if _, refused := errors.AsType[*RefusedError](err); !refused || len(r.Rejections) != 1 || r.Rejections[0].Place != place {
		t.Errorf("%v: %+v; want that row 7 is refused", err, r.Rejections)
	}
}

// What is added answers, and all else stays.
func TestAdd(t *testing.T) {
	w := newWorld(t)
	w.done(w.build(nil, good, other))
	r := w.done(w.add(nil, later(revoked, 1), third))
	if n := r.Responses; n.Read != 2 || n.Published != 2 || n.Identical != 0 || r.Generation != uint64(r.At.Unix()) {
		t.Errorf("generation %d, %+v", r.Generation, n)
	}
	w.says("01 revoked", "02 good", "03 good")
	checkSummary(t, r, fmt.Sprint("generation ", r.Generation), "2 published")

	r, err := w.add(nil, later(revoked, 1), other, third)
	if err != nil || r.Generation != 0 || r.Responses.Identical != 3 {
		t.Errorf("the same again: generation %d, %+v, %v; want none", r.Generation, r.Responses, err)
	}
	checkSummary(t, r, "nothing, for nothing is new", "3 identical")

	g := published(t, &Report{Store: w.dir})
	if lines := g.Manifest().Segments; len(lines) != 2 || lines[0].Role != store.RoleDelta || lines[0].Records != 2 {
		t.Errorf("lines %+v, want a delta of two on a base", lines)
	}
}

// What is not newer than the answer, contradicts it or takes a revocation back is
// refused, one by one.
func TestAddRefuses(t *testing.T) {
	w := newWorld(t)
	conflict := later(good, 5)
	conflict.Status, conflict.Reason = index.Revoked, []byte{1}
	w.done(w.build(nil, later(good, 5), since(recipe.Response{Serials: []string{"\x02"}, Status: index.Revoked, Reason: []byte{1}}, -recipe.Hour), third))
	w.refused("ocsp.previous-newer")(w.add(nil, later(good, 4)))
	w.refused("ocsp.previous-conflict")(w.add(nil, conflict))
	w.refused("ocsp.previous-revoked")(w.add(nil, later(other, 9)))
	w.refused("ocsp.signature")(w.add(nil, recipe.Response{Serials: []string{"\x04"}, Spoil: true}))
	w.says("01 good", "02 revoked", "03 good", "04 nothing")

	r := w.done(w.add(func(a *Addition) { a.MaxRejects = 1 }, later(good, 4), later(third, 1)))
	if n := r.Responses; n.Rejected != 1 || n.Published != 1 {
		t.Errorf("%+v, want one rejected and one published", n)
	}
	w.done(w.add(func(a *Addition) { a.Force = []string{"ocsp.previous-revoked"} }, later(other, 9)))
	w.says("02 good")
	w.done(w.add(func(a *Addition) { a.Force = []string{"ocsp.previous-newer"} }, later(good, 4)))
	if rec, _, _ := lookUp(t, w, "\x01"); rec.ThisUpdate() != recipe.Now.Add(-recipe.Hour+4*time.Minute).Unix() {
		t.Errorf("thisUpdate %d, want that of the older response, which was forced", rec.ThisUpdate())
	}
}

// idOf is the CertID of a certificate by SHA-1.
func idOf(t testing.TB, ca recipe.Identity, serial string) index.CertID {
	return recipe.Must(certs.ID(ca.Cert, index.SHA1, []byte(serial)))
}

func lookUp(t *testing.T, w *world, serial string) (index.Record, bool, error) {
	id := idOf(t, w.ca, serial)
	return published(t, &Report{Store: w.dir}).Lookup(id.Key(), &id)
}

// Nothing can be added before there is something, nor in the past.
func TestAddToWhat(t *testing.T) {
	w := newWorld(t)
	if _, err := w.add(nil, good); err == nil || !strings.Contains(err.Error(), "lancre build") {
		t.Errorf("%v, want an error that names lancre build", err)
	}
	if entries, _ := os.ReadDir(w.dir); len(entries) > 0 {
		t.Errorf("the directory has %v, want nothing", entries)
	}
	w.done(w.build(nil, good))
	w.refused("build.clock")(w.add(func(a *Addition) { a.At = recipe.Now.Add(-time.Hour) }, other))
}

// A certificate that was withdrawn is answered tryLater, and what was said of it is not
// forgotten.
func TestWithdraw(t *testing.T) {
	w := newWorld(t)
	withdraw := func(text string) func(*Addition) {
		return func(a *Addition) { a.Withdraw = recipe.File(t, "withdraw.csv", []byte(text)) }
	}
	w.done(w.build(nil, later(good, 5), later(recipe.Response{Serials: []string{"\x02"}, Status: index.Revoked, Reason: []byte{1}}, 5), third))
	w.refused("line 3: nothing is answered for serial 09 of CN=CA")(w.add(withdraw("serial\n01\n9\n")))
	w.refused(`header ["number"]: want the column serial`)(w.add(withdraw("number\n01\n")))
	w.refused(`line 2: issuer "CN=Other"`)(w.add(withdraw("serial,issuer\n01,CN=Other\n")))
	w.refused("serial 01 is to be withdrawn by ")(w.add(withdraw("serial\n01\n"), later(good, 6)))
	w.done(w.add(withdraw("serial,issuer\n01,CN=CA\n02,\n")))
	w.says("01 tombstone", "02 tombstone", "03 good")
	if r, err := w.add(withdraw("serial\n01\n")); err != nil || r.Generation != 0 {
		t.Errorf("withdrawn again: %v, generation %d; want none", err, r.Generation)
	}

	w.refused("ocsp.previous-newer")(w.add(nil, later(good, 5)))
	w.refused("ocsp.previous-newer")(w.add(nil, later(good, 4)))
	w.refused("ocsp.previous-revoked")(w.add(nil, later(other, 9)))
	w.done(w.add(func(a *Addition) { a.Force = []string{"ocsp.previous-newer"} }, later(good, 4)))
	w.says("01 good", "02 tombstone")
	_, err := store.Merge(w.dir, store.MergePolicy{IntoBase: true}, w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.sound(nil)
	w.says("01 good", "02 tombstone", "03 good")
	w.refused("ocsp.previous-revoked")(w.add(nil, later(other, 9)))
}

// A build of an input that was taken before additions leaves these standing, and what
// was said of revoked certificates.
func TestBuildKeepsWhatCame(t *testing.T) {
	revoked2 := recipe.Response{Serials: []string{"\x02"}, Status: index.Revoked, Reason: []byte{1}}
	fourth := recipe.Response{Serials: []string{"\x04"}}
	for _, tt := range []struct {
		name   string
		change func(*Config, time.Time) // and when the additions began
		err    string
		want   []string
	}{
		{"taken before", func(c *Config, t time.Time) { c.AsOf = t }, "", []string{"01 revoked", "02 tombstone", "03 good", "04 good"}},
		{"taken now", nil, "ocsp.previous-newer", nil},
		{"taken now, by force", func(c *Config, _ time.Time) { c.Force = []string{"ocsp.previous-newer", "ocsp.previous-revoked"} }, "", []string{"01 good", "02 tombstone", "03 good", "04 nothing"}},
		{"all replaced", func(c *Config, t time.Time) {
			c.ReplaceAll, c.Force = true, []string{"ocsp.previous-newer", "ocsp.previous-revoked"}
		}, "", []string{"01 good", "02 nothing", "03 good", "04 nothing"}},
		{"revocations forgotten", func(c *Config, t time.Time) { c.AsOf, c.Forget = t, true }, "", []string{"01 revoked", "02 nothing", "03 good", "04 good"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.done(w.build(nil, good, revoked2, third))
			taken := w.now
			w.done(w.add(nil, later(revoked, 2)))
			w.done(w.add(nil, fourth))
			change := func(c *Config) {
				c.MaxShrink = 100
				if tt.change != nil {
					tt.change(c, taken)
				}
			}
			if tt.err != "" {
				w.refused(tt.err)(w.build(change, good, third))
				return
			}
			w.done(w.build(change, good, third))
			w.says(tt.want...)
		})
	}
}

// Shards are replaced whole: what the input lacks of them goes, with the checks of a
// build; others stay.
func TestAddReplacesShards(t *testing.T) {
	w := newWorld(t)
	var all []recipe.Response
	for i := range 40 {
		all = append(all, recipe.Response{Serials: []string{recipe.Serial(i)}})
	}
	w.done(w.build(func(c *Config) { c.Shards = 4 }, all...))
	shard := index.Shard{Index: 2, Of: 4}
	inside := func(i int) bool {
		id := idOf(t, w.ca, recipe.Serial(i))
		return shard.Covers(id.SerialHash())
	}
	var now []recipe.Response
	gone := -1
	for i := range 40 {
		if gone < 0 && inside(i) {
			gone = i
			continue
		}
		now = append(now, later(all[i], 1))
	}
	replace := func(shrink float64) func(*Addition) {
		return func(a *Addition) { a.Replace, a.MaxShrink = []index.Shard{shard}, shrink }
	}
	w.refused("in shard 2/4")(w.add(replace(0), now...))
	r := w.done(w.add(replace(50), now...))
	if n := r.Responses; n.Outside == 0 || n.Outside+n.Published != n.Read {
		t.Errorf("%+v, want those outside the shard counted", n)
	}
	for i := range 40 {
		rec, found, err := lookUp(t, w, recipe.Serial(i))
		if err != nil {
			t.Fatal(err)
		}
		newer := found && rec.ThisUpdate() == recipe.Now.Add(-recipe.Hour+time.Minute).Unix()
		if found != (i != gone) || newer != (inside(i) && i != gone) {
			t.Errorf("certificate %d, inside %v: found %v, newer %v", i, inside(i), found, newer)
		}
	}
	if lines := published(t, r).Manifest().Segments; len(lines) != 4 || lines[0].Shard != shard {
		t.Errorf("lines %+v, want the four bases, the new one first", lines)
	}
}

// A response that breaks a check which is held is put aside, and tried again until it
// passes.
func TestHold(t *testing.T) {
	w := newWorld(t)
	hold := func(a *Addition) { a.Hold = []string{"ocsp.previous-revoked", "ocsp.previous-conflict"} }
	w.done(w.build(nil, revoked, other))
	r := w.done(w.add(hold, later(good, 1), later(other, 1)))
	if n := r.Responses; n.Held != 1 || n.Rejected != 0 || n.Published != 1 || len(r.Held) != 1 || r.Held[0].Serial != "01" {
		t.Errorf("%+v, held %+v; want one held", n, r.Held)
	}
	checkSummary(t, r, "1 held", "[ocsp.previous-revoked]")
	w.says("01 revoked", "02 good")
	box, err := held.Open(w.dir)
	if err != nil || box.Len() != 1 || published(t, r).Manifest().Held != 1 {
		t.Fatalf("%v, %d held, the manifest says %d", err, box.Len(), published(t, r).Manifest().Held)
	}

	r, err = w.add(nil, other) // without --hold, an older response: what is held is no reason to fail
	if err == nil || r.Responses.Held != 1 || r.Responses.Rejected != 1 {
		t.Errorf("%v, %+v", err, r.Responses)
	}
	if r, err = w.add(nil, later(other, 1)); err != nil || r.Generation != 0 || r.Responses.Held != 1 {
		t.Errorf("nothing new: %v, generation %d, %+v", err, r.Generation, r.Responses)
	}
	r = w.done(w.add(func(a *Addition) { a.Force = []string{"ocsp.previous-revoked"} }, later(other, 2)))
	if n := r.Responses; n.Held != 0 || n.Published != 2 {
		t.Errorf("%+v, want what was held published", n)
	}
	w.says("01 good")
	if box, err = held.Open(w.dir); err != nil || box.Len() != 0 || published(t, r).Manifest().Held != 0 {
		t.Errorf("%v, %d are held still", err, box.Len())
	}
}

// What the CRLs list is known to an addition, without the CRL being read again, and
// so is what the other hash of a certificate says.
func TestAddKnowsContradictions(t *testing.T) {
	w := newWorld(t)
	list := recipe.NewCRL(t, w.ca, func(l *x509.RevocationList) {
		l.ThisUpdate = recipe.Now.Add(-recipe.Hour)
		l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(3), RevocationTime: recipe.Now.Add(-recipe.Day), ReasonCode: 1}}
	})
	static := recipe.Dir(t, map[string][]byte{"c.example/1.crl": list})
	bySHA256 := good
	bySHA256.Algs = []index.HashAlg{index.SHA256}
	w.done(w.build(func(c *Config) { c.Static = []string{static} }, good, bySHA256))
	for _, when := range []string{"first", "from what was kept"} {
		w.refused("ocsp.crl-good")(w.add(nil, third))
		files, err := filepath.Glob(filepath.Join(w.dir, "serials", "*"))
		if err != nil || len(files) != 1 {
			t.Errorf("%s: %v, %v; want one file of serials", when, files, err)
		}
	}
	r := w.done(w.add(nil, later(revoked, 1)))
	if !slices.ContainsFunc(r.Warnings, func(x rule.Warning) bool { return x.Check == "ocsp.hash-differs" && x.Serial == "01" }) {
		t.Errorf("warnings %+v, want ocsp.hash-differs", r.Warnings)
	}
	w.says("01 revoked")
	id := recipe.Must(certs.ID(w.ca.Cert, index.SHA256, []byte("\x01")))
	if rec, found, err := published(t, r).Lookup(id.Key(), &id); err != nil || !found || rec.Status() != index.Good {
		t.Errorf("by SHA-256: found %v, %v; want it good as it was", found, err)
	}
	w.done(w.add(func(a *Addition) { a.Error = []string{"ocsp.hash-differs"} }, later(recipe.Response{Serials: []string{"\x05"}}, 1)))
	later256 := later(bySHA256, 2)
	w.refused("ocsp.hash-differs")(w.add(func(a *Addition) { a.Error = []string{"ocsp.hash-differs"} }, later256))
}

// Files are replaced at their place, and removed; others stay, also their times.
func TestAddFiles(t *testing.T) {
	w := newWorld(t)
	number := func(n int64) []byte {
		return recipe.NewCRL(t, w.ca, func(l *x509.RevocationList) { l.Number = big.NewInt(n) })
	}
	tree := recipe.Dir(t, map[string][]byte{"c.example/1.crl": number(1), "_/robots.txt": []byte("User-agent: *\n"), "i.example/notes.txt": []byte("notes\n")})
	w.done(w.build(func(c *Config) { c.Static = []string{tree} }, good))
	first := w.now
	crlOnly := recipe.Dir(t, map[string][]byte{"c.example/1.crl": number(2)})
	older := recipe.Dir(t, map[string][]byte{"c.example/1.crl": number(1)})
	static := func(dir string) func(*Addition) { return func(a *Addition) { a.Static = []string{dir} } }
	w.done(w.add(static(crlOnly)))
	w.refused("crl.previous-number")(w.add(static(older)))
	if r, err := w.add(static(crlOnly)); err != nil || r.Generation != 0 {
		t.Errorf("the same again: %v, generation %d; want none", err, r.Generation)
	}
	w.refused("--unpublish i.example/none: nothing is published there")(w.add(func(a *Addition) { a.Unpublish = []string{"i.example/none"} }))
	r := w.done(w.add(func(a *Addition) { a.Unpublish = []string{"i.example/notes.txt"} }))
	var got []string
	for _, f := range published(t, r).Files() {
		got = append(got, fmt.Sprintf("%s%s %d", f.Host, f.Path, cmp.Compare(f.LastModified.Unix(), first.Unix())))
	}
	if want := []string{"_/robots.txt 0", "c.example/1.crl -1"}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	w.says("01 good")
}

// A build of files alone still replaces all, and says so.
func TestBuildOfFilesAlone(t *testing.T) {
	w := newWorld(t)
	tree := recipe.Dir(t, map[string][]byte{"_/robots.txt": []byte("User-agent: *\n")})
	w.done(w.build(nil, good, other))
	c := w.config()
	c.Static = []string{tree}
	w.refused("build.shrunk")(Run(context.Background(), c))
}

// A file that stays, a page or a CRL, is not read by an addition that brings another one: what is kept of a CRL
// is enough to compare the two, and responses with it.
func TestAddReadsNoKnownCRL(t *testing.T) {
	w := newWorld(t)
	files := func(number byte, name string, entries ...recipe.CRLEntry) map[string][]byte {
		point := &recipe.CRLPoint{URIs: []string{"http://" + name}}
		return map[string][]byte{name: recipe.CRL{Issuer: w.ca, Number: []byte{number}, Entries: entries, Point: point}.DER(t)}
	}
	const stays, changes = "c.example/1.crl", "c.example/2.crl"
	entry := recipe.CRLEntry{Serial: "\x03"}
	all := files(1, stays, entry)
	maps.Copy(all, files(1, changes))
	all["_/robots.txt"] = []byte("User-agent: *\n")
	w.done(w.build(func(c *Config) { c.Static = []string{recipe.Dir(t, all)} }, good))
	w.done(w.add(nil, later(good, 1))) // the CRLs are known from now on
	static := func(files map[string][]byte) func(*Addition) {
		return func(a *Addition) { a.Static = []string{recipe.Dir(t, files)} }
	}
	m, err := store.ReadManifest(w.dir)
	if err != nil || len(m.Files) != 3 {
		t.Fatalf("%v, files %v", err, m.Files)
	}
	page, path := store.ObjectPath(w.dir, m.Files[0].SHA256), store.ObjectPath(w.dir, m.Files[1].SHA256)
	if err := errors.Join(os.Remove(page), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.add(nil, later(good, 2)); err != nil {
		t.Error(err)
	}
	differs := entry
	differs.Revoked = recipe.Now.Add(-2 * recipe.Day)
	r, err := w.add(static(files(2, changes, differs)))
	if err != nil || r.Generation == 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	if !slices.ContainsFunc(r.Warnings, func(x rule.Warning) bool { return x.Check == "crl.entry-differs" && x.Serial == "03" }) {
		t.Errorf("warnings %+v, want crl.entry-differs", r.Warnings)
	}
	w.refused("ocsp.crl-good")(w.add(static(files(3, changes)), third))
	if err := os.RemoveAll(filepath.Join(w.dir, "serials")); err != nil {
		t.Fatal(err)
	}
	w.refused("open " + path)(w.add(static(files(3, changes)))) // for it has to be read
}
