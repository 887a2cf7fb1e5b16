package build

import (
	"crypto/x509/pkix"
	"testing"
	"time"

	"lancre/build/crl"
	"lancre/build/internal/recipe"
	"lancre/index"
)

// deltaOf has r be a delta CRL of the base with that number.
func deltaOf(r recipe.CRL, base ...byte) recipe.CRL {
	r.Extensions = append(r.Extensions, pkix.Extension{Id: recipe.IDDelta, Critical: true, Value: append([]byte{2, byte(len(base))}, base...)})
	return r
}

// crlDeltaCases are a base, number 7, and a delta CRL, number 9, at another URL, as AD CS
// and EJBCA publish them.
func crlDeltaCases(t *testing.T, ca recipe.Identity) []staticCase {
	files := func(base, delta recipe.CRL) map[string][]byte {
		base.Issuer, delta.Issuer = ca, ca
		return map[string][]byte{"c.example/ca.crl": base.DER(t), "c.example/ca+.crl": delta.DER(t)}
	}
	number := func(n byte, entries ...recipe.CRLEntry) recipe.CRL {
		return recipe.CRL{Number: []byte{n}, Entries: entries}
	}
	alone := func(m map[string][]byte, name string) map[string][]byte { return map[string][]byte{name: m[name]} }
	const atBase, atDelta = "c.example/ca.crl", "c.example/ca+.crl"
	pointed := func(r recipe.CRL, uris ...string) recipe.CRL {
		r.Point = &recipe.CRLPoint{URIs: uris}
		return r
	}
	one, two, removed := recipe.CRLEntry{Reason: []byte{1}}, recipe.CRLEntry{Serial: "\x02"}, recipe.CRLEntry{Reason: []byte{8}}
	base, delta := number(7, one), deltaOf(number(9, two), 7)
	notCritical := delta
	notCritical.Extensions = []pkix.Extension{{Id: recipe.IDDelta, Value: []byte{2, 1, 7}}}
	noNumber := base
	noNumber.NoNumber = true
	const here, there = "http://c.example/ca.crl", "http://c.example/ca+.crl"
	both := files(base, delta)
	with := func(next recipe.CRL) map[string][]byte { // the same base
		return map[string][]byte{atBase: both[atBase], atDelta: files(base, next)[atDelta]}
	}
	list := []staticCase{
		{name: "with its base", check: "crl.full-differs", files: both},
		{name: "with its base, other dates", check: "crl.entry-differs", files: files(number(7, two), deltaOf(number(9, recipe.CRLEntry{Serial: "\x02", Reason: []byte{1}}), 7))},
		{name: "what was on hold is removed", check: "crl.entry-reason", files: files(number(7, recipe.CRLEntry{Reason: []byte{6}}), deltaOf(number(9, removed), 7))},
		{name: "with the point of its base", check: "crl.idp-differs", files: files(pointed(base, here), pointed(delta, here))},
		{name: "with the point of its base", check: "crl.idp-url", files: files(pointed(base, here), pointed(delta, here))},
		{name: "beside the only full CRL", check: "crl.full-idp", files: both},
		{name: "lists what the base does not", check: "crl.shard-idp", files: files(number(7), pointed(delta, here)), warn: []string{"crl.delta-base"}},

		{name: "critical", check: "crl.delta-critical", files: both},
		{name: "not critical", check: "crl.delta-critical", rejects: everywhere, files: files(base, notCritical)},
		{name: "smaller than its own", check: "crl.delta-number", files: both},
		{name: "its own", check: "crl.delta-number", files: files(number(9), deltaOf(number(9), 9))},
		{name: "greater than its own", check: "crl.delta-number", rejects: everywhere, files: files(number(10), deltaOf(number(9), 10))},
		{name: "negative", check: "crl.delta-number", rejects: everywhere, files: files(base, deltaOf(number(9), 0xff))},
		{name: "no INTEGER", check: "crl.der", rejects: everywhere, files: files(base, deltaOf(number(9)))},
		{name: "padded", check: "crl.der", rejects: everywhere, files: files(base, deltaOf(number(9), 0, 7))},

		{name: "a newer base", check: "crl.delta-base", files: files(number(8, one), delta)},
		{name: "the base before", check: "crl.delta-base", before: alone(both, atBase), files: both},
		{name: "a base that is too old", check: "crl.delta-base", rejects: everywhere, files: files(number(6, one), delta)},
		{name: "a base without a number", check: "crl.delta-base", rejects: everywhere, files: files(noNumber, delta), warn: []string{"crl.number"}},
		{name: "no base", check: "crl.delta-base", rejects: everywhere, files: alone(both, atDelta)},
		{name: "a base in the previous generation", check: "crl.delta-base", before: alone(both, atBase), files: alone(both, atDelta), force: []string{"crl.previous-url"}},
		{name: "a base with another point", check: "crl.delta-base", rejects: everywhere, files: files(pointed(base, here), pointed(delta, there))},
		{name: "a base with a point", check: "crl.delta-base", rejects: everywhere, files: files(pointed(base, here), delta)},

		{name: "a new base", check: "crl.previous-entry-unknown", before: both, files: files(number(8, one, two), deltaOf(number(10), 8))},
		{name: "a new delta of the base", check: "crl.previous-entry-unknown", before: both, files: with(deltaOf(number(10, two), 7))},
		{name: "a delta of the base forgets", check: "crl.previous-entry-unknown", warns: everywhere, before: both, files: with(deltaOf(number(10), 7))},
		{name: "a delta where one was", check: "crl.previous-delta", before: both, files: files(number(8, one, two), deltaOf(number(10), 8))},
		{name: "a delta where a complete one was", check: "crl.previous-delta", rejects: everywhere, before: map[string][]byte{atDelta: both[atBase]}, files: both},
	}
	for i := range list {
		list[i].warn = append(list[i].warn, "crl.delta", "crl.entry-reason-profile") // which br refuses
	}
	return append(list,
		staticCase{name: "complete", check: "crl.delta", files: alone(both, atBase)},
		staticCase{name: "delta", check: "crl.delta", rejects: "br", warns: "private ms moz cs smime", files: both})
}

