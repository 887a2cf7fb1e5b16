package build

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

// runVectors are for the checks of a response against something else: the previous
// generation, CRLs, the inventory, other responses.
func runVectors(t *testing.T) []vector {
	ca := newCA(t, "CA", p256Key())
	var list []vector
	for _, table := range [][]runCase{previousCases(), inventoryCases(), listedCases(t, ca), togetherCases()} {
		for _, tt := range table {
			list = append(list, vector{tt.name, tt.check, tt.rejects, tt.warns, tt.judgement(ca)})
		}
	}
	return append(list, openPreviousVectors(ca)...)
}

// A runCase is the recipe of a vector: a build, and the one before.
type runCase struct {
	name    string
	check   string
	rejects string
	warns   string

	before    []response // of the previous generation; none if empty
	now       []response // by SHA-256 unless they say otherwise
	inventory string     // lines of the form "01 2026-11-30"; no inventory if empty
	crl       []byte
}

func (tt runCase) judgement(ca identity) judgement {
	of := func(t *testing.T, list []response) []string {
		var ders [][]byte
		for _, r := range list {
			r.issuer = ca
			if r.algs == nil {
				r.algs = []index.HashAlg{index.SHA256}
			}
			ders = append(ders, r.der(t))
		}
		return []string{write(t, "responses", ders...)}
	}
	return judgeBuild(ca, func(t *testing.T) Config {
		c := Config{Out: t.TempDir(), Responses: of(t, tt.now)}
		if tt.before != nil {
			if _, err := run(t, ca, Config{Out: c.Out, Responses: of(t, tt.before)}); err != nil {
				t.Fatal(err)
			}
		}
		if tt.inventory != "" {
			c.Inventory = inventoryFile(t, strings.Split(tt.inventory, ", "))
		}
		if tt.check == "ocsp.previous-newer" { // or it would be rejected at once
			c.Warn = []string{"ocsp.time-expired"}
		}
		if tt.check == "ocsp.previous-missing" { // what is missing is not covered either
			c.Warn = []string{"inventory.coverage"}
		}
		if tt.crl != nil {
			c.Static = []string{staticDir(t, map[string][]byte{"c.example/1.crl": tt.crl})}
		}
		return c
	})
}

// inventoryFile writes an inventory of certificates of the form "01 2026-11-30", with
// caIssuers URLs behind that if there are any.
func inventoryFile(t testing.TB, certs []string) string {
	text := "serial,notAfter,issuer,caIssuers\n"
	for _, c := range certs {
		serial, rest, _ := strings.Cut(c, " ")
		date, urls, _ := strings.Cut(rest, " ")
		text += fmt.Sprintf("%s,%sT12:00:00Z,CN=CA,%s\n", serial, date, urls)
	}
	return write(t, "inventory.csv", []byte(text))
}

// Certificates of these tests have the serial numbers 01, if nothing is said, 02 and 03.
var (
	good    = response{}
	other   = response{serials: []string{"\x02"}}
	third   = response{serials: []string{"\x03"}}
	revoked = response{status: index.Revoked, reason: []byte{1}}
)

// since is r with another thisUpdate, and producedAt as late.
func since(r response, at time.Duration) response {
	r.thisUpdate, r.producedAt = now.Add(at), now.Add(at)
	return r
}

func previousCases() []runCase {
	held := revoked
	held.reason = []byte{reasonHold}
	one := func(r response) []response { return []response{r} }
	late := revoked
	late.thisUpdate = now.Add(-2 * hour)
	expiredBefore := since(good, -2*day)
	expiredBefore.nextUpdate = now
	early := good
	early.thisUpdate = now.Add(-2 * hour)
	return []runCase{
		{"the same", "ocsp.previous-newer", nowhere, nowhere, one(good), one(good), "", nil},
		{"an older one beside the same", "ocsp.previous-newer", nowhere, nowhere, one(good), []response{since(good, -2*hour), good}, "", nil},
		{"a second older", "ocsp.previous-newer", everywhere, nowhere, one(good), one(since(good, -hour-time.Second)), "", nil},
		{"older and expired", "ocsp.previous-newer", everywhere, nowhere, one(good), one(expiredBefore), "", nil},
		{"revoked again", "ocsp.previous-revoked", nowhere, nowhere, one(since(revoked, -2*hour)), one(revoked), "", nil},
		{"good again", "ocsp.previous-revoked", everywhere, nowhere, one(since(revoked, -2*hour)), one(good), "", nil},
		{"held again", "ocsp.previous-held", nowhere, nowhere, one(since(held, -2*hour)), one(revoked), "", nil},
		{"no longer held", "ocsp.previous-held", "br ms moz cs smime", nowhere, one(since(held, -2*hour)), one(good), "", nil},
		{"revoked at another time", "ocsp.previous-conflict", nowhere, nowhere, one(early), one(revoked), "", nil},
		{"revoked at the same time", "ocsp.previous-conflict", everywhere, nowhere, one(early), one(late), "", nil},
		{"revoked and kept", "ocsp.previous-vanished", nowhere, nowhere, []response{revoked, other}, []response{revoked, other}, "", nil},
		{"revoked and gone", "ocsp.previous-vanished", nowhere, everywhere, []response{revoked, other}, []response{other, third}, "", nil},
		{"revoked, expired now and gone", "ocsp.previous-missing", nowhere, nowhere, []response{revoked, other}, []response{other, third}, "01 2016-11-20, 02 2027-01-01, 03 2027-01-01", nil},
		{"revoked, unexpired and gone", "ocsp.previous-missing", everywhere, nowhere, []response{revoked, other}, []response{other, third}, "01 2026-11-21, 02 2027-01-01, 03 2027-01-01", nil},
		{"10 years after it expired", "ocsp.previous-missing-cs", nowhere, nowhere, []response{revoked, other}, []response{other, third}, "01 2016-11-20, 02 2027-01-01, 03 2027-01-01", nil},
		{"less than 10 years after it expired", "ocsp.previous-missing-cs", "cs", nowhere, []response{revoked, other}, []response{other, third}, "01 2016-11-21, 02 2027-01-01, 03 2027-01-01", nil},
	}
}

