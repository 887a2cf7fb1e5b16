package index

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"lancre/internal/ocsptest"
)

// A draft is an OCSPResponse to be made by hand: every form that a CA may send,
// with a signature that nobody checks here.
type draft struct {
	singles    []draftSingle
	produced   string
	byName     bool
	version    bool // spelled out
	signature  []byte
	certs      []byte // content of certs
	extensions []byte // content of responseExtensions
}

type draftSingle struct {
	id         CertID
	status     Status
	revoked    string
	reason     int // -1 none
	this, next string
	extensions []byte
}

func explicit(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }

func addTime(b *cryptobyte.Builder, s string) {
	b.AddASN1(asn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func addExtensions(b *cryptobyte.Builder, content []byte) {
	if content != nil {
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(content) })
		})
	}
}

func (s *draftSingle) build(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddValue(&s.id)
		switch s.status {
		case Good:
			b.AddASN1(asn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
		case Unknown:
			b.AddASN1(asn1.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
		case Revoked:
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
				addTime(b, s.revoked)
				if s.reason >= 0 {
					b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(s.reason)) })
				}
			})
		}
		addTime(b, s.this)
		if s.next != "" {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { addTime(b, s.next) })
		}
		addExtensions(b, s.extensions)
	})
}

func (d *draft) build() []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oidBasicResponse) })
				b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1(asn1.SEQUENCE, d.basic) })
			})
		})
	})
	return b.BytesOrPanic()
}

func (d *draft) basic(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if d.version {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(0) })
		}
		if d.byName {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { b.AddASN1(asn1.SEQUENCE, func(*cryptobyte.Builder) {}) })
		} else {
			b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString([]byte("responder key sha1..")) })
		}
		addTime(b, d.produced)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for i := range d.singles {
				d.singles[i].build(b)
			}
		})
		addExtensions(b, d.extensions)
	})
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte{0x2b, 0x65, 0x70}) })
	})
	b.AddASN1BitString(d.signature)
	if d.certs != nil {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(d.certs) })
		})
	}
}

// testID is a CertID of a made-up issuer.
func testID(alg HashAlg, issuer byte, serial ...byte) CertID {
	fill := func(c byte) []byte { return bytes.Repeat([]byte{c}, alg.Size()) }
	return CertID{alg, fill(issuer), fill(^issuer), serial}
}

// simple is a good answer for id.
func simple(id CertID) *draft {
	return &draft{
		produced:  "20261101060708Z",
		signature: bytes.Repeat([]byte{0xab}, 64),
		singles:   []draftSingle{{id: id, this: "20261101060000Z", next: "20261105060000Z", reason: -1}},
	}
}

// ecdsaSignature is the DER of two numbers.
func ecdsaSignature(r, s *big.Int) []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.BytesOrPanic()
}

// forms is one response of each form, by name, over distinct CertIDs.
func forms(t testing.TB) map[string][]byte {
	revoked := simple(testID(SHA1, 1, 0x11))
	revoked.singles[0].status, revoked.singles[0].revoked = Revoked, "20260910111213Z"
	reason := simple(testID(SHA256, 1, 0x12))
	reason.singles[0].status, reason.singles[0].revoked, reason.singles[0].reason = Revoked, "20260910111213Z", 4
	unknown := simple(testID(SHA384, 1, 0x13))
	unknown.singles[0].status = Unknown
	dual := simple(testID(SHA1, 1, 0x14))
	dual.singles = append(dual.singles, draftSingle{id: testID(SHA256, 1, 0x14), this: "20261101060000Z", next: "20261105060000Z", reason: -1})
	twoTimes := simple(testID(SHA1, 1, 0x15))
	twoTimes.singles = append(twoTimes.singles, draftSingle{id: testID(SHA512, 2, 0x7f, 0x15), this: "20261101070000Z", next: "20261104060000Z", reason: -1})
	twice := simple(testID(SHA1, 1, 0x16))
	twice.singles = append(twice.singles, twice.singles[0])
	certs := simple(testID(SHA1, 1, 0x17))
	certs.certs = bytes.Repeat([]byte{0x30, 0x02, 0x05, 0x00}, 300)
	named := simple(testID(SHA1, 1, 0x18))
	named.byName, named.version = true, true
	extended := simple(testID(SHA1, 1, 0x19))
	extended.extensions = []byte{0x30, 0x06, 0x06, 0x01, 0x2a, 0x04, 0x01, 0x00}
	extended.singles[0].extensions = []byte{0x30, 0x09, 0x06, 0x01, 0x2a, 0x01, 0x01, 0xff, 0x04, 0x01, 0x00}
	ancient := simple(testID(SHA1, 1, 0x1a))
	ancient.singles[0].status, ancient.singles[0].revoked = Revoked, "19500101000000Z"
	long := simple(testID(SHA1, 1, 0x1b))
	long.certs = bytes.Repeat([]byte{0x30, 0x02, 0x05, 0x00}, 20000)
	short := simple(testID(SHA1, 1, 0x1c))
	short.signature = nil
	ec := simple(testID(SHA1, 1, bytes.Repeat([]byte{0x7f}, 20)...))
	ec.signature = ecdsaSignature(new(big.Int).Lsh(big.NewInt(0xff), 248), big.NewInt(1))
	signed21 := simple(testID(SHA1, 1, append([]byte{0}, bytes.Repeat([]byte{0xff}, 20)...)...))

	all := map[string][]byte{}
	for name, d := range map[string]*draft{
		"good": simple(testID(SHA1, 1, 0x10)), "revoked": revoked, "revoked with reason": reason, "unknown": unknown,
		"dual": dual, "two certificates, two times": twoTimes, "one certificate twice": twice,
		"embedded certs": certs, "by name, explicit version": named, "extensions": extended, "revoked before 1970": ancient,
		"longer than a shape": long, "empty signature": short, "short ECDSA number": ec, "21-octet serial": signed21,
	} {
		all[name] = d.build()
	}
	for name, der := range realResponses(t) {
		all[name] = der
	}
	return all
}