// deltaListedVectors are responses beside a base and a delta CRL.
func deltaListedVectors(t *testing.T, ca recipe.Identity) (list []vector) {
	made := func(n byte, at time.Duration, entries ...recipe.CRLEntry) recipe.CRL {
		return recipe.CRL{Issuer: ca, Number: []byte{n}, ThisUpdate: recipe.Now.Add(at), Entries: entries}
	}
	hold, removed, listed := recipe.CRLEntry{Reason: []byte{6}}, recipe.CRLEntry{Reason: []byte{8}}, recipe.CRLEntry{Reason: []byte{1}}
	base := func(entries ...recipe.CRLEntry) []byte { return made(7, -3*recipe.Hour, entries...).DER(t) }
	delta := func(at time.Duration, entries ...recipe.CRLEntry) []byte {
		return deltaOf(made(9, at, entries...), 7).DER(t)
	}
	before := revoked // signed before the delta CRL
	before.ThisUpdate, before.ProducedAt = recipe.Now.Add(-2*recipe.Hour), recipe.Now.Add(-2*recipe.Hour)
	for _, tt := range []struct {
		name, check, rejects, warns string
		now                         recipe.Response
		crl, delta                  []byte
	}{
		{name: "removed by a delta CRL", check: "ocsp.crl-good", now: good, crl: base(hold), delta: delta(-recipe.Hour, removed)},
		{name: "listed by a delta CRL", check: "ocsp.crl-good", rejects: everywhere, now: good, crl: base(), delta: delta(-recipe.Hour, listed)},
		{name: "listed, the delta CRL says nothing", check: "ocsp.crl-good", rejects: everywhere, now: good, crl: base(hold), delta: delta(-recipe.Hour)},
		{name: "removed by a delta CRL that is older than the base", check: "ocsp.crl-good", rejects: everywhere, now: good, crl: base(hold), delta: delta(-4*recipe.Hour, removed)},
		{name: "listed by a delta CRL that is older than the base", check: "ocsp.crl-good", now: good, crl: base(), delta: delta(-4*recipe.Hour, hold)},
		{name: "revoked, listed by a delta CRL", check: "ocsp.crl-missing", now: before, crl: base(), delta: delta(-recipe.Hour, listed)},
		{name: "revoked, not listed by a newer delta CRL", check: "ocsp.crl-missing", warns: everywhere, now: before, crl: base(), delta: delta(-recipe.Hour)},
		{name: "revoked, not listed by an older delta CRL", check: "ocsp.crl-missing", now: revoked, crl: base(), delta: delta(-2 * recipe.Hour)},
	} {
		tt.now.Issuer, tt.now.Algs = ca, []index.HashAlg{index.SHA256}
		response, warn := tt.now.DER(t), []string{"crl.delta", "crl.entry-reason-profile"} // which br refuses
		list = append(list, vector{tt.name, tt.check, tt.rejects, tt.warns, judgeBuild(ca, func(t *testing.T) Config {
			files := map[string][]byte{"c.example/1.crl": tt.crl, "c.example/1+.crl": tt.delta}
			return Config{Responses: []string{recipe.File(t, "r", response)}, Static: []string{recipe.Dir(t, files)}, Warn: warn}
		}).without(warn)})
	}
	return list
}

