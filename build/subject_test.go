package build

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"lancre/build/crl"
	"lancre/build/internal/recipe"
	"lancre/index"
	"lancre/index/store"
)

// A response for two certificates is published if the operator wants that, under the
// CertID of each, and counts for both.
func TestBundle(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	der := bundle(ca, index.Good, index.Revoked).DER(t)
	c := Config{Responses: []string{recipe.File(t, "r", der)}, Inventory: inventoryFile(t, []string{"01 2027-01-01", "02 2027-01-01"})}
	report, err := run(t, ca, c)
	if err == nil || len(report.Rejections) != 1 || report.Rejections[0].Option != "--warn ocsp.bundle" {
		t.Errorf("without --warn: %v", err)
	}
	c.Warn = []string{"ocsp.bundle"}
	if report, err = run(t, ca, c); err != nil {
		t.Fatal(err)
	}
	answers(t, published(t, report), der)
	if err := store.Verify(report.Store, nil, func(f *store.Fault) { t.Error(f) }); err != nil {
		t.Error(err)
	}
	if n := report.Responses; n.Read != 1 || n.Published != 1 || report.Segments[0].Records != 1 || report.Segments[0].Keys != 2 {
		t.Errorf("%+v, segment %+v", n, report.Segments)
	}
	if n := report.Issuers[0]; n.Good != 1 || n.Revoked != 1 || n.CertIDs["sha256"] != 2 {
		t.Errorf("issuer %+v", n)
	}
}

// bundle is a response by ca for the serial numbers 01 and following.
func bundle(ca recipe.Identity, statuses ...index.Status) recipe.Response {
	r := recipe.Response{Issuer: ca, Algs: []index.HashAlg{index.SHA256}, Reason: []byte{1}, Statuses: statuses}
	for i := range statuses {
		r.Serials = append(r.Serials, string([]byte{byte(i + 1)}))
	}
	return r
}

