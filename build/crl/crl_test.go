package crl

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	stdasn1 "encoding/asn1"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"lancre/build/certs"
	"lancre/build/internal/recipe"
	"lancre/index"
)

// crlSeeds are CRLs of every shape: what crypto/x509 makes, and what it cannot.
func crlSeeds(t testing.TB) [][]byte {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	entries := []recipe.CRLEntry{{}, {Serial: "\x02", Reason: []byte{1}}, {Serial: "\x00\xff", Extensions: []pkix.Extension{{Id: recipe.IDInvalidity, Value: []byte("\x18\x0f20260101000000Z")}}}}
	return [][]byte{
		recipe.NewCRL(t, ca),
		recipe.NewCRL(t, ca, func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(5), RevocationTime: recipe.Now, ReasonCode: 4}, {SerialNumber: big.NewInt(6), RevocationTime: recipe.Now}}
		}),
		recipe.NewCRL(t, recipe.NewCA(t, "RSA", recipe.RSA()), func(l *x509.RevocationList) {
			l.NextUpdate = time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC)
		}),
		recipe.CRL{Issuer: ca, Entries: entries}.DER(t),
		recipe.CRL{Issuer: ca, NoEntries: true, NoNumber: true, NoKeyID: true, NoNextUpdate: true}.DER(t),
		recipe.CRL{Issuer: ca, Point: &recipe.CRLPoint{URIs: []string{"http://c.example/1.crl", "ldap:///"}, Flags: []uint8{2, 3, 4, 5}}}.DER(t),
		recipe.CRL{Issuer: ca, Extensions: []pkix.Extension{{Id: recipe.IDDelta, Critical: true, Value: []byte{2, 1, 1}}}}.DER(t),
		recipe.CRL{Issuer: ca, NoVersion: true}.DER(t),
		recipe.CRL{Issuer: ca, Number: []byte{0, 1}}.DER(t),
		recipe.CRL{Issuer: ca, AfterExtensions: []byte{5, 0}}.DER(t),
	}
}

// What is read from a CRL is what crypto/x509 reads from it.
func TestCRLIsWhatX509Reads(t *testing.T) {
	read := 0
	for _, der := range crlSeeds(t) {
		if compareWithX509(t, der) {
			read++
		}
	}
	if read != 7 {
		t.Errorf("%d of the CRLs are read, want 7", read)
	}
}

// Whatever the octets: no panic, and crypto/x509 reads the same, or is the one
// that refuses a Name or an OID, which this package only compares.
func FuzzCRL(f *testing.F) {
	for _, seed := range crlSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, der []byte) { compareWithX509(t, der) })
}

// compareWithX509 reports whether der was read.
func compareWithX509(t *testing.T, der []byte) bool {
	c, broken := Parse(der)
	if broken != nil {
		if broken.Reason == "" || c != nil && len(c.entries) == 0 {
			t.Errorf("%s without a reason", broken.Check)
		}
		return false
	}
	want, err := x509.ParseRevocationList(der)
	if err != nil {
		if bytes.Equal(c.Inner, c.Algorithm) && !strangeName(err) && oidOfX509(c) {
			t.Fatalf("read, but x509 says: %v", err)
		}
		return true
	}
	if !bytes.Equal(c.TBS, want.RawTBSRevocationList) || !bytes.Equal(c.Issuer, want.RawIssuer) || !bytes.Equal(c.Signature, want.Signature) {
		t.Error("other octets signed, another issuer or another signature than x509 reads")
	}
	next := index.NoTime
	if !want.NextUpdate.IsZero() {
		next = want.NextUpdate.Unix()
	}
	if c.ThisUpdate != want.ThisUpdate.Unix() || c.NextUpdate != next {
		t.Errorf("times %d and %d, want %s and %s", c.ThisUpdate, c.NextUpdate, want.ThisUpdate, want.NextUpdate)
	}
	if (c.Number == nil) != (want.Number == nil) || c.Number != nil && want.Number.Sign() >= 0 && !bytes.Equal(c.Number, certs.Serial(want.Number)) {
		t.Errorf("cRLNumber %x, want %s", c.Number, want.Number)
	}
	if c.Twice == nil && !bytes.Equal(c.AuthorityKey.KeyID, want.AuthorityKeyId) {
		t.Errorf("keyIdentifier %x, want %x", c.AuthorityKey.KeyID, want.AuthorityKeyId)
	}
	compareEntries(t, c, want.RevokedCertificateEntries)
	return true
}

