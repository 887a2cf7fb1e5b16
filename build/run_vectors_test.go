package build

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/build/crl"
	"lancre/build/internal/recipe"
	"lancre/index"
)

// runVectors are for the checks of a response against something else: the previous
// generation, CRLs, the inventory, other responses.
func runVectors(t *testing.T) []vector {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	var list []vector
	for _, table := range [][]runCase{previousCases(), inventoryCases(), listedCases(t, ca), togetherCases()} {
		for _, tt := range table {
			list = append(list, vector{tt.name, tt.check, tt.rejects, tt.warns, tt.judgement(ca)})
		}
	}
	return slices.Concat(list, deltaListedVectors(t, ca), openPreviousVectors(ca))
}

// A runCase is the recipe of a vector: a build, and the one before.
type runCase struct {
	name    string
	check   string
	rejects string
	warns   string

	before    []recipe.Response // of the previous generation; none if empty
	now       []recipe.Response // by SHA-256 unless they say otherwise
	inventory string            // lines of the form "01 2026-11-30"; no inventory if empty
	crl       []byte
}

func (tt runCase) judgement(ca recipe.Identity) judgement {
	of := func(t *testing.T, list []recipe.Response) []string {
		var ders [][]byte
		for _, r := range list {
			r.Issuer = ca
			if r.Algs == nil {
				r.Algs = []index.HashAlg{index.SHA256}
			}
			ders = append(ders, r.DER(t))
		}
		return []string{recipe.File(t, "responses", ders...)}
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
			c.Static = []string{recipe.Dir(t, map[string][]byte{"c.example/1.crl": tt.crl})}
		}
		return c
	})
}

// inventoryFile writes an inventory of certificates of the form "01 2026-11-30", with
// caIssuers URLs behind that if there are any, distribution points behind a bar, and cA
// behind another.
func inventoryFile(t testing.TB, certs []string) string {
	text := "serial,notAfter,issuer,caIssuers,cRLDistributionPoints,cA\n"
	for _, c := range certs {
		serial, rest, _ := strings.Cut(c, " ")
		date, urls, _ := strings.Cut(rest, " ")
		urls, points, _ := strings.Cut(urls, "|")
		points, isCA, _ := strings.Cut(points, "|")
		text += fmt.Sprintf("%s,%sT12:00:00Z,CN=CA,%s,%s,%s\n", serial, date, urls, points, isCA)
	}
	return recipe.File(t, "inventory.csv", []byte(text))
}

// Certificates of these tests have the serial numbers 01, if nothing is said, 02 and 03.
var (
	good    = recipe.Response{}
	other   = recipe.Response{Serials: []string{"\x02"}}
	third   = recipe.Response{Serials: []string{"\x03"}}
	revoked = recipe.Response{Status: index.Revoked, Reason: []byte{1}}
)

// since is r with another thisUpdate, and producedAt as late.
func since(r recipe.Response, at time.Duration) recipe.Response {
	r.ThisUpdate, r.ProducedAt = recipe.Now.Add(at), recipe.Now.Add(at)
	return r
}

// until is r with another nextUpdate.
func until(r recipe.Response, at time.Duration) recipe.Response {
	r.NextUpdate = recipe.Now.Add(at)
	return r
}

