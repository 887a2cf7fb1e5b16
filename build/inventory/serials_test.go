package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lancre/build/ca"
	"lancre/build/internal/recipe"
)

// loadSerials lists what LoadSerials reads, as "line issuer serial".
func loadSerials(t *testing.T, text string, all *ca.Issuers) (list []string, err error) {
	t.Helper()
	certificates, err := LoadSerials(recipe.File(t, "withdraw.csv", []byte(text)), all)
	for _, c := range certificates {
		list = append(list, fmt.Sprintf("%d %d %x", c.Line, c.Issuer.Number, c.Serial))
	}
	return list, err
}

// Serials come as a CertID has them, in the order of the file, each with its line.
func TestLoadSerials(t *testing.T) {
	all := issuers(t)
	one, err := ca.Load([]string{recipe.File(t, "one", all.List[0].Cert.Raw)})
	if err != nil {
		t.Fatal(err)
	}
	third := all.List[2].KeyID()
	for _, test := range []struct {
		name, text string
		all        *ca.Issuers
		want       []string
	}{
		{"one issuer need not be named", "serial\n01\nff\n", one, []string{"2 0 01", "3 0 00ff"}},
		{"but may be", "serial,issuer\n01,CN=CA\n02,\n", one, []string{"2 0 01", "3 0 02"}},
		{"by subject or key_id", "issuer,serial\nCN=CA,1\n" + third + ",1\n", all, []string{"2 0 01", "3 2 01"}},
		{"other columns, lines without end and empty ones", "why,serial,issuer\n\"lost,\nfound\",00AA,CN=CA\n\nx,7f,CN=CA", all, []string{"2 0 00aa", "5 0 7f"}},
		{"twice", "serial\n01\n0001\n", one, []string{"2 0 01", "3 0 01"}},
		{"the longest", "serial\nff" + strings.Repeat("00", 19) + "\n", one, []string{"2 0 00ff" + strings.Repeat("00", 19)}},
		{"from a spreadsheet", "\ufeffserial\r\n01\r\n", one, []string{"2 0 01"}},
		{"none", "serial\n", one, nil},
	} {
		got, err := loadSerials(t, test.text, test.all)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
}

func TestSerialsThatAreRefused(t *testing.T) {
	all := issuers(t)
	for text, want := range map[string]string{
		"":                                   "no header",
		"serial\n01\n":                       "want the column serial, and issuer where there are several (3)",
		"issuer\nCN=CA\n":                    "want the column serial",
		"serial,issuer\n01,CN=CA\nxy,CN=CA":  `line 3: serial "xy": want hexadecimal digits`,
		"serial,issuer\n00,CN=CA\n":          `line 2: serial "00": want a positive number`,
		"serial,issuer\n,CN=CA\n":            `line 2: serial "": 0 octets, want 1 to 20`,
		"serial,issuer\n01,CN=Twin\n":        `line 2: issuer "CN=Twin": no --issuer has this key_id or, alone, this subject`,
		"serial,issuer\n01,\n":               `line 2: issuer "": no --issuer has`,
		"serial,issuer\n01\n":                "line 2: wrong number of fields",
		strings.Repeat("x", 1<<17):           "too long",
		"serial,issuer\n01,\"CN=CA\nCN=CA\n": "record on line 2",
	} {
		if got, err := loadSerials(t, text, all); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "withdraw.csv: ") || got != nil {
			t.Errorf("%.40q: %q, %v; want %q and the file's name", text, got, err, want)
		}
	}
	if _, err := LoadSerials("/nowhere", all); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("absent: %v", err)
	}
}