func compareEntries(t *testing.T, c *CRL, want []x509.RevocationListEntry) {
	if c.Count != len(want) {
		t.Fatalf("%d entries, want %d", c.Count, len(want))
	}
	n := 0
	var serials []string
	c.WalkSerials(func(serial []byte, offset int64) { serials = append(serials, fmt.Sprintf("%x at %d", serial, offset)) })
	c.Walk(func(e *Entry) {
		if at := fmt.Sprintf("%x at %d", e.Serial, e.Offset); n >= len(serials) || serials[n] != at {
			t.Errorf("entry %d: serial %s, which is not what is read for its serial number alone: %q", n, at, serials)
		}
		w := want[n]
		n++
		if w.SerialNumber.Sign() >= 0 && !bytes.Equal(e.Serial, certs.Serial(w.SerialNumber)) || e.Revoked != w.RevocationTime.Unix() || max(e.Reason, 0) != w.ReasonCode {
			t.Errorf("entry %d: serial %x, revoked %d, reason %d; want %s, %s, %d", n, e.Serial, e.Revoked, e.Reason, w.SerialNumber, w.RevocationTime, w.ReasonCode)
		}
		if !bytes.HasPrefix(c.DER[e.Offset:], w.Raw) {
			t.Errorf("entry %d is not at offset %d", n, e.Offset)
		}
	})
}

// strangeName reports whether err is what crypto/x509 says of a Name.
func strangeName(err error) bool { return strings.HasPrefix(err.Error(), "x509: invalid RDNSequence") }

// oidOfX509 reports whether crypto/x509 reads all OIDs of c: in algorithm and extensions.
func oidOfX509(c *CRL) bool {
	var tbs struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     stdasn1.RawValue
		This, Next time.Time                 `asn1:"optional"`
		Entries    []pkix.RevokedCertificate `asn1:"optional"`
		Extensions []pkix.Extension          `asn1:"tag:0,optional,explicit"`
	}
	rest, err := stdasn1.Unmarshal(c.TBS, &tbs)
	return err == nil && len(rest) == 0
}

// A listing finds what a map of the entries does: the newest CRL counts.
func TestListingFindsWhatAMapDoes(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	random := rand.New(rand.NewPCG(1, 2))
	type place struct {
		crl    *CRL
		serial string
	}
	l, want, listed := &Listing{}, make(map[string]Revocation), make(map[place]bool)
	var all []*CRL
	for n := range 4 { // from the oldest to the newest
		r := recipe.CRL{Issuer: ca, ThisUpdate: recipe.Now.Add(time.Duration(n) * recipe.Second)}
		for range 500 {
			r.Entries = append(r.Entries, recipe.CRLEntry{
				Serial: recipe.Serial(random.IntN(1500)), Revoked: recipe.Now.Add(-time.Duration(random.IntN(1000)) * recipe.Hour), Reason: []byte{byte(random.IntN(7))},
			})
		}
		c, broken := Parse(r.DER(t))
		if broken != nil {
			t.Fatal(broken.Reason)
		}
		all = append(all, c)
		seen := make(map[string]bool)
		for _, e := range r.Entries {
			listed[place{c, e.Serial}] = true
			if !seen[e.Serial] { // of duplicates, the first counts
				want[e.Serial] = Revocation{e.Revoked.Unix(), int(e.Reason[0]), r.ThisUpdate.Unix()}
			}
			seen[e.Serial] = true
		}
	}
	for _, i := range random.Perm(len(all)) {
		l.Add(all[i])
	}
	l.Sort()
	for n := range 1600 {
		got, ok := l.Find([]byte(recipe.Serial(n)))
		if expected, has := want[recipe.Serial(n)]; ok != has || got != expected {
			t.Errorf("serial %x: %+v, %v; want %+v, %v", recipe.Serial(n), got, ok, expected, has)
		}
		for _, c := range all {
			if got := l.Lists(c, []byte(recipe.Serial(n))); got != listed[place{c, recipe.Serial(n)}] {
				t.Errorf("serial %x: listed %v", recipe.Serial(n), got)
			}
		}
	}
	if l.Since() != recipe.Now.Unix() {
		t.Errorf("thisUpdate %d, want that of the oldest", l.Since())
	}
	stranger := []byte(recipe.Serial(5000))
	if n := testing.AllocsPerRun(100, func() { l.Find(stranger) }); n > 0 {
		t.Errorf("%v allocations to find nothing", n)
	}
}
