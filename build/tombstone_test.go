package build

import (
	"fmt"
	"strings"
	"testing"

	"lancre/build/certs"
	"lancre/build/internal/recipe"
	"lancre/index"
)

// An expired response leaves a tombstone, for its certificate is ours; unless the
// inventory says that the certificate has expired, or does not know it.
func TestTombstones(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	expired := recipe.Response{Issuer: ca, NextUpdate: recipe.Now}
	current := recipe.Response{Issuer: ca, Serials: []string{"\x02"}}
	forged := expired
	forged.Spoil = true
	elder := expired
	elder.ThisUpdate, elder.ProducedAt, elder.NextUpdate = recipe.Now.Add(-2*recipe.Day), recipe.Now.Add(-2*recipe.Day), recipe.Now.Add(-recipe.Day)
	for name, tt := range map[string]struct {
		first     recipe.Response
		second    recipe.Response
		inventory []string
		want      string // what the store has for the serial number 01
	}{
		"expired":                             {expired, current, nil, "tombstone"},
		"expired, certificate not":            {expired, current, []string{"01 2027-01-01", "02 2027-01-01"}, "tombstone"},
		"expired like the certificate":        {expired, current, []string{"01 2026-11-20", "02 2027-01-01"}, "nothing"},
		"expired, certificate unknown":        {expired, current, []string{"02 2027-01-01"}, "nothing"},
		"forged":                              {forged, current, nil, "nothing"},
		"expired, and a current one after it": {elder, recipe.Response{Issuer: ca}, nil, "good"},
	} {
		c := Config{Responses: []string{recipe.File(t, "r", tt.first.DER(t), tt.second.DER(t))}, MaxRejects: 1, Warn: []string{"inventory.coverage"}}
		if tt.inventory != nil {
			c.Inventory = inventoryFile(t, tt.inventory)
			c.Warn = append(c.Warn, "inventory.unassigned")
		}
		report, err := run(t, ca, c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := stored(t, report, ca, "\x01"); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// A store may have tombstones alone.
func TestTombstonesAlone(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	der := recipe.Response{Issuer: ca, NextUpdate: recipe.Now}.DER(t)
	report, err := run(t, ca, Config{Responses: []string{recipe.File(t, "r", der)}, Warn: []string{"ocsp.time-expired"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := stored(t, report, ca, "\x01"); got != "tombstone" || !report.Segments[0].NextUpdate.IsZero() || report.Responses.Published != 0 {
		t.Errorf("%s, segment %+v, %+v", got, report.Segments, report.Responses)
	}
	checkSummary(t, report, "1 tombstones", "0 published")
}

// As many certificates as are allowed may be without a response, of all issuers
// together.
func TestMissingResponses(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	c := Config{
		Responses: []string{recipe.File(t, "r", recipe.Response{Issuer: ca}.DER(t))}, Warn: []string{"ocsp.sha1-alone"},
		Inventory: inventoryFile(t, []string{"01 2027-01-01", "02 2027-01-01", "03 2027-01-01", "04 2026-11-20"}),
	}
	for allowed, want := range []string{"error", "error", "warning", "warning"} {
		c.MaxMissing = allowed
		report, err := run(t, ca, c)
		got := ""
		switch {
		case err != nil && len(report.Rejections) == 1:
			got = "error"
			if text := report.Rejections[0].String(); !strings.Contains(text, fmt.Sprintf(
				"2 of 3 unexpired certificates of CN=CA have no response, or not by every hash algorithm, %d allowed in all (--max-missing); the first: 02, which expires 2027-01-01T12:00:00Z [inventory.coverage]", allowed)) {
				t.Error(text)
			}
		case len(report.Warnings) == 2 && report.Warnings[0].Check == "inventory.coverage":
			got = "warning"
		}
		if got != want {
			t.Errorf("%d allowed: %q (%v), want %s", allowed, got, err, want)
		}
	}
}

// stored says what the store of a report has for a certificate of ca, by SHA-1.
func stored(t *testing.T, report *Report, ca recipe.Identity, serial string) string {
	t.Helper()
	id := recipe.Must(certs.ID(ca.Cert, index.SHA1, []byte(serial)))
	rec, found, err := published(t, report).Lookup(id.Key(), &id)
	switch {
	case err != nil:
		t.Fatal(err)
	case !found:
		return "nothing"
	case rec.Tombstone():
		return "tombstone"
	}
	return rec.Status().String()
}
