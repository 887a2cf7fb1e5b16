package build

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	stdasn1 "encoding/asn1"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"lancre/build/certs"
	"lancre/index"
)

// crlSeeds are CRLs of every shape: what crypto/x509 makes, and what it cannot.
func crlSeeds(t testing.TB) [][]byte {
	ca := newCA(t, "CA", p256Key())
	entries := []entryRecipe{{}, {serial: "\x02", reason: []byte{1}}, {serial: "\x00\xff", extensions: []pkix.Extension{{Id: idInvalidity, Value: []byte("\x18\x0f20260101000000Z")}}}}
	return [][]byte{
		newCRL(t, ca),
		newCRL(t, ca, func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(5), RevocationTime: now, ReasonCode: 4}, {SerialNumber: big.NewInt(6), RevocationTime: now}}
		}),
		newCRL(t, newCA(t, "RSA", rsaKey()), func(l *x509.RevocationList) {
			l.NextUpdate = time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC)
		}),
		crlRecipe{issuer: ca, entries: entries}.der(t),
		crlRecipe{issuer: ca, noEntries: true, noNumber: true, noKeyID: true, noNextUpdate: true}.der(t),
		crlRecipe{issuer: ca, point: &pointRecipe{uris: []string{crlURL, "ldap:///"}, flags: []uint8{2, 3, 4, 5}}}.der(t),
		crlRecipe{issuer: ca, extensions: []pkix.Extension{{Id: idDelta, Critical: true, Value: []byte{2, 1, 1}}}}.der(t),
		crlRecipe{issuer: ca, noVersion: true}.der(t),
		crlRecipe{issuer: ca, number: []byte{0, 1}}.der(t),
		crlRecipe{issuer: ca, afterExtensions: []byte{5, 0}}.der(t),
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
	c, broken := parseCRL(der)
	if broken.check != passed {
		if broken.reason == "" || c != nil && len(c.entries) == 0 {
			t.Errorf("%s without a reason", broken.check)
		}
		return false
	}
	want, err := x509.ParseRevocationList(der)
	if err != nil {
		if bytes.Equal(c.signed, c.algorithm) && !strangeName(err) && oidOfX509(c) {
			t.Fatalf("read, but x509 says: %v", err)
		}
		return true
	}
	if !bytes.Equal(c.tbs, want.RawTBSRevocationList) || !bytes.Equal(c.issuerName, want.RawIssuer) || !bytes.Equal(c.signature, want.Signature) {
		t.Error("other octets signed, another issuer or another signature than x509 reads")
	}
	next := index.NoTime
	if !want.NextUpdate.IsZero() {
		next = want.NextUpdate.Unix()
	}
	if c.thisUpdate != want.ThisUpdate.Unix() || c.nextUpdate != next {
		t.Errorf("times %d and %d, want %s and %s", c.thisUpdate, c.nextUpdate, want.ThisUpdate, want.NextUpdate)
	}
	if (c.number == nil) != (want.Number == nil) || c.number != nil && want.Number.Sign() >= 0 && !bytes.Equal(c.number, certs.Serial(want.Number)) {
		t.Errorf("cRLNumber %x, want %s", c.number, want.Number)
	}
	if c.twice == nil && !bytes.Equal(c.keyID, want.AuthorityKeyId) {
		t.Errorf("keyIdentifier %x, want %x", c.keyID, want.AuthorityKeyId)
	}
	compareEntries(t, c, want.RevokedCertificateEntries)
	return true
}

func compareEntries(t *testing.T, c *crl, want []x509.RevocationListEntry) {
	if c.count != len(want) {
		t.Fatalf("%d entries, want %d", c.count, len(want))
	}
	n := 0
	c.walk(func(e *crlEntry) {
		w := want[n]
		n++
		if w.SerialNumber.Sign() >= 0 && !bytes.Equal(e.serial, certs.Serial(w.SerialNumber)) || e.revoked != w.RevocationTime.Unix() || max(e.reason, 0) != w.ReasonCode {
			t.Errorf("entry %d: serial %x, revoked %d, reason %d; want %s, %s, %d", n, e.serial, e.revoked, e.reason, w.SerialNumber, w.RevocationTime, w.ReasonCode)
		}
		if !bytes.HasPrefix(c.der[e.offset:], w.Raw) {
			t.Errorf("entry %d is not at offset %d", n, e.offset)
		}
	})
}

// strangeName reports whether err is what crypto/x509 says of a Name.
func strangeName(err error) bool { return strings.HasPrefix(err.Error(), "x509: invalid RDNSequence") }

