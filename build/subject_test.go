package build

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"lancre/index"
	"lancre/index/store"
)

// A response for two certificates is published if the operator wants that, under the
// CertID of each, and counts for both.
func TestBundle(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	der := bundle(ca, index.Good, index.Revoked).der(t)
	c := Config{Responses: []string{write(t, "r", der)}, Inventory: inventoryFile(t, []string{"01 2027-01-01", "02 2027-01-01"})}
	report, err := run(t, ca, c)
	if err == nil || len(report.Rejections) != 1 || !strings.Contains(report.Rejections[0].Reason, "--warn ocsp.bundle") {
		t.Errorf("without --warn: %v", err)
	}
	c.Warn = []string{"ocsp.bundle"}
	if report, err = run(t, ca, c); err != nil {
		t.Fatal(err)
	}
	answers(t, published(t, report), der)
	if err := store.Verify(report.Store, func(f *store.Fault) { t.Error(f) }); err != nil {
		t.Error(err)
	}
	if n := report.Responses; n.Read != 1 || n.Published != 1 || report.Segment.Records != 1 || report.Segment.Keys != 2 {
		t.Errorf("%+v, segment %+v", n, report.Segment)
	}
	if n := report.Issuers[0]; n.Good != 1 || n.Revoked != 1 || n.CertIDs["sha256"] != 2 {
		t.Errorf("issuer %+v", n)
	}
}

// bundle is a response by ca for the serial numbers 01 and following.
func bundle(ca identity, statuses ...index.Status) response {
	r := response{issuer: ca, algs: []index.HashAlg{index.SHA256}, reason: []byte{1}, statuses: statuses}
	for i := range statuses {
		r.serials = append(r.serials, string([]byte{byte(i + 1)}))
	}
	return r
}

// The checks of a response against something else look at each certificate that it
// is about.
func TestChecksOfBundles(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	const good, revoked = index.Good, index.Revoked
	both := func(first, second index.Status) response { return bundle(ca, first, second) }
	alone := func(serial byte, status index.Status) response {
		r := bundle(ca, status)
		r.serials = []string{string([]byte{serial})}
		return r
	}
	dual := both(good, revoked)
	dual.serials, dual.algs = []string{"\x01", "\x01"}, []index.HashAlg{index.SHA1, index.SHA256}
	held := since(both(revoked, revoked), -2*hour)
	held.reason = []byte{reasonHold}
	for _, tt := range []struct {
		name      string
		before    []response
		now       []response
		inventory string
		crl       int64 // serial number that it lists; 0 for no CRL
		force     string
		want      string // checks, each with the serial number that the finding is about
	}{
		{name: "alike", before: []response{since(both(good, revoked), -2*hour)}, now: []response{both(good, revoked)}},
		{name: "the first revoked", before: []response{since(both(good, revoked), -2*hour)}, now: []response{both(revoked, revoked)}},
		{name: "the second good again", before: []response{since(both(revoked, revoked), -2*hour)}, now: []response{both(revoked, good)},
			want: "ocsp.previous-revoked 02"},
		{name: "the second good again, alone", before: []response{since(both(good, revoked), -2*hour)}, now: []response{alone(1, good), alone(2, good)},
			want: "ocsp.previous-revoked 02"},
		{name: "the first good, as it was, alone", before: []response{since(both(good, revoked), -2*hour)}, now: []response{alone(1, good), alone(2, revoked)}},
		{name: "the second not held any more", before: []response{held}, now: []response{both(revoked, good)}},
		{name: "the second older and good", before: []response{both(good, revoked)}, now: []response{since(both(good, good), -2*hour)},
			want: "ocsp.previous-newer 01, ocsp.previous-newer 02"},
		{name: "the second older and good, the first meant", before: []response{both(good, revoked)}, now: []response{since(both(good, good), -2*hour)},
			force: "ocsp.previous-newer", want: "ocsp.previous-newer 01, ocsp.previous-revoked 02"},
		{name: "revoked at the same time", before: []response{both(good, good)}, now: []response{both(good, revoked)},
			want: "ocsp.previous-conflict 02"},
		{name: "good again at the same time, a contradiction meant", before: []response{alone(1, revoked)}, now: []response{alone(1, good)},
			force: "ocsp.previous-conflict", want: "ocsp.previous-revoked 01"},
		{name: "revoked at the same time, and that meant", before: []response{alone(1, good)}, now: []response{alone(1, revoked)},
			force: "ocsp.previous-conflict", want: "ocsp.previous-conflict 01"},
		{name: "the good one gone", before: []response{both(good, revoked)}, now: []response{alone(2, revoked)}},
		{name: "the revoked one gone", before: []response{both(good, revoked)}, now: []response{alone(1, good)}, want: "ocsp.previous-vanished 02"},
		{name: "the second listed", now: []response{both(good, good)}, crl: 2, want: "ocsp.crl-good 02"},
		{name: "the revoked one listed", now: []response{both(good, revoked)}, crl: 2},
		{name: "the second not assigned", now: []response{both(good, good)}, inventory: "01 2027-01-01", want: "inventory.unassigned 02"},
		{name: "both assigned", now: []response{both(good, good)}, inventory: "01 2027-01-01, 02 2027-01-01"},
		{name: "a third assigned", now: []response{both(good, good)}, inventory: "01 2027-01-01, 02 2027-01-01, 03 2027-01-01", want: "inventory.coverage 03"},
		{name: "the same alone", now: []response{both(good, revoked), alone(1, good), alone(2, revoked)}},
		{name: "another alone", now: []response{both(good, revoked), alone(2, good)}, want: "ocsp.conflict 02"},
		{name: "by one hash good, by the other revoked", now: []response{dual}, want: "ocsp.conflict 01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Out: t.TempDir(), Warn: []string{"ocsp.bundle"}}
			if tt.before != nil {
				c.Responses = []string{write(t, "before", ders(t, tt.before)...)}
				if _, err := run(t, ca, c); err != nil {
					t.Fatal(err)
				}
			}
			c.Responses = []string{write(t, "now", ders(t, tt.now)...)}
			if tt.inventory != "" {
				c.Inventory = inventoryFile(t, strings.Split(tt.inventory, ", "))
			}
			if tt.crl > 0 {
				c.Static = []string{staticDir(t, map[string][]byte{"c.example/1.crl": newCRL(t, ca, func(l *x509.RevocationList) {
					l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(tt.crl), RevocationTime: now.Add(-day), ReasonCode: 1}}
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

func ders(t *testing.T, list []response) (out [][]byte) {
	for _, r := range list {
		out = append(out, r.der(t))
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
	ca := newCA(t, "CA", p256Key())
	expired := bundle(ca, index.Good, index.Good)
	expired.algs, expired.nextUpdate = nil, now
	report, err := run(t, ca, Config{
		Responses: []string{write(t, "r", expired.der(t), response{issuer: ca, serials: []string{"\x03"}}.der(t))}, MaxRejects: 1,
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
