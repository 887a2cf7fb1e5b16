package inventory

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/internal/recipe"
	"lancre/index"
)

// issuers are two issuers of different names, and a third with the name of
// the second.
func issuers(t testing.TB) *ca.Issuers {
	t.Helper()
	one, twin, other := recipe.NewCA(t, "CA", recipe.P256()), recipe.NewCA(t, "Twin", recipe.OtherP256()), recipe.NewCA(t, "Twin", recipe.P384())
	all, err := ca.Load([]string{recipe.File(t, "ca", one.Cert.Raw, twin.Cert.Raw, other.Cert.Raw)})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What an inventory says is found by the octets that a response has.
func TestInventory(t *testing.T) {
	all := issuers(t)
	second, third := all.List[1].KeyID(), all.List[2].KeyID()
	text := "\ufeff\"name\",issuer,serial,notAfter\n" +
		"a,CN=CA,01,2027-01-01T00:00:00Z\n" +
		"b,CN=CA,00FF,2027-01-02T01:00:00+01:00\n" +
		"c," + second + ",1,2027-01-03T00:00:00Z\n" +
		"d," + third + ",ff" + strings.Repeat("00", 19) + ",2027-01-04T00:00:00Z\n" +
		"e,CN=CA,01,2026-01-01T00:00:00Z" // the shorter of two, and no line end
	v, err := Load(recipe.File(t, "i.csv", []byte(text)), recipe.Now, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		issuer int
		serial string // content octets
		want   string // day of January; "" if it is not there
	}{
		{0, "\x01", "01"}, {0, "\x00\xff", "02"}, {1, "\x01", "03"}, {2, "\x00\xff" + strings.Repeat("\x00", 19), "04"},
		{0, "\x02", ""}, {2, "\x01", ""}, {0, "\x01\x00", ""}, {1, "\x00\xff", ""}, {0, strings.Repeat("\x7f", 21), ""},
	} {
		got := ""
		if line, known := v.Find(all.List[tt.issuer], []byte(tt.serial)); known {
			got = time.Unix(line.NotAfter, 0).UTC().Format("02")
		}
		if got != tt.want {
			t.Errorf("issuer %d, serial %x: day %q, want %q", tt.issuer, tt.serial, got, tt.want)
		}
	}
	n := 0
	for _, is := range all.List {
		entries, _ := v.of(is)
		n += len(entries)
	}
	if n != 4 || len(v.entries) != 4 {
		t.Errorf("%d certificates, %d of the issuers, want 4", len(v.entries), n)
	}
}

// A certificate is covered by all hash algorithms that its issuer has responses by, or
// there is a gap; one that has expired is no part of it.
func TestGap(t *testing.T) {
	all := issuers(t)
	text := "serial,notAfter,issuer\n" +
		"01,2027-01-01T00:00:00Z,CN=CA\n02,2027-01-02T00:00:00Z,CN=CA\n03,2027-01-03T00:00:00Z,CN=CA\n04,2026-11-20T12:00:00Z,CN=CA\n"
	v, err := Load(recipe.File(t, "i.csv", []byte(text)), recipe.Now, all)
	if err != nil {
		t.Fatal(err)
	}
	is := all.List[0]
	const sha1, sha256 = 1 << index.SHA1, 1 << index.SHA256
	for serial, algs := range map[string][]uint8{"\x01": {sha1, sha256}, "\x02": {sha1}} {
		for _, alg := range algs {
			line, _ := v.Find(is, []byte(serial))
			v.Cover(line, alg)
		}
	}
	for algs, want := range map[uint8]Gap{
		sha1 | sha256: {is, 3, 2, "02, which expires 2027-01-02T00:00:00Z"},
		sha1:          {is, 3, 1, "03, which expires 2027-01-03T00:00:00Z"},
		0:             {is, 3, 1, "03, which expires 2027-01-03T00:00:00Z"},
	} {
		if got := v.Gap(is, algs, nil); got != want {
			t.Errorf("algorithms %b: %+v, want %+v", algs, got, want)
		}
	}
}

// Ten years are ten years, leap days or not (CSBR section 4.10.1).
func TestRetention(t *testing.T) {
	line := Line{NotAfter: time.Date(2016, 11, 20, 12, 0, 0, 0, time.UTC).Unix()}
	for _, tt := range []struct {
		at   time.Time
		want bool
	}{{recipe.Now.Add(-time.Second), true}, {recipe.Now, false}} {
		if got := line.Retained(tt.at); got != tt.want {
			t.Errorf("at %s: retained %v, want %v", tt.at, got, tt.want)
		}
	}
}

func TestInventoriesThatAreRefused(t *testing.T) {
	all := issuers(t)
	const header, date = "serial,notAfter,issuer\n", ",2027-01-01T00:00:00Z,"
	for text, want := range map[string]string{
		"":                             "no header",
		"serial,notAfter\n":            "want the columns serial, notAfter and issuer",
		"Serial,notAfter,issuer\n":     "want the columns",
		header + "01":                  "line 2",
		header + date + "CN=CA":        `line 2: serial "": 0 octets, want 1 to 20`,
		header + "0" + date + "CN=CA":  `serial "0": want a positive number`,
		header + "-1" + date + "CN=CA": "want hexadecimal digits",
		header + strings.Repeat("11", 21) + date + "CN=CA":  "21 octets, want 1 to 20",
		header + "01,2027-01-01,CN=CA":                      `line 2: notAfter "2027-01-01": want a time such as`,
		header + "01" + date:                                `line 2: issuer "": no --issuer has`,
		header + "01" + date + "CN=Twin":                    `issuer "CN=Twin"`,
		header + "01" + date + "CN=CA\n\n02" + date + "x":   "line 4",
		header + "01,\"" + strings.Repeat("\n", 1<<17):      "too long",
		strings.Repeat("x", 1<<17):                          "too long",
		"serial,notAfter,issuer,cA\n01" + date + "CN=CA,no": `line 2: cA "no": want true, false or nothing`,
	} {
		if _, err := Load(recipe.File(t, "i.csv", []byte(text)), recipe.Now, all); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q in it", text, err, want)
		}
	}
	if _, err := Load("/nowhere", recipe.Now, all); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("absent: %v", err)
	}
}