func previousCases() []runCase {
	held := revoked
	held.Reason = []byte{crl.ReasonHold}
	one := func(r recipe.Response) []recipe.Response { return []recipe.Response{r} }
	late := revoked
	late.ThisUpdate = recipe.Now.Add(-2 * recipe.Hour)
	expiredBefore := since(good, -2*recipe.Day)
	expiredBefore.NextUpdate = recipe.Now
	early := good
	early.ThisUpdate = recipe.Now.Add(-2 * recipe.Hour)
	return []runCase{
		{"the same", "ocsp.previous-newer", nowhere, nowhere, one(good), one(good), "", nil},
		{"an older one beside the same", "ocsp.previous-newer", nowhere, nowhere, one(good), []recipe.Response{since(good, -2*recipe.Hour), good}, "", nil},
		{"a second older", "ocsp.previous-newer", everywhere, nowhere, one(good), one(since(good, -recipe.Hour-time.Second)), "", nil},
		{"older and expired", "ocsp.previous-newer", everywhere, nowhere, one(good), one(expiredBefore), "", nil},
		{"revoked again", "ocsp.previous-revoked", nowhere, nowhere, one(since(revoked, -2*recipe.Hour)), one(revoked), "", nil},
		{"good again", "ocsp.previous-revoked", everywhere, nowhere, one(since(revoked, -2*recipe.Hour)), one(good), "", nil},
		{"held again", "ocsp.previous-held", nowhere, nowhere, one(since(held, -2*recipe.Hour)), one(revoked), "", nil},
		{"no longer held", "ocsp.previous-held", "br ms moz cs smime", nowhere, one(since(held, -2*recipe.Hour)), one(good), "", nil},
		{"revoked at another time", "ocsp.previous-conflict", nowhere, nowhere, one(early), one(revoked), "", nil},
		{"revoked at the same time", "ocsp.previous-conflict", everywhere, nowhere, one(early), one(late), "", nil},
		{"revoked and kept", "ocsp.previous-vanished", nowhere, nowhere, []recipe.Response{revoked, other}, []recipe.Response{revoked, other}, "", nil},
		{"revoked and gone", "ocsp.previous-vanished", nowhere, everywhere, []recipe.Response{revoked, other}, []recipe.Response{other, third}, "", nil},
		{"revoked, expired now and gone", "ocsp.previous-missing", nowhere, nowhere, []recipe.Response{revoked, other}, []recipe.Response{other, third}, "01 2016-11-20, 02 2027-01-01, 03 2027-01-01", nil},
		{"revoked, unexpired and gone", "ocsp.previous-missing", everywhere, nowhere, []recipe.Response{revoked, other}, []recipe.Response{other, third}, "01 2026-11-21, 02 2027-01-01, 03 2027-01-01", nil},
		{"10 years after it expired", "ocsp.previous-missing-cs", nowhere, nowhere, []recipe.Response{revoked, other}, []recipe.Response{other, third}, "01 2016-11-20, 02 2027-01-01, 03 2027-01-01", nil},
		{"less than 10 years after it expired", "ocsp.previous-missing-cs", "cs", nowhere, []recipe.Response{revoked, other}, []recipe.Response{other, third}, "01 2016-11-21, 02 2027-01-01, 03 2027-01-01", nil},
	}
}

func inventoryCases() []runCase {
	return []runCase{
		{"good and assigned", "inventory.unassigned", nowhere, nowhere, nil, []recipe.Response{good}, "01 2027-01-01", nil},
		{"revoked and not assigned", "inventory.unassigned", nowhere, nowhere, nil, []recipe.Response{revoked, other}, "02 2027-01-01", nil},
		{"good and not assigned", "inventory.unassigned", everywhere, nowhere, nil, []recipe.Response{good, other}, "02 2027-01-01", nil},
		{"nextUpdate is notAfter", "inventory.expires", nowhere, nowhere, nil, []recipe.Response{until(good, 4*recipe.Day)}, "01 2026-11-24", nil},
		{"nextUpdate after notAfter", "inventory.expires", nowhere, everywhere, nil, []recipe.Response{until(good, 4*recipe.Day+time.Second)}, "01 2026-11-24", nil},
		{"expired already", "inventory.expires", nowhere, nowhere, nil, []recipe.Response{good}, "01 2026-11-20", nil},
		{"no response but expired", "inventory.coverage", nowhere, nowhere, nil, []recipe.Response{good}, "01 2027-01-01, 02 2026-11-20", nil},
		{"no response and not expired", "inventory.coverage", everywhere, nowhere, nil, []recipe.Response{good}, "01 2027-01-01, 02 2026-11-21", nil},
		{"no response by SHA-512", "inventory.coverage", everywhere, nowhere, nil, []recipe.Response{good, other, {Algs: []index.HashAlg{index.SHA512}}}, "01 2027-01-01, 02 2027-01-01", nil},
	}
}

