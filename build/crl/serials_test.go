package crl

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"lancre/build/internal/recipe"
)

// What a CRL lists is found alike in its Listing and in its Serials, also after these
// were written and read.
func TestSerialsAreTheListing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	ca := recipe.NewCA(t, "CA", recipe.P256())
	for range 20 {
		var entries []x509.RevocationListEntry
		for i := range random.IntN(50) {
			high := new(big.Int).Lsh(big.NewInt(random.Int64N(1e9)), uint(8+random.IntN(100)))
			serial := high.Lsh(high, 8).Add(high, big.NewInt(int64(i+1))) // no two are the same
			entries = append(entries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: recipe.Now.Add(-time.Duration(random.IntN(1e6)) * time.Second), ReasonCode: random.IntN(2) * 4})
		}
		c, broken := Parse(recipe.NewCRL(t, ca, func(l *x509.RevocationList) { l.RevokedCertificateEntries = entries }))
		if broken != nil {
			t.Fatal(broken)
		}
		l := new(Listing)
		l.Add(c)
		l.Sort()
		made := NewSerials(c, [20]byte{1})
		s, err := ParseSerials(made.Encode())
		if err != nil || !bytes.Equal(s.Encode(), made.Encode()) || Together([]*Serials{s}).Since() != l.Since() || s.Key != made.Key || !bytes.Equal(s.Name, c.Issuer) {
			t.Fatalf("%v: written and read back, it is another one", err)
		}
		again := new(Listing) // of the CRL as the serials know it
		again.Add(s.CRL())
		again.Sort()
		if again.Since() != l.Since() || s.CRL().Count != c.Count {
			t.Errorf("%d entries since %d, want %d since %d", s.CRL().Count, again.Since(), c.Count, l.Since())
		}
		ask := func(serial []byte) {
			want, listed := l.Find(serial)
			for _, by := range []Revocations{Together([]*Serials{made}), Together([]*Serials{s}), again} {
				if got, ok := by.Find(serial); ok != listed || got != want {
					t.Errorf("serial %x: %+v, %v; want %+v, %v", serial, got, ok, want, listed)
				}
			}
		}
		for _, serial := range [][]byte{nil, {0}, {1}, bytes.Repeat([]byte{1}, 30)} {
			ask(serial)
		}
		c.Walk(func(e *Entry) { ask(bytes.Clone(e.Serial)) })
		s.CRL().Walk(func(e *Entry) {
			if !l.Lists(c, e.Serial) || !again.Lists(again.crls[0], e.Serial) {
				t.Errorf("serial %x is walked past and not listed", e.Serial)
			}
		})
		if n := testing.AllocsPerRun(10, func() { s.Find([]byte{1}) }); n != 0 {
			t.Errorf("Find allocates %v times", n)
		}
	}
}

// Of several CRLs the newest that lists a certificate counts, and the oldest says since
// when they list all.
func TestSeveralSerials(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	list := func(hours time.Duration, reason int) *Serials {
		c, broken := Parse(recipe.NewCRL(t, ca, func(l *x509.RevocationList) {
			l.ThisUpdate = recipe.Now.Add(-hours * time.Hour)
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(1), RevocationTime: recipe.Now, ReasonCode: reason}}
		}))
		if broken != nil {
			t.Fatal(broken)
		}
		return NewSerials(c, [20]byte{})
	}
	all := Together([]*Serials{list(3, 1), list(1, 4), list(2, 5)})
	if r, ok := all.Find([]byte{1}); !ok || r.Reason != 4 {
		t.Errorf("%+v, %v; want the reason on the newest", r, ok)
	}
	if want := recipe.Now.Add(-3 * time.Hour).Unix(); all.Since() != want {
		t.Errorf("since %d, want %d", all.Since(), want)
	}
}

// Damaged serials are refused, wherever the damage is.
func TestDamagedSerials(t *testing.T) {
	for _, der := range crlSeeds(t) {
		c, broken := Parse(der)
		if broken != nil {
			continue
		}
		whole := NewSerials(c, [20]byte{}).Encode()
		s, err := ParseSerials(whole)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.CRL(); (got.Point == nil) != (c.Point == nil) || !slices.Equal(got.URIs(), c.URIs()) {
			t.Errorf("the point read back is %+v, want %+v", got.Point, c.Point)
		}
		for i := range whole {
			spoiled := bytes.Clone(whole)
			spoiled[i] ^= 0x40
			if _, err := ParseSerials(spoiled); err == nil {
				t.Errorf("octet %d changed and not noticed", i)
			}
			if _, err := ParseSerials(whole[:i]); err == nil {
				t.Errorf("cut at %d and not noticed", i)
			}
		}
	}
}

// Whatever the octets: no panic, and what is read can be asked and spelled as it was.
func FuzzParseSerials(f *testing.F) {
	for _, der := range crlSeeds(f) {
		if c, broken := Parse(der); broken == nil {
			f.Add(NewSerials(c, [20]byte{1, 2}).Encode())
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSerials(b)
		if err != nil {
			return
		}
		s.Find([]byte{1})
		s.CRL().Walk(func(e *Entry) { s.Find(e.Serial) })
		if !bytes.Equal(s.Encode(), b) {
			t.Errorf("%x is spelled %x", b, s.Encode())
		}
	})
}
