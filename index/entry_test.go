package index

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// ofSize is d's response, made n octets long by its certs.
func ofSize(t *testing.T, d *draft, n int) []byte {
	t.Helper()
	d.certs = []byte{}
	for range 4 { // as often as lengths in headers take an octet more
		if der := d.build(); len(der) != n {
			d.certs = make([]byte, len(d.certs)+n-len(der))
		}
	}
	der := d.build()
	if len(der) != n {
		t.Fatalf("made a response of %d octets, want %d", len(der), n)
	}
	return der
}

// What is as large as the format allows is stored and found.
func TestLargestEntries(t *testing.T) {
	ends := simple(testID(SHA1, 1, 0x10)) // of the times that a record holds
	ends.produced, ends.singles[0].this, ends.singles[0].next = "19700101000000Z", "19700101000000Z", "21060207062815Z"
	late := simple(testID(SHA1, 1, 0x11))
	late.produced, late.singles[0].this, late.singles[0].next = "21060207062815Z", "21060207062815Z", "21060207062815Z"
	many := simple(testID(SHA512, 1, 0x20))
	for i := byte(1); i < MaxCertIDs; i++ {
		many.singles = append(many.singles, many.singles[0])
		many.singles[i].id = testID(SHA512, 1+i, 0x20)
	}
	for name, der := range map[string][]byte{
		"earliest times":        ends.build(),
		"latest times":          late.build(),
		"16 SingleResponses":    many.build(),
		"21-octet serial":       simple(testID(SHA1, 1, bytes.Repeat([]byte{0x7f}, MaxSerial)...)).build(),
		"longest with a shape":  ofSize(t, simple(testID(SHA1, 1, 0x30)), maxShaped),
		"one octet more":        ofSize(t, simple(testID(SHA1, 1, 0x30)), maxShaped+1),
		"longest in a segment":  ofSize(t, simple(testID(SHA1, 1, 0x30)), MaxResponse),
		"one octet less":        ofSize(t, simple(testID(SHA1, 1, 0x30)), MaxResponse-1),
		"longest, several IDs":  ofSize(t, many, MaxResponse),
		"a shape, several IDs":  ofSize(t, many, maxShaped),
		"latest, and a shape":   ofSize(t, late, maxShaped),
		"earliest, and a shape": ofSize(t, ends, maxShaped),
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := write(t, der)
			checkHolds(t, s, der)
		})
	}
}

// Up to 65535 octets a response is cut into a shape and a payload, beyond it is whole.
func TestLongResponsesAreWhole(t *testing.T) {
	for size, want := range map[int]bool{65535: false, 65536: true} {
		var e Entry
		if err := e.Set(parse(t, ofSize(t, simple(testID(SHA1, 1, 0x30)), size))); err != nil {
			t.Fatal(err)
		}
		if e.shape.whole != want {
			t.Errorf("%d octets: whole is %t, want %t", size, e.shape.whole, want)
		}
	}
}

func TestEntryRefuses(t *testing.T) {
	noNext := simple(testID(SHA1, 1, 1))
	noNext.singles[0].next = ""
	early, late := simple(testID(SHA1, 1, 1)), simple(testID(SHA1, 1, 1))
	early.produced = "19691231235959Z"
	late.singles[0].next = "21060207062816Z"
	long := simple(testID(SHA1, 1, bytes.Repeat([]byte{1}, MaxSerial+1)...))
	many := simple(testID(SHA1, 1, 1))
	for len(many.singles) < MaxCertIDs+1 {
		many.singles = append(many.singles, many.singles[0])
	}
	other := simple(CertID{UnknownAlg, []byte("name"), []byte("key"), []byte{1}})
	for want, der := range map[string][]byte{
		"no nextUpdate": noNext.build(), "producedAt is 1969-12-31T23:59:59Z": early.build(), "nextUpdate is 2106-02-07T06:28:16Z": late.build(),
		"22 octets, a store takes 1 to 21": long.build(), "17 SingleResponses, a store takes 16": many.build(),
		"1048577 octets, a store takes 1048576": ofSize(t, simple(testID(SHA1, 1, 1)), MaxResponse+1), "none of SHA-1": other.build(),
	} {
		var e Entry
		if err := e.Set(parse(t, der)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestTombstoneRefuses(t *testing.T) {
	for _, c := range []struct {
		want                 string // no error if empty
		id                   CertID
		thisUpdate, produced int64
	}{
		{"", testID(SHA1, 1, 1), 0, math.MaxUint32},
		{"", testID(SHA512, 1, make([]byte, MaxSerial)...), math.MaxUint32, 0},
		{"none of SHA-1", CertID{Alg: SHA512 + 1, Serial: []byte{1}}, 0, 0},
		{"serial number has 0 octets", testID(SHA1, 1), 0, 0},
		{"serial number has 22 octets", testID(SHA1, 1, make([]byte, MaxSerial+1)...), 0, 0},
		{"thisUpdate is 1969-12-31T23:59:59Z", testID(SHA1, 1, 1), -1, 0},
		{"producedAt is 2106-02-07T06:28:16Z", testID(SHA1, 1, 1), 0, math.MaxUint32 + 1},
	} {
		var e Entry
		err := e.SetTombstone(&c.id, CertStatus{Moment: Moment{c.thisUpdate, c.produced}})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// BenchmarkEntry is what a build does with each response, on any number of
// goroutines, before the Writer gets it.
func BenchmarkEntry(b *testing.B) {
	all := realResponses(b)
	for _, name := range []string{"P-256 SHA-1", "RSA SHA-256"} {
		b.Run(name, func(b *testing.B) {
			var r Response
			var e Entry
			for b.Loop() {
				if err := r.Parse(all[name]); err != nil {
					b.Fatal(err)
				}
				if err := e.Set(&r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