// togetherCases are responses that say something only together.
func togetherCases() []runCase {
	bySHA1, revokedBySHA1 := recipe.Response{Algs: []index.HashAlg{index.SHA1}}, revoked
	revokedBySHA1.Algs = bySHA1.Algs
	return []runCase{
		{"both", "ocsp.sha1-alone", nowhere, nowhere, nil, []recipe.Response{good, bySHA1}, "", nil},
		{"good, then revoked a second later", "ocsp.conflict", nowhere, nowhere, nil, []recipe.Response{since(good, -recipe.Hour-time.Second), revoked}, "", nil},
		{"good and revoked at once", "ocsp.conflict", everywhere, nowhere, nil, []recipe.Response{good, revoked}, "", nil},
		{"revoked by both", "ocsp.hash-differs", nowhere, nowhere, nil, []recipe.Response{revoked, revokedBySHA1}, "", nil},
		{"revoked by SHA-256 alone", "ocsp.hash-differs", nowhere, everywhere, nil, []recipe.Response{revoked, bySHA1}, "", nil},
		{"SHA-1 alone", "ocsp.sha1-alone", nowhere, everywhere, nil, []recipe.Response{bySHA1}, "", nil},
	}
}

func listedCases(t *testing.T, ca recipe.Identity) []runCase {
	crl := func(serial int64, at time.Time, reason int, thisUpdate time.Duration) []byte {
		return recipe.NewCRL(t, ca, func(l *x509.RevocationList) {
			l.ThisUpdate = recipe.Now.Add(thisUpdate)
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(serial), RevocationTime: at, ReasonCode: reason}}
		})
	}
	at := recipe.Now.Add(-recipe.Day)
	return []runCase{
		{"good and not listed", "ocsp.crl-good", nowhere, nowhere, nil, []recipe.Response{good}, "", crl(2, at, 1, -recipe.Hour)},
		{"good and listed", "ocsp.crl-good", everywhere, nowhere, nil, []recipe.Response{good}, "", crl(1, at, 1, -recipe.Hour)},
		{"not listed by a CRL as old", "ocsp.crl-missing", nowhere, nowhere, nil, []recipe.Response{revoked}, "", crl(2, at, 1, -recipe.Hour)},
		{"not listed by a newer CRL", "ocsp.crl-missing", nowhere, everywhere, nil, []recipe.Response{revoked}, "", crl(2, at, 1, -recipe.Hour+time.Second)},
		{"listed alike", "ocsp.crl-differs", nowhere, nowhere, nil, []recipe.Response{revoked}, "", crl(1, at, 1, -recipe.Hour)},
		{"listed at another time", "ocsp.crl-differs", nowhere, everywhere, nil, []recipe.Response{revoked}, "", crl(1, at.Add(time.Second), 1, -recipe.Hour)},
		{"listed for another reason", "ocsp.crl-differs", nowhere, everywhere, nil, []recipe.Response{revoked}, "", crl(1, at, 4, -recipe.Hour)},
	}
}

// openPreviousVectors are builds over a generation that is whole, or is not.
func openPreviousVectors(ca recipe.Identity) []vector {
	over := func(spoil bool) judgement {
		return judgeBuild(ca, func(t *testing.T) Config {
			c := Config{Out: t.TempDir(), Responses: []string{recipe.File(t, "r", recipe.Response{Issuer: ca, Algs: []index.HashAlg{index.SHA256}}.DER(t))}}
			report, err := run(t, ca, c)
			if err != nil {
				t.Fatal(err)
			}
			if spoil {
				if err := os.Remove(filepath.Join(c.Out, "objects", report.Segments[0].SHA256)); err != nil {
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
