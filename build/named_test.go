package build

import (
	"strings"
	"testing"

	"lancre/build/internal/recipe"
)

// URLs that certificates name are counted by issuer; where one is not as it should be,
// the report says which, of how many, where the first of them is, and what is there.
func TestNamedURLs(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	inventory := inventoryFile(t, []string{
		"01 2026-11-20 http://i.example/old.der",
		"02 2027-01-01 http://i.example/ca.der",
		"03 2027-01-01 http://i.example/old.der",
		"04 2027-01-01 http://i.example/old.der http://j.example/ca.der",
		"05 2027-01-01 http://i.example/x.txt",
	})
	dir := recipe.Dir(t, map[string][]byte{"i.example/ca.der": ca.Cert.Raw, "i.example/x.txt": []byte("x")})
	report, err := run(t, ca, Config{Static: []string{dir}, Inventory: inventory, Error: []string{"inventory.ca-issuers"}})
	if err == nil {
		t.Error("no error")
	}
	const remedy = "; its certificate is published at http://i.example/ca.der: publish it there, or, if another server answers that URL, leave it out of the inventory [inventory.ca-issuers] (to publish it all the same: --warn inventory.ca-issuers)"
	want := []string{
		` line 4 serial 03: the caIssuers URL "http://i.example/old.der" of unexpired certificates of CN=CA (lines: 2) is not one at which the build publishes anything` + remedy,
		` line 5 serial 04: the caIssuers URL "http://j.example/ca.der" of unexpired certificates of CN=CA (lines: 1) is at a host for which the build publishes nothing` + remedy,
		` line 6 serial 05: the caIssuers URL "http://i.example/x.txt" of unexpired certificates of CN=CA (lines: 1) gives ` + dir + `/i.example/x.txt, which does not hold the certificate of that issuer` + remedy,
	}
	for i, r := range report.Rejections {
		if i >= len(want) || r.String() != inventory+want[i] {
			t.Errorf("rejection %d: %s", i+1, r)
		}
	}
	if len(report.Rejections) != len(want) {
		t.Errorf("%d rejections, want %d", len(report.Rejections), len(want))
	}

	report, err = run(t, ca, Config{Static: []string{recipe.Dir(t, map[string][]byte{"_/x.txt": []byte("x")})}, Inventory: inventory})
	if err != nil {
		t.Fatal(err)
	}
	if w := report.Warnings; len(w) != 1 || w[0].Count != 4 || w[0].Place.Line != 3 || !strings.Contains(w[0].Reason, "its certificate is not among the files of --static") {
		t.Errorf("warnings %+v", w)
	}
}