// oidOfX509 reports whether crypto/x509 reads all OIDs of c: in algorithm and extensions.
func oidOfX509(c *crl) bool {
	var tbs struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     stdasn1.RawValue
		This, Next time.Time                 `asn1:"optional"`
		Entries    []pkix.RevokedCertificate `asn1:"optional"`
		Extensions []pkix.Extension          `asn1:"tag:0,optional,explicit"`
	}
	rest, err := stdasn1.Unmarshal(c.tbs, &tbs)
	return err == nil && len(rest) == 0
}

// A listing finds what a map of the entries does: the newest CRL counts.
func TestListingFindsWhatAMapDoes(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	random := rand.New(rand.NewPCG(1, 2))
	type place struct {
		crl    *crl
		serial string
	}
	l, want, listed := &listing{}, make(map[string]revocation), make(map[place]bool)
	var all []*crl
	for n := range 4 { // from the oldest to the newest
		r := crlRecipe{issuer: ca, thisUpdate: now.Add(time.Duration(n) * second)}
		for range 500 {
			r.entries = append(r.entries, entryRecipe{
				serial: seq(random.IntN(1500)), revoked: now.Add(-time.Duration(random.IntN(1000)) * hour), reason: []byte{byte(random.IntN(7))},
			})
		}
		c, broken := parseCRL(r.der(t))
		if broken.check != passed {
			t.Fatal(broken.reason)
		}
		all = append(all, c)
		seen := make(map[string]bool)
		for _, e := range r.entries {
			listed[place{c, e.serial}] = true
			if !seen[e.serial] { // of duplicates, the first counts
				want[e.serial] = revocation{e.revoked.Unix(), int(e.reason[0])}
			}
			seen[e.serial] = true
		}
	}
	for _, i := range random.Perm(len(all)) {
		l.add(all[i])
	}
	l.sort()
	for n := range 1600 {
		got, ok := l.find([]byte(seq(n)))
		if expected, has := want[seq(n)]; ok != has || got != expected {
			t.Errorf("serial %x: %+v, %v; want %+v, %v", seq(n), got, ok, expected, has)
		}
		for _, c := range all {
			if got := l.lists(c, []byte(seq(n))); got != listed[place{c, seq(n)}] {
				t.Errorf("serial %x: listed %v", seq(n), got)
			}
		}
	}
	if l.thisUpdate != now.Unix() {
		t.Errorf("thisUpdate %d, want that of the oldest", l.thisUpdate)
	}
	stranger := []byte(seq(5000))
	if n := testing.AllocsPerRun(100, func() { l.find(stranger) }); n > 0 {
		t.Errorf("%v allocations to find nothing", n)
	}
}

// The reason says which entry, and where it lies in the file.
func TestBrokenEntryIsNamed(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	der := crlRecipe{issuer: ca, entries: []entryRecipe{{}, {serial: "\x02"}, {serial: "\x03", revoked: now.Add(hour)}}}.der(t)
	at := bytes.Index(der, []byte{0x02, 0x01, 0x03, 0x17}) - 2 // the header of the entry
	report, err := run(t, ca, Config{Static: []string{staticDir(t, map[string][]byte{crlFile: der})}})
	if err == nil || len(report.Rejections) != 1 {
		t.Fatalf("%v, rejections %v", err, report.Rejections)
	}
	if r := report.Rejections[0]; r.Place.Offset != int64(at) || r.Serial != "03" || r.Check != "crl.entry-date" {
		t.Errorf("%s at offset %d, want crl.entry-date at %d for serial 03", r, r.Place.Offset, at)
	}
}

// A certs-only CMS holds certificates, whatever else the octets are.
func FuzzCMS(f *testing.F) {
	ca := newCA(f, "CA", p256Key())
	for _, seed := range [][]byte{
		p7c(nil, nil, ca.cert.Raw), p7c(nil, nil, ca.cert.Raw, ca.cert.Raw), p7c(nil, nil), p7c([]byte{0x30, 0x00}, nil, ca.cert.Raw),
		p7c(nil, func(b *cryptobyte.Builder) { b.AddBytes(element(tag1, newCRL(f, ca))) }, ca.cert.Raw),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		list, err := parseCertsOnly(der)
		if (err == nil) != (len(list) > 0) {
			t.Errorf("%d certificates, %v", len(list), err)
		}
		for _, cert := range list {
			if !bytes.Contains(der, cert.Raw) {
				t.Error("a certificate that is not in the octets")
			}
		}
	})
}