// No inventory crashes the reader, and what it reads can be looked up.
func FuzzInventory(f *testing.F) {
	all := issuers(f)
	f.Add([]byte("serial,notAfter,issuer\n01,2027-01-01T00:00:00Z,CN=CA\n"))
	f.Add([]byte("issuer,serial,notAfter\n\"CN=CA\",00ff,2027-01-01T00:00:00+01:00\n" + "CN=CA,1,2027-01-01T00:00:00Z"))
	f.Add([]byte("serial,notAfter,issuer\n\"01,"))
	f.Add([]byte("caIssuers,serial,notAfter,issuer\nhttp://i.example/ http://i.example,1,2027-01-01T00:00:00Z,CN=CA"))
	f.Fuzz(func(t *testing.T, text []byte) {
		v := &Inventory{}
		if err := v.read(bytes.NewReader(text), all); err != nil {
			return
		}
		v.sort()
		for i, a := range v.entries {
			serial := certs.Serial(new(big.Int).SetBytes(a.serial[:]))
			if got, known := v.Find(all.List[a.issuer], serial); !known || got.position != i || got.NotAfter != a.notAfter {
				t.Fatalf("%x is found as %+v, want %+v", serial, got, a)
			}
		}
	})
}

// What an inventory costs, by certificate.
func BenchmarkInventory(b *testing.B) {
	all := issuers(b)
	var text bytes.Buffer
	text.WriteString("serial,notAfter,issuer\n")
	const n = 100_000
	for i := range n {
		fmt.Fprintf(&text, "%036x,%s,CN=CA\n", i*7919+1, recipe.Now.Add(time.Duration(i)*time.Second).Format(time.RFC3339))
	}
	for b.Loop() {
		v := &Inventory{}
		if err := v.read(bytes.NewReader(text.Bytes()), all); err != nil {
			b.Fatal(err)
		}
		v.sort()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "certificates/s")
}

// An inventory in which each certificate names another URL does not fill memory.
func TestNamedURLsAreBounded(t *testing.T) {
	var text bytes.Buffer
	text.WriteString("serial,notAfter,issuer,caIssuers\n")
	for i := range maxNamings + 1 {
		fmt.Fprintf(&text, "%x,2027-01-01T12:00:00Z,CN=CA,http://i.example/%d\n", i+1, i)
	}
	_, err := Load(recipe.File(t, "i.csv", text.Bytes()), recipe.Now, issuers(t))
	if want := fmt.Sprintf("line %d: more than %d different fields of URLs", maxNamings+2, maxNamings); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q in it", err, want)
	}
}