// realResponses are signed by x/crypto/ocsp, which knows RSA and ECDSA keys, by the
// CA itself and by a delegated responder. A draft has Ed25519's form.
func realResponses(t testing.TB) map[string][]byte {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey, "P-256": nil} {
		ca := ocsptest.NewCA(name+" CA", key)
		delegate := ocsptest.NewCA(name+" delegated responder", ca.Key)
		for i, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			template := ocsp.Response{
				Status: ocsp.Good, SerialNumber: big.NewInt(int64(1000 + i)), IssuerHash: hash,
				ThisUpdate: time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC), NextUpdate: time.Date(2026, 11, 5, 6, 0, 0, 0, time.UTC),
			}
			if hash == crypto.SHA384 {
				template.Status, template.RevokedAt, template.RevocationReason = ocsp.Revoked, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), ocsp.KeyCompromise
			}
			responder := ca
			if hash == crypto.SHA512 {
				template.Certificate, responder = delegate.Certificate, delegate
			}
			der, err := ocsp.CreateResponse(ca.Certificate, responder.Certificate, template, responder.Key)
			if err != nil {
				t.Fatal(err)
			}
			all[name+" "+hash.String()] = der
		}
	}
	return all
}

func parse(t testing.TB, der []byte) *Response {
	t.Helper()
	var r Response
	if err := r.Parse(der); err != nil {
		t.Fatalf("%v\n%x", err, der)
	}
	return &r
}

// write builds a segment of responses, in order, and opens it.
func write(t testing.TB, responses ...[]byte) (*Segment, Stats) {
	t.Helper()
	w := newWriter(t)
	add(t, w, responses...)
	return finish(t, w)
}

func newWriter(t testing.TB) *Writer {
	t.Helper()
	w, err := NewWriter(t.TempDir(), Everything)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func add(t testing.TB, w *Writer, responses ...[]byte) {
	t.Helper()
	for _, der := range responses {
		var e Entry
		if err := e.Set(parse(t, der)); err != nil {
			t.Fatal(err)
		}
		if err := w.Add(&e); err != nil {
			t.Fatal(err)
		}
	}
}

// bury adds the tombstone of id in place of a good answer.
func bury(t testing.TB, w *Writer, id CertID, thisUpdate, producedAt int64) {
	t.Helper()
	hide(t, w, id, CertStatus{Moment{thisUpdate, producedAt}, Good, NoTime, -1})
}

// hide adds the tombstone of id in place of an answer that said hidden.
func hide(t testing.TB, w *Writer, id CertID, hidden CertStatus) {
	t.Helper()
	var e Entry
	if err := e.SetTombstone(&id, hidden); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(&e); err != nil {
		t.Fatal(err)
	}
}

// writtenFile writes a segment of responses, in order.
func writtenFile(t testing.TB, responses ...[]byte) (path string) {
	t.Helper()
	w := newWriter(t)
	add(t, w, responses...)
	path, _, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// octets are those of the segment that w wrote.
func octets(t testing.TB, w *Writer) []byte {
	t.Helper()
	path, _, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func finish(t testing.TB, w *Writer) (*Segment, Stats) {
	t.Helper()
	path, stats, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) != 1 {
		t.Errorf("files left beside the segment: %q", left)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := verify(s); err != nil {
		t.Fatal(err)
	}
	return s, stats
}

// lookup returns the response stored under id; nil if there is none.
func lookup(t testing.TB, s *Segment, id CertID) []byte {
	t.Helper()
	rec, found, err := s.Lookup(id.Key(), &id)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return nil
	}
	return rec.AppendResponse([]byte{})
}