// The checks of a response against something else look at each certificate that it
// is about.
func TestChecksOfBundles(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	const good, revoked = index.Good, index.Revoked
	both := func(first, second index.Status) recipe.Response { return bundle(ca, first, second) }
	alone := func(serial byte, status index.Status) recipe.Response {
		r := bundle(ca, status)
		r.Serials = []string{string([]byte{serial})}
		return r
	}
	dual := both(good, revoked)
	dual.Serials, dual.Algs = []string{"\x01", "\x01"}, []index.HashAlg{index.SHA1, index.SHA256}
	held := since(both(revoked, revoked), -2*recipe.Hour)
	held.Reason = []byte{crl.ReasonHold}
	for _, tt := range []struct {
		name      string
		before    []recipe.Response
		now       []recipe.Response
		inventory string
		crl       int64 // serial number that it lists; 0 for no CRL
		force     string
		want      string // checks, each with the serial number that the finding is about
	}{
		{name: "alike", before: []recipe.Response{since(both(good, revoked), -2*recipe.Hour)}, now: []recipe.Response{both(good, revoked)}},
		{name: "the first revoked", before: []recipe.Response{since(both(good, revoked), -2*recipe.Hour)}, now: []recipe.Response{both(revoked, revoked)}},
		{name: "the second good again", before: []recipe.Response{since(both(revoked, revoked), -2*recipe.Hour)}, now: []recipe.Response{both(revoked, good)},
			want: "ocsp.previous-revoked 02"},
		{name: "the second good again, alone", before: []recipe.Response{since(both(good, revoked), -2*recipe.Hour)}, now: []recipe.Response{alone(1, good), alone(2, good)},
			want: "ocsp.previous-revoked 02"},
		{name: "the first good, as it was, alone", before: []recipe.Response{since(both(good, revoked), -2*recipe.Hour)}, now: []recipe.Response{alone(1, good), alone(2, revoked)}},
		{name: "the second not held any more", before: []recipe.Response{held}, now: []recipe.Response{both(revoked, good)}},
		{name: "the second older and good", before: []recipe.Response{both(good, revoked)}, now: []recipe.Response{since(both(good, good), -2*recipe.Hour)},
			want: "ocsp.previous-newer 01, ocsp.previous-newer 02"},
		{name: "the second older and good, the first meant", before: []recipe.Response{both(good, revoked)}, now: []recipe.Response{since(both(good, good), -2*recipe.Hour)},
			force: "ocsp.previous-newer", want: "ocsp.previous-newer 01, ocsp.previous-revoked 02"},
		{name: "revoked at the same time", before: []recipe.Response{both(good, good)}, now: []recipe.Response{both(good, revoked)},
			want: "ocsp.previous-conflict 02"},
		{name: "good again at the same time, a contradiction meant", before: []recipe.Response{alone(1, revoked)}, now: []recipe.Response{alone(1, good)},
			force: "ocsp.previous-conflict", want: "ocsp.previous-revoked 01"},
		{name: "revoked at the same time, and that meant", before: []recipe.Response{alone(1, good)}, now: []recipe.Response{alone(1, revoked)},
			force: "ocsp.previous-conflict", want: "ocsp.previous-conflict 01"},
		{name: "the good one gone", before: []recipe.Response{both(good, revoked)}, now: []recipe.Response{alone(2, revoked)}},
		{name: "the revoked one gone", before: []recipe.Response{both(good, revoked)}, now: []recipe.Response{alone(1, good)}, want: "ocsp.previous-vanished 02"},
		{name: "the second listed", now: []recipe.Response{both(good, good)}, crl: 2, want: "ocsp.crl-good 02"},
		{name: "the revoked one listed", now: []recipe.Response{both(good, revoked)}, crl: 2},
		{name: "the second not assigned", now: []recipe.Response{both(good, good)}, inventory: "01 2027-01-01", want: "inventory.unassigned 02"},
		{name: "both assigned", now: []recipe.Response{both(good, good)}, inventory: "01 2027-01-01, 02 2027-01-01"},
		{name: "a third assigned", now: []recipe.Response{both(good, good)}, inventory: "01 2027-01-01, 02 2027-01-01, 03 2027-01-01", want: "inventory.coverage 03"},
		{name: "the same alone", now: []recipe.Response{both(good, revoked), alone(1, good), alone(2, revoked)}},
		{name: "another alone", now: []recipe.Response{both(good, revoked), alone(2, good)}, want: "ocsp.conflict 02"},
		{name: "by one hash good, by the other revoked", now: []recipe.Response{dual}, want: "ocsp.conflict 01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Out: t.TempDir(), Warn: []string{"ocsp.bundle"}}
			if tt.before != nil {
				c.Responses = []string{recipe.File(t, "before", ders(t, tt.before)...)}
				if _, err := run(t, ca, c); err != nil {
					t.Fatal(err)
				}
			}
			c.Responses = []string{recipe.File(t, "now", ders(t, tt.now)...)}
			if tt.inventory != "" {
				c.Inventory = inventoryFile(t, strings.Split(tt.inventory, ", "))
			}
			if tt.crl > 0 {
				c.Static = []string{recipe.Dir(t, map[string][]byte{"c.example/1.crl": recipe.NewCRL(t, ca, func(l *x509.RevocationList) {
					l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(tt.crl), RevocationTime: recipe.Now.Add(-recipe.Day), ReasonCode: 1}}
				})})}
			}
			c.Force = append(c.Force, "build.shrunk")
			if tt.force != "" {
				c.Force = append(c.Force, tt.force)
			}
			report, _ := run(t, ca, c)
			if got := strings.Join(foundIn(report), ", "); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func ders(t *testing.T, list []recipe.Response) (out [][]byte) {
	for _, r := range list {
		out = append(out, r.DER(t))
	}
	return out
}

// foundIn lists what a report says is wrong, but for there being bundles at all.
func foundIn(r *Report) (found []string) {
	about := func(serial, reason string) string {
		for _, digits := range []string{"01", "02", "03"} {
			if strings.Contains(reason, "serial "+digits) || strings.Contains(reason, "the first: "+digits) {
				serial = digits
			}
		}
		return serial
	}
	for _, w := range r.Warnings {
		if !slices.Contains([]string{"ocsp.bundle", "ocsp.dual", "ocsp.sha1-alone", "build.shrunk"}, w.Check) {
			found = append(found, fmt.Sprint(w.Check, " ", about(w.Serial, w.Reason)))
		}
	}
	for _, x := range r.Rejections {
		found = append(found, fmt.Sprint(x.Check, " ", about(x.Serial, x.Reason)))
	}
	return found
}

// An expired bundle leaves a tombstone for each certificate that has not expired.
func TestTombstonesOfBundle(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	expired := bundle(ca, index.Good, index.Good)
	expired.Algs, expired.NextUpdate = nil, recipe.Now
	report, err := run(t, ca, Config{
		Responses: []string{recipe.File(t, "r", expired.DER(t), recipe.Response{Issuer: ca, Serials: []string{"\x03"}}.DER(t))}, MaxRejects: 1,
		Inventory: inventoryFile(t, []string{"01 2026-11-20", "02 2027-01-01", "03 2027-01-01"}), Warn: []string{"ocsp.bundle", "inventory.coverage"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for serial, want := range map[string]string{"\x01": "nothing", "\x02": "tombstone", "\x03": "good"} {
		if got := stored(t, report, ca, serial); got != want {
			t.Errorf("%x: %s, want %s", serial, got, want)
		}
	}
}