// What serials tell of a base and delta CRLs is what a listing of them tells.
func TestSerialsTellWhatAListingDoes(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	parse := func(r recipe.CRL) *crl.CRL {
		r.Issuer = ca
		c, broken := crl.Parse(r.DER(t))
		if broken != nil {
			t.Fatal(broken.Reason)
		}
		return c
	}
	entry := func(serial string, reason byte) recipe.CRLEntry {
		return recipe.CRLEntry{Serial: serial, Reason: []byte{reason}}
	}
	at := func(hours int, entries ...recipe.CRLEntry) recipe.CRL {
		return recipe.CRL{ThisUpdate: recipe.Now.Add(time.Duration(hours) * recipe.Hour), Entries: entries}
	}
	shard := func(r recipe.CRL) recipe.CRL {
		r.Point = &recipe.CRLPoint{URIs: []string{"http://c.example/2.crl"}}
		return r
	}
	base, older := parse(at(-5, entry("\x01", 6), entry("\x02", 1))), parse(deltaOf(at(-6, entry("\x03", 1)), 1))
	delta, newer := parse(deltaOf(at(-4, entry("\x01", 8), entry("\x04", 1)), 1)), parse(deltaOf(at(-3, entry("\x04", 8)), 1))
	other, alone := parse(shard(at(-2, entry("\x05", 6)))), parse(shard(deltaOf(at(-1, entry("\x05", 8)), 1)))
	for _, tt := range []struct {
		list   []*crl.CRL
		listed string
		since  int64 // hours
	}{
		{[]*crl.CRL{base}, "\x01\x02", -5},
		{[]*crl.CRL{base, older}, "\x01\x02", -5},
		{[]*crl.CRL{delta, base}, "\x02\x04", -4},
		{[]*crl.CRL{base, newer, delta, older}, "\x02", -3},
		{[]*crl.CRL{base, newer, delta, other}, "\x02\x05", -3},
		{[]*crl.CRL{base, other, alone}, "\x01\x02", -5},
		{[]*crl.CRL{delta}, "\x04", 0},
	} {
		listing := &crl.Listing{}
		var serials []*crl.Serials
		for _, c := range tt.list {
			listing.Add(c)
			again, err := crl.ParseSerials(crl.NewSerials(c, [20]byte{}).Encode())
			if err != nil {
				t.Fatal(err)
			}
			serials = append(serials, again)
		}
		listing.Sort()
		want := index.NoTime
		if tt.since != 0 {
			want = recipe.Now.Add(time.Duration(tt.since) * recipe.Hour).Unix()
		}
		for name, r := range map[string]crl.Revocations{"a listing": listing, "serials": crl.Together(serials)} {
			var listed string
			for serial := byte(1); serial < 7; serial++ {
				if _, ok := r.Find([]byte{serial}); ok {
					listed += string([]byte{serial})
				}
			}
			if listed != tt.listed || r.Since() != want {
				t.Errorf("%s: %x are listed up to %d, want %x up to %d", name, listed, r.Since(), tt.listed, want)
			}
		}
	}
}

// What is added is compared with a base and its delta CRL together, which stay.
func TestAddBesideDeltaCRLs(t *testing.T) {
	w := newWorld(t)
	made := func(n byte, entries ...recipe.CRLEntry) recipe.CRL {
		return recipe.CRL{Issuer: w.ca, Number: []byte{n}, ThisUpdate: recipe.Now.Add(time.Duration(n) * time.Minute), Entries: entries}
	}
	hold, removed, second := recipe.CRLEntry{Reason: []byte{6}}, recipe.CRLEntry{Reason: []byte{8}}, recipe.CRLEntry{Serial: "\x02", Reason: []byte{1}}
	base, delta := made(1, hold), deltaOf(made(2, removed, second), 1)
	base.ThisUpdate = recipe.Now.Add(-recipe.Hour)
	w.now = w.now.Add(3 * time.Minute)
	static := recipe.Dir(t, map[string][]byte{"c.example/ca.crl": base.DER(t), "c.example/ca+.crl": delta.DER(t)})
	w.done(w.build(func(c *Config) { c.Static = []string{static} }, third))
	for range 2 { // the second time from what was kept
		w.refused("ocsp.crl-good")(w.add(nil, other))
	}
	w.done(w.add(nil, good))
	w.says("01 good", "03 good")
}