func inventoryCases() []runCase {
	return []runCase{
		{"good and assigned", "inventory.unassigned", nowhere, nowhere, nil, []response{good}, "01 2027-01-01", nil},
		{"revoked and not assigned", "inventory.unassigned", nowhere, nowhere, nil, []response{revoked, other}, "02 2027-01-01", nil},
		{"good and not assigned", "inventory.unassigned", everywhere, nowhere, nil, []response{good, other}, "02 2027-01-01", nil},
		{"no response but expired", "inventory.coverage", nowhere, nowhere, nil, []response{good}, "01 2027-01-01, 02 2026-11-20", nil},
		{"no response and not expired", "inventory.coverage", everywhere, nowhere, nil, []response{good}, "01 2027-01-01, 02 2026-11-21", nil},
		{"no response by SHA-512", "inventory.coverage", everywhere, nowhere, nil, []response{good, other, {algs: []index.HashAlg{index.SHA512}}}, "01 2027-01-01, 02 2027-01-01", nil},
	}
}

// togetherCases are responses that say something only together.
func togetherCases() []runCase {
	bySHA1 := response{algs: []index.HashAlg{index.SHA1}}
	return []runCase{
		{"both", "ocsp.sha1-alone", nowhere, nowhere, nil, []response{good, bySHA1}, "", nil},
		{"good, then revoked a second later", "ocsp.conflict", nowhere, nowhere, nil, []response{since(good, -hour-time.Second), revoked}, "", nil},
		{"good and revoked at once", "ocsp.conflict", everywhere, nowhere, nil, []response{good, revoked}, "", nil},
		{"SHA-1 alone", "ocsp.sha1-alone", nowhere, everywhere, nil, []response{bySHA1}, "", nil},
	}
}

func listedCases(t *testing.T, ca identity) []runCase {
	crl := func(serial int64, at time.Time, reason int, thisUpdate time.Duration) []byte {
		return newCRL(t, ca, func(l *x509.RevocationList) {
			l.ThisUpdate = now.Add(thisUpdate)
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(serial), RevocationTime: at, ReasonCode: reason}}
		})
	}
	at := now.Add(-day)
	return []runCase{
		{"good and not listed", "ocsp.crl-good", nowhere, nowhere, nil, []response{good}, "", crl(2, at, 1, -hour)},
		{"good and listed", "ocsp.crl-good", everywhere, nowhere, nil, []response{good}, "", crl(1, at, 1, -hour)},
		{"not listed by a CRL as old", "ocsp.crl-missing", nowhere, nowhere, nil, []response{revoked}, "", crl(2, at, 1, -hour)},
		{"not listed by a newer CRL", "ocsp.crl-missing", nowhere, everywhere, nil, []response{revoked}, "", crl(2, at, 1, -hour+time.Second)},
		{"listed alike", "ocsp.crl-differs", nowhere, nowhere, nil, []response{revoked}, "", crl(1, at, 1, -hour)},
		{"listed at another time", "ocsp.crl-differs", nowhere, everywhere, nil, []response{revoked}, "", crl(1, at.Add(time.Second), 1, -hour)},
		{"listed for another reason", "ocsp.crl-differs", nowhere, everywhere, nil, []response{revoked}, "", crl(1, at, 4, -hour)},
	}
}

// openPreviousVectors are builds over a generation that is whole, or is not.
func openPreviousVectors(ca identity) []vector {
	over := func(spoil bool) judgement {
		return judgeBuild(ca, func(t *testing.T) Config {
			c := Config{Out: t.TempDir(), Responses: []string{write(t, "r", response{issuer: ca, algs: []index.HashAlg{index.SHA256}}.der(t))}}
			report, err := run(t, ca, c)
			if err != nil {
				t.Fatal(err)
			}
			if spoil {
				if err := os.Remove(filepath.Join(c.Out, "objects", report.Segment.SHA256)); err != nil {
					t.Fatal(err)
				}
			}
			return c
		})
	}
	return []vector{
		{"whole", "store.previous", nowhere, nowhere, over(false)},
		{"without its segment", "store.previous", everywhere, nowhere, over(true)},
	}
}
