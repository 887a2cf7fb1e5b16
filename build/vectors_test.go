package build

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"

	"lancre/build/input"
	"lancre/build/internal/recipe"
	"lancre/build/rule"
)

// A vector is an input made for one check. It breaks that one and no other; or,
// if it has no profile under rejects and warns, it only just does not break it.
type vector struct {
	name    string
	check   string
	rejects string // the profiles in which the input is rejected
	warns   string // and in which it is only warned of
	judge   judgement
}

const everywhere, nowhere = "private br ms moz cs smime", ""

// A judgement has an input judged under one profile: by which check it was
// rejected, "" if it was not, and which warned.
type judgement func(t *testing.T, p rule.Profile) (rejected string, warned []string)

// vectorTables make the vectors, each of the checks declared in one file.
var vectorTables = []func(*testing.T) []vector{sourceVectors, responseVectors, runVectors, crlVectors, staticVectors, buildVectors}

// Every check, what breaks it and what only just does not, and what that leads to
// in each profile.
func TestChecks(t *testing.T) {
	broken, kept := make(map[string]bool), make(map[string]bool)
	for _, table := range vectorTables {
		for _, v := range table(t) {
			t.Run(v.check+"/"+v.name, v.run)
			breaks := v.rejects != nowhere || v.warns != nowhere
			broken[v.check] = broken[v.check] || breaks
			kept[v.check] = kept[v.check] || !breaks
		}
	}
	for _, r := range rule.Describe() {
		if !broken[r.ID] {
			t.Errorf("%s: no vector breaks it", r.ID)
		}
		if !kept[r.ID] {
			t.Errorf("%s: no vector just passes it", r.ID)
		}
	}
}

// unclear are the profiles that say nothing of a check, because what breaks it, or
// just does not, breaks a stricter rule of theirs.
var unclear = map[string]string{
	"ocsp.validity-max": "ms",                 // 7 days and not 10
	"store.record":      "br ms moz cs smime", // a response of 1970 is valid for too long
}

// described is what the documentation says of a check.
func described(t *testing.T, id string) rule.Description {
	t.Helper()
	for _, d := range rule.Describe() {
		if d.ID == id {
			return d
		}
	}
	t.Fatalf("no check is called %q", id)
	panic("unreachable")
}

func (v vector) run(t *testing.T) {
	described(t, v.check)
	for i, name := range rule.ProfileNames() {
		if slices.Contains(strings.Fields(unclear[v.check]), name) {
			continue
		}
		rejected, warned := v.judge(t, rule.Profile(i))
		var want string
		if slices.Contains(strings.Fields(v.rejects), name) {
			want = v.check
		}
		if rejected != want {
			t.Errorf("%s: rejected by %q, want %q", name, rejected, want)
		}
		switch {
		case rejected != "":
		case slices.Contains(strings.Fields(v.warns), name):
			if !slices.Equal(warned, []string{v.check}) {
				t.Errorf("%s: warnings %q, want %q", name, warned, v.check)
			}
		case slices.Contains(warned, v.check):
			t.Errorf("%s: warnings %q, want none of %q", name, warned, v.check)
		}
	}
}

// without is the judgement that does not look at warnings of these checks.
func (judge judgement) without(checks []string) judgement {
	return func(t *testing.T, p rule.Profile) (string, []string) {
		rejected, warned := judge(t, p)
		return rejected, slices.DeleteFunc(warned, func(id string) bool { return slices.Contains(checks, id) })
	}
}

// judgeBuild is the judgement of a build: what its report says of it. The build is
// that of c, by ca, in each profile.
func judgeBuild(ca recipe.Identity, c func(t *testing.T) Config) judgement {
	return func(t *testing.T, p rule.Profile) (rejected string, warned []string) {
		t.Helper()
		config := c(t)
		config.Profiles = []rule.Profile{p}
		report, err := run(t, ca, config)
		if report == nil {
			t.Fatal(err)
		}
		for _, r := range report.Rejections {
			if r.Reason == "" {
				t.Errorf("%s: no reason", r.Check)
			}
			if rejected != "" && r.Check != rejected {
				t.Errorf("rejected by %s and by %s", rejected, r.Check)
			}
			rejected = r.Check
		}
		if err != nil && rejected == "" {
			t.Errorf("failed without a rejection: %v", err)
		}
		for _, w := range report.Warnings {
			warned = append(warned, w.Check)
		}
		return rejected, warned
	}
}

// sourceVectors are for checks of sources.
func sourceVectors(t *testing.T) []vector {
	ca := recipe.NewCA(t, "CA", recipe.RSA())
	good := recipe.Response{Issuer: ca}.DER(t)
	source := func(name, check, rejects string, data ...[]byte) vector {
		return vector{name, check, rejects, nowhere, judgeBuild(ca, func(t *testing.T) Config {
			return Config{Responses: []string{recipe.File(t, "source", data...)}}
		})}
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(good)
	w.Close()
	unpacked := func(name, rejects string, limit int) vector {
		return vector{name, "source.unpacked", rejects, nowhere, judgeBuild(ca, func(t *testing.T) Config {
			return Config{Responses: []string{recipe.File(t, "source", packed.Bytes())}, MaxUnpacked: int64(limit)}
		})}
	}
	return []vector{
		unpacked("more than may be", everywhere, len(good)-1),
		unpacked("just what may be", nowhere, len(good)),
		source("words", "source.form", everywhere, []byte("hello, world")),
		source("DER", "source.form", nowhere, good),
		source("cut", "source.truncated", everywhere, good, good[:len(good)-1]),
		source("two", "source.truncated", nowhere, good, good),
		source("a response beyond OpenSSL", "ocsp.size", everywhere, sizedResponse(t, ca, input.MaxResponse+1).DER(t)),
		source("a response that OpenSSL takes", "ocsp.size", nowhere, sizedResponse(t, ca, input.MaxResponse).DER(t)),
	}
}
