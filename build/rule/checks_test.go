package rule

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/CHECKS.md anew")

const checksIntroduction = `# What a build checks

` + "`lancre checks`" + ` prints this list. E: what breaks the rule is not published, and fails the build. W: it is published,
and the report warns. Profiles add up: what is E in one of them is E.

An E can be made a W, where the list names an option, by ` + "`--warn ID`" + ` or, for what differs from the previous generation
and is meant to in this one build, by ` + "`--force ID`" + `. ` + "`--error ID`" + ` makes any check an E. The report lists such overrides.

BR, SBR and CSBR are the CA/Browser Forum's Baseline Requirements for TLS 2.2.6, S/MIME 1.0.10 and code signing 3.10.0, MS
the Microsoft Trusted Root Program 1.1, MRSP the Mozilla Root Store Policy 3.1.

`

// The documentation lists every check as it is. To write it anew:
//
//	go test ./build/rule -run TestChecksAreDocumented -update
func TestChecksAreDocumented(t *testing.T) {
	const file = "../../docs/CHECKS.md"
	want := checksMarkdown()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s does not list the checks as they are: run go test ./build/rule -run %s -update", file, t.Name())
	}
}

func checksMarkdown() []byte {
	var b bytes.Buffer
	b.WriteString(checksIntroduction)
	fmt.Fprintf(&b, "| check | %s | option | rule | source |\n", strings.Join(profileNames[:], " | "))
	fmt.Fprintf(&b, "|---|%s---|---|---|\n", strings.Repeat("---|", len(profileNames)))
	for i, c := range Describe() {
		var row []string
		for p := range profileNames {
			row = append(row, map[string]string{"error": "E", "warning": "W", "off": ""}[Describe(Profile(p))[i].Severity])
		}
		option := ""
		if c.Lowered != "" {
			option = "`--" + c.Lowered + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.ID, strings.Join(row, " | "), option, c.Rule, c.Clause)
	}
	return b.Bytes()
}

// Profiles add up: what rejects in one of them rejects.
func TestSeveralProfiles(t *testing.T) {
	private, br := Under([]Profile{Private}), Under([]Profile{BR})
	for i, both := range Under([]Profile{Private, BR}) {
		if want := max(private[i], br[i]); both != want {
			t.Errorf("%s: %s, want %s", Check(i), both, want)
		}
	}
}

// Operators select by the ids, and each says where it comes from.
func TestCheckTableIsWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range table[None+1:] {
		if r.id == "" || seen[r.id] {
			t.Errorf("id %q is empty or taken", r.id)
		}
		seen[r.id] = true
		if r.text == "" || r.clause == "" || r.rejects|r.warns == never {
			t.Errorf("%s: text %q, clause %q, rejects in %b, warns in %b", r.id, r.text, r.clause, r.rejects, r.warns)
		}
		if strings.ContainsAny(r.text+r.clause, "|\n") {
			t.Errorf("%s: text or clause does not fit a table", r.id)
		}
	}
}

func TestOverrides(t *testing.T) {
	list := Under([]Profile{BR})
	chosen, err := list.Override(Choice{
		Warn: []string{"ocsp.age", "ocsp.age"}, Error: []string{"ocsp.dual", "ocsp.signature"}, Force: []string{"ocsp.previous-revoked"}})
	if err != nil {
		t.Fatal(err)
	}
	if list[OCSPAge] != Warns || list[OCSPDual] != Rejects || list[OCSPPreviousRevoked] != Warns || list[OCSPSignature] != Rejects {
		t.Errorf("severities %s, %s, %s, %s", list[OCSPAge], list[OCSPDual], list[OCSPPreviousRevoked], list[OCSPSignature])
	}
	want := []Override{
		{"ocsp.age", "warn", "error", "warning"}, {"ocsp.dual", "error", "warning", "error"},
		{"ocsp.previous-revoked", "force", "error", "warning"},
	}
	if !slices.Equal(chosen, want) {
		t.Errorf("overrides %v, want %v", chosen, want)
	}
}

func TestOverridesThatAreRefused(t *testing.T) {
	for want, c := range map[string]Choice{
		`no check is called "x"`:                 {Error: []string{"x"}},
		`no check is called ""`:                  {Warn: []string{""}},
		"no check is called \"passed\"":          {Warn: []string{"passed"}},
		"--warn ocsp.der: what breaks":           {Warn: []string{"ocsp.der"}},
		"--force ocsp.der: what breaks":          {Force: []string{"ocsp.der"}},
		"--force ocsp.previous-revoked lets":     {Warn: []string{"ocsp.previous-revoked"}},
		"want --warn ocsp.age":                   {Force: []string{"ocsp.age"}},
		"it is under --warn as well: name it on": {Warn: []string{"ocsp.age"}, Error: []string{"ocsp.age"}},
	} {
		if _, err := Under([]Profile{Private}).Override(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
