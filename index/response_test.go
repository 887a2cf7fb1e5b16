package index

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// x/crypto/ocsp reads the same out of every response that it can read.
func TestParseAgreesWithXCrypto(t *testing.T) {
	all := realResponses(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		der := all[name]
		r := parse(t, der)
		want, err := ocsp.ParseResponse(der, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s := r.Singles[0]
		if len(r.Singles) != 1 || int(r.Status) != want.Status || r.ThisUpdate != want.ThisUpdate.Unix() ||
			r.NextUpdate != want.NextUpdate.Unix() || r.ProducedAt != want.ProducedAt.Unix() ||
			!bytes.Equal(r.TBS, want.TBSResponseData) || !bytes.Equal(r.Signature, want.Signature) ||
			!bytes.Equal(r.ResponderName, want.RawResponderName) || !bytes.Equal(r.ResponderKeyHash, want.ResponderKeyHash) ||
			s.CertID.Alg.Hash() != want.IssuerHash || !bytes.Equal(s.CertID.Serial, want.SerialNumber.Bytes()) {
			t.Errorf("%s: %+v, want %+v", name, r, want)
		}
		if want.Certificate != nil && !bytes.Equal(r.Certificates, want.Certificate.Raw) {
			t.Errorf("%s: embedded certificate differs", name)
		}
		if want.Status == ocsp.Revoked && (s.RevokedAt != want.RevokedAt.Unix() || s.Reason != want.RevocationReason) {
			t.Errorf("%s: revoked at %d for %d", name, s.RevokedAt, s.Reason)
		}
	}
}

func TestParseFoldsSeveralSingles(t *testing.T) {
	d := simple(testID(SHA1, 1, 1))
	d.singles = append(d.singles, d.singles[0], d.singles[0])
	d.singles[0].this, d.singles[0].next = "20261101000000Z", ""
	d.singles[1].this, d.singles[1].next, d.singles[1].status = "20261102000000Z", "20261104000000Z", Unknown
	d.singles[2].this, d.singles[2].next = "20261101120000Z", "20261103000000Z"
	r := parse(t, d.build())
	want := func(s string) int64 { u, _ := ParseTime([]byte(s)); return u }
	if r.Status != Unknown || r.ThisUpdate != want("20261102000000Z") || r.NextUpdate != want("20261103000000Z") {
		t.Errorf("%s, %d, %d: want the gravest status, the latest thisUpdate, the earliest nextUpdate", r.Status, r.ThisUpdate, r.NextUpdate)
	}
	d.singles[0].status, d.singles[0].revoked, d.singles[0].reason = Revoked, "20260101000000Z", 1
	if r := parse(t, d.build()); r.Status != Revoked || r.Singles[0].Reason != 1 || r.Singles[1].RevokedAt != NoTime {
		t.Errorf("%s, %+v", r.Status, r.Singles)
	}
}

func TestParseRefuses(t *testing.T) {
	change := func(f func(*draft)) []byte {
		d := simple(testID(SHA1, 1, 1))
		f(d)
		return d.build()
	}
	ok := simple(testID(SHA1, 1, 1)).build()
	for _, c := range []struct {
		name, want string
		der        []byte
	}{
		{"nothing", "not a DER SEQUENCE", nil},
		{"trailing octets", "2 trailing octets", append(bytes.Clone(ok), 5, 0)},
		{"unsigned error", "responseStatus is 6 (unauthorized)", []byte{0x30, 3, 0x0a, 1, 6}},
		{"status that is none", "responseStatus is 17 (which RFC 6960 does not know)", []byte{0x30, 3, 0x0a, 1, 17}},
		{"no responseBytes", "responseBytes is missing", []byte{0x30, 3, 0x0a, 1, 0}},
		{"another type", "not id-pkix-ocsp-basic", bytes.Replace(ok, oidBasicResponse, append(bytes.Clone(oidBasicResponse[:8]), 9), 1)},
		{"no SingleResponse", "no SingleResponse", change(func(d *draft) { d.singles = nil })},
		{"fraction of a second", `"20261101060708.5Z": want the form`, change(func(d *draft) { d.produced = "20261101060708.5Z" })},
		{"no seconds", "producedAt", change(func(d *draft) { d.produced = "202611010607Z" })},
		{"30th of February", "SingleResponse 1: thisUpdate", change(func(d *draft) { d.singles[0].this = "20260230000000Z" })},
		{"offset in place of Z", "nextUpdate", change(func(d *draft) { d.singles[0].next = "20261105060000+0100" })},
		{"the second is wrong", "SingleResponse 2: thisUpdate", change(func(d *draft) {
			d.singles = append(d.singles, d.singles[0])
			d.singles[1].this = "now"
		})},
		{"wrong hash length", "issuerNameHash of 20 and an issuerKeyHash of 19 octets, want 20 for sha1", change(func(d *draft) { d.singles[0].id.KeyHash = d.singles[0].id.KeyHash[1:] })},
		{"serial with a needless zero", "does not end with serialNumber, a minimal DER INTEGER", change(func(d *draft) { d.singles[0].id.Serial = []byte{0, 1} })},
		{"algorithm with other parameters", "parameters 0400 for its hash algorithm, want NULL or none", bytes.Replace(ok, []byte("\x2b\x0e\x03\x02\x1a\x05\x00"), []byte("\x2b\x0e\x03\x02\x1a\x04\x00"), 1)},
		{"hash that is none", "does not begin, in DER, with an AlgorithmIdentifier and two OCTET STRINGs", bytes.Replace(ok, []byte("\x1a\x05\x00\x04"), []byte("\x1a\x05\x00\x0c"), 1)},
		{"extension is no SEQUENCE", "singleExtensions", change(func(d *draft) { d.singles[0].extensions = []byte{4, 0} })},
		{"extension is no SEQUENCE", "responseExtensions", change(func(d *draft) { d.extensions = []byte{4, 0} })},
		{"version 2", "version is 020101, want v1", bytes.Replace(change(func(d *draft) { d.version = true }), []byte{0xa0, 3, 2, 1, 0}, []byte{0xa0, 3, 2, 1, 1}, 1)},
	} {
		var r Response
		if err := r.Parse(c.der); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestParseDoesNotAllocateAgain(t *testing.T) {
	der := simple(testID(SHA1, 1, 1)).build()
	r := parse(t, der)
	if allocs := testing.AllocsPerRun(100, func() {
		if err := r.Parse(der); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestReadExtension(t *testing.T) {
	for _, c := range []struct {
		der      string
		ok, crit bool
	}{
		{"300606012a04010a", true, false},
		{"300906012a0101ff04010a", true, true},
		{"300906012a01010004010a", true, false},
		{"300906012a01010104010a", false, false},
		{"300506012a0500", false, false},
		{"300806012a04010a0500", false, false},
	} {
		in := cryptobyte.String(unhex(t, c.der))
		var e Extension
		if ok := ReadExtension(&in, &e); ok != c.ok || ok && (e.Critical != c.crit || !bytes.Equal(e.OID, []byte{0x2a}) || !bytes.Equal(e.Value, []byte{0x0a})) {
			t.Errorf("%s: %v, %+v", c.der, ok, e)
		}
	}
}

// FuzzResponse takes arbitrary octets apart: what x/crypto accepts and Parse
// accepts they read alike, and what Parse accepts a segment gives back unchanged.
func FuzzResponse(f *testing.F) {
	for _, der := range forms(f) {
		if len(der) < 4096 {
			f.Add(der)
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		var r Response
		if r.Parse(der) != nil {
			return
		}
		if want, err := ocsp.ParseResponse(der, nil); err == nil && len(r.Singles) == 1 {
			if r.ThisUpdate != want.ThisUpdate.Unix() || int(r.Status) != want.Status || !bytes.Equal(r.TBS, want.TBSResponseData) {
				t.Errorf("%+v, x/crypto reads %+v", r, want)
			}
		}
		var e Entry
		if e.Set(&r) != nil {
			return
		}
		w := newWriter(t)
		defer w.Abort()
		for range 3 { // alone, then in a shape
			if err := w.Add(&e); err != nil {
				t.Fatal(err)
			}
			if err := e.Set(&r); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// An element more at the end of any SEQUENCE, tag or OCTET STRING is refused, but in
// what Parse hands out unread.
func TestParseRefusesAnElementTooMany(t *testing.T) {
	d := simple(testID(SHA1, 1, 1))
	d.byName, d.version, d.certs = true, true, []byte{0x30, 0}
	d.singles[0].status, d.singles[0].revoked, d.singles[0].reason = Revoked, "20260910111213Z", 4
	d.extensions = []byte{0x30, 0x06, 0x06, 0x01, 0x2a, 0x04, 0x01, 0x0a}
	d.singles[0].extensions = d.extensions
	der := d.build()
	r := parse(t, der)
	unread := len(r.ResponderName) + len(r.SignatureAlgorithm) + len(r.Certificates)
	refused, accepted := 0, 0
	for n := 0; ; n++ {
		left := n
		longer := withNULL(der, &left)
		if left >= 0 {
			break
		}
		var r Response
		if err := r.Parse(longer); err != nil {
			refused++
		} else if accepted++; len(r.ResponderName)+len(r.SignatureAlgorithm)+len(r.Certificates) != unread+2 {
			t.Errorf("accepted with a NULL too many:\n%x", longer)
		}
	}
	if refused < 20 || accepted != 4 { // the name, the algorithm, the certs, and in them a certificate
		t.Errorf("%d refused and %d accepted", refused, accepted)
	}
}

// withNULL appends a NULL to the content of the n-th element of der, from 0, that has
// elements in it. It counts n down, which is negative then.
func withNULL(der []byte, n *int) []byte {
	b := cryptobyte.NewBuilder(nil)
	for in := cryptobyte.String(der); !in.Empty(); {
		var content cryptobyte.String
		var tag asn1.Tag
		if !in.ReadAnyASN1(&content, &tag) {
			panic("not DER")
		}
		inner := []byte(content)
		if tag&0x20 != 0 || tag == asn1.OCTET_STRING && len(content) > 100 { // the BasicOCSPResponse
			if *n--; *n == -1 {
				inner = append(bytes.Clone(inner), 5, 0)
			} else {
				inner = withNULL(inner, n)
			}
		}
		b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(inner) })
	}
	return b.BytesOrPanic()
}
