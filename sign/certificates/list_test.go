package certificates

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index"
	"lancre/internal/database"
)

// at is when lists are read.
var at = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// must is for what fails only if the test is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var issuer, issued = newCA()

// newCA is a CA's certificate, and one that it issued, of serial number FE01.
func newCA() (ca, cert *x509.Certificate) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, SubjectKeyId: []byte{0xab, 0xcd}}
	ca = must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))))
	leaf := &x509.Certificate{SerialNumber: big.NewInt(0xfe01), NotAfter: at.AddDate(0, 0, 90)}
	return ca, must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), key))))
}

// write writes a file.
func write(t testing.TB, content string) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// read is what l has, a text a certificate.
func read(t testing.TB, l List) (texts []string, r Reading, err error) {
	t.Helper()
	l.Issuer = issuer
	if err := l.Check(); err != nil {
		return nil, r, err
	}
	now := at
	if database.Names(l.Source) {
		now = time.Now() // which is compared with that of the server
	}
	r, err = l.Read(t.Context(), now, func(c *Certificate) error {
		text := fmt.Sprintf("%d %x %s", c.Row, c.Serial, c.Status)
		if c.Status == index.Revoked {
			text += fmt.Sprintf(" %s %d", utc(c.RevokedAt), c.Reason)
		} else if c.RevokedAt != index.NoTime || c.Reason != -1 {
			text += " with leftovers"
		}
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s until %s %s", text, utc(c.NotAfter), c.Shard)))
		return nil
	})
	return texts, r, err
}

// compare compares what a list has, its rows and those of others with what it should.
func compare(t *testing.T, l List, want []string, rows, foreign uint64) {
	t.Helper()
	got, r, err := read(t, l)
	if err != nil || !slices.Equal(got, want) || r.Rows != rows || r.Foreign != foreign {
		t.Errorf("%d rows, %d of others, error %v:\n%s\nwant %d, %d:\n%s", r.Rows, r.Foreign, err, strings.Join(got, "\n"), rows, foreign, strings.Join(want, "\n"))
	}
}

// Every letter and every form of a revocation that openssl ca writes.
func TestOpenSSLIndex(t *testing.T) {
	compare(t, List{Source: "openssl:" + write(t, strings.Join([]string{
		"# a comment",
		"V\t270101000000Z\t\t01\tunknown\t/CN=a",
		"V\t20500101000000Z\t\t00FE\tunknown\t/CN=b\\\twith a tab",
		"E\t260101000000Z\t\tA3\tunknown\t/CN=c",
		"R\t270101000000Z\t260301020304Z\t04\tunknown\t/CN=d",
		"R\t270101000000Z\t260301020304Z,unspecified\t05\tunknown\t/CN=e",
		"R\t270101000000Z\t20260301020304Z,KEYCOMPROMISE\t06\tunknown\t/CN=f",
		"R\t270101000000Z\t260301020304Z,CACompromise\t07\tunknown\t/CN=g",
		"R\t270101000000Z\t260301020304Z,affiliationChanged\t08\tunknown\t/CN=h",
		"R\t270101000000Z\t260301020304Z,superseded\t09\tunknown\t/CN=i",
		"R\t270101000000Z\t260301020304Z,cessationOfOperation\t0A\tunknown\t/CN=j",
		"R\t270101000000Z\t260301020304Z,certificateHold\t0B\tunknown\t/CN=k",
		"R\t270101000000Z\t260301020304Z,holdInstruction,1.2.840.10040.2.2\t0C\tunknown\t/CN=l",
		"R\t270101000000Z\t260301020304Z,keyTime,20260201000000Z\t0D\tunknown\t/CN=m",
		"R\t270101000000Z\t260301020304Z,CAkeyTime,20260201000000Z\t0E\tunknown\t/CN=n",
		"S\t270101000000Z\t991231235959Z\t0F\tunknown\t/CN=o",
	}, "\n")+"\n")}, []string{
		"2 01 good until 2027-01-01T00:00:00Z",
		"3 00fe good until 2050-01-01T00:00:00Z",
		"4 00a3 good until 2026-01-01T00:00:00Z",
		"5 04 revoked 2026-03-01T02:03:04Z -1 until 2027-01-01T00:00:00Z",
		"6 05 revoked 2026-03-01T02:03:04Z -1 until 2027-01-01T00:00:00Z",
		"7 06 revoked 2026-03-01T02:03:04Z 1 until 2027-01-01T00:00:00Z",
		"8 07 revoked 2026-03-01T02:03:04Z 2 until 2027-01-01T00:00:00Z",
		"9 08 revoked 2026-03-01T02:03:04Z 3 until 2027-01-01T00:00:00Z",
		"10 09 revoked 2026-03-01T02:03:04Z 4 until 2027-01-01T00:00:00Z",
		"11 0a revoked 2026-03-01T02:03:04Z 5 until 2027-01-01T00:00:00Z",
		"12 0b revoked 2026-03-01T02:03:04Z 6 until 2027-01-01T00:00:00Z",
		"13 0c revoked 2026-03-01T02:03:04Z 6 until 2027-01-01T00:00:00Z",
		"14 0d revoked 2026-03-01T02:03:04Z 1 until 2027-01-01T00:00:00Z",
		"15 0e revoked 2026-03-01T02:03:04Z 2 until 2027-01-01T00:00:00Z",
		"16 0f revoked 1999-12-31T23:59:59Z 6 until 2027-01-01T00:00:00Z",
	}, 15, 0)
}

func TestOpenSSLIndexRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"":                                       "1 fields",
		"V\t":                                    `2 fields "V\t", want 6 with tabs between them: is this the index of openssl ca?`,
		"X\t270101000000Z\t\t01\tunknown\t/CN=a": `status "X": want V, R, E or S`,
		"v\t270101000000Z\t\t01\tunknown\t/CN=a": `status "v"`,
		"V\t270101000000Z\t260301020304Z\t01\tunknown\t/CN=a":                `status V with the revocation "260301020304Z": is it revoked (R) or not?`,
		"E\t270101000000Z\t\t01\tunknown\t/CN=a":                             "status E, expired, but notAfter is 2027-01-01T00:00:00Z and it is 2026-03-04T05:06:07Z",
		"R\t270101000000Z\t\t01\tunknown\t/CN=a":                             `revocation date "": want the form YYMMDDHHMMSSZ`,
		"S\t270101000000Z\t\t01\tunknown\t/CN=a":                             `status S, suspended: revocation date ""`,
		"R\t270101000000Z\t260301020304Z,removeFromCRL\t01\tunknown\t/CN=a":  "reason 8 (removeFromCRL) is for delta CRLs alone: is it revoked or not?",
		"R\t270101000000Z\t260301020304Z,mistake\t01\tunknown\t/CN=a":        `the reason "mistake" is none that openssl knows`,
		"R\t270101000000Z\t260304051108Z\t01\tunknown\t/CN=a":                "it was revoked 2026-03-04T05:11:08Z, which is in the future: it is 2026-03-04T05:06:07Z",
		"R\t270101000000Z\t691231235959Z\t01\tunknown\t/CN=a":                "before 1970",
		"V\t271301000000Z\t\t01\tunknown\t/CN=a":                             `notAfter "271301000000Z"`,
		"V\t2701010000Z\t\t01\tunknown\t/CN=a":                               `notAfter "2701010000Z"`,
		"V\t270101000000Z\t\t0G\tunknown\t/CN=a":                             `serial "0G": want hexadecimal digits`,
		"V\t270101000000Z\t\t00\tunknown\t/CN=a":                             `serial "00": want a positive number`,
		"V\t270101000000Z\t\t" + strings.Repeat("01", 21) + "\tunknown\t/CN": "has 21 octets, want at most 20",
		"V\t" + strings.Repeat("x", maxIndexLine):                            "line 2 is too long",
	} {
		name := write(t, "V\t270101000000Z\t\t02\tunknown\t/CN=ok\n"+line+"\n")
		if _, _, err := read(t, List{Source: "openssl:" + name}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name+": line 2") {
			t.Errorf("%q: error %v, want %q, file and line", line, err, want)
		}
	}
}

const header = "serial,status,not_after,revoked_at,reason"

func TestCSV(t *testing.T) {
	pemText := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issued.Raw}))
	notAfter := utc(issued.NotAfter.Unix())
	for _, tt := range []struct {
		text          string
		serial        Base
		want          []string
		rows, foreign uint64
	}{
		{"\ufeff" + header + "\n" +
			"0A,good,2027-01-01T00:00:00+02:00,2026-01-01T00:00:00Z,1\n" +
			"0xff,revoked,1800000000,2026-03-01 02:03:04+00:00,0\n" +
			"b,revoked,1800000000,1772330584,\n", AnyBase, []string{
			"2 0a good until 2026-12-31T22:00:00Z",
			"3 00ff revoked 2026-03-01T02:03:04Z -1 until 2027-01-15T08:00:00Z",
			"4 0b revoked 2026-03-01T02:03:04Z -1 until 2027-01-15T08:00:00Z",
		}, 3, 0},
		{header + "\n255,good,1800000000,,\n" + strings.Repeat("9", 48) + ",good,1800000000,,\n", Decimal, []string{
			"2 00ff good until 2027-01-15T08:00:00Z",
			"3 00af298d050e4395d69670b12b7f40ffffffffffff good until 2027-01-15T08:00:00Z",
		}, 2, 0},
		{"status,issuer,serial,shard,not_after,reason,revoked_at\n" +
			"good,CN=CA,1,7,1800000000,,\ngood,abcd,2,8,1800000000,,\nwhat,CN=other,x,,,,\ngood," +
			fmt.Sprint(boulderID(issuer.RawSubject)) + ",3,,1800000000,,\n", Hex, []string{
			"2 01 good until 2027-01-15T08:00:00Z 7",
			"3 02 good until 2027-01-15T08:00:00Z 8",
			"5 03 good until 2027-01-15T08:00:00Z",
		}, 4, 1},
		{"certificate,status,reason,revoked_at\n\"" + pemText + "\",good,,\n\"" + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuer.Raw})) + "\",good,,\n", AnyBase,
			[]string{"2 00fe01 good until " + notAfter, fmt.Sprintf("%d 01 good until %s", strings.Count(pemText, "\n")+3, utc(issuer.NotAfter.Unix()))}, 2, 0},
	} {
		compare(t, List{Source: write(t, tt.text), Serial: tt.serial}, tt.want, tt.rows, tt.foreign)
	}
}

func TestCSVRefuses(t *testing.T) {
	pemText := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issued.Raw}))
	whole := "certificate,status,reason,revoked_at,not_after,serial\n\"" + pemText + "\",good,,,"
	for _, tt := range []struct{ text, want string }{
		{"", "no header"},
		{"serial,status\n", `columns ["serial" "status"]: want also status, revoked_at and reason`},
		{"status,revoked_at,reason\n", "want also serial and not_after, or certificate in place of both"},
		{header + ",isuer\n", `column "isuer" is unknown: want serial, status`},
		{header + ",serial\n", `column "serial" is there twice`},
		{header + "\n12,good,1800000000,,\n", `line 2: serial "12" could be hexadecimal or decimal: say which (--serial hex, or decimal)`},
		{header + "\n-a,good,1800000000,,\n", `serial "-a": want hexadecimal digits`},
		{header + "\n0xa,Good,1800000000,,\n", `status "Good": want good or revoked`},
		{header + "\n0xa,,1800000000,,\n", `status ""`},
		{header + "\n0xa,expired,1800000000,,\n", `status "expired"`},
		{header + "\n0xa,good,1800000000000,,\n", "not_after 1800000000000 is more than 100000000000: milliseconds? want seconds"},
		{header + "\n0xa,good,2027-01-01 00:00:00,,\n", `not_after "2027-01-01 00:00:00" has no zone`},
		{header + "\n0xa,good,2027-01-01T00:00:00,,\n", "has no zone"},
		{header + "\n0xa,good,tomorrow,,\n", `not_after "tomorrow": want a time with its zone`},
		{header + "\n0xa,good,,,\n", `not_after ""`},
		{header + "\n0xa,revoked,1800000000,,1\n", "status revoked, but revoked_at is empty"},
		{header + "\n0xa,revoked,1800000000,1,x\n", `reason "x": want a number`},
		{header + "\n0xa,revoked,1800000000,1,7\n", "reason 7 is none of a revocation"},
		{header + "\n0xa,revoked,1800000000,1,11\n", "reason 11"},
		{header + "\n0xa,revoked,1800000000,1,-1\n0xb,revoked,1800000000,1,-2\n", "line 3: reason -2"},
		{header + "\n0xa,revoked,1800000000,1800000000,1\n", "which is in the future"},
		{header + ",issuer\n0xa,good,1800000000,,,\n", "issuer is empty"},
		{header + "\n0xa,good\n", "wrong number of fields"},
		{whole + "1800000000,0xfe01\n", "not_after is 2027-01-15T08:00:00Z, that of the certificate 2026-06-02T05:06:07Z"},
		{whole + "2026-06-02T05:06:07Z,0xfe02\n", "serial is 00fe02, that of the certificate 00fe01"},
		{"certificate,status,reason,revoked_at\nx,good,,\n", "certificate of 1 octets: want one in DER or PEM"},
	} {
		name := write(t, tt.text)
		if _, _, err := read(t, List{Source: name}); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: error %v, want %q and the name of the file", tt.text, err, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		list List
		want string
	}{
		{List{}, "no list of certificates"},
		{List{Source: "x", Serial: "octal"}, `in the base "octal": want hex or decimal`},
		{List{Source: "x", Query: "SELECT 1"}, "x is no database, but there is a query"},
		{List{Source: "x", Schema: "cfssl"}, "x is no database"},
		{List{Source: "sqlite:x"}, "needs either a query (--query) or a schema (--schema: boulder, cfssl)"},
		{List{Source: "sqlite:x", Query: "SELECT 1", Schema: "cfssl"}, "needs either"},
		{List{Source: "sqlite:x", Query: "DELETE FROM x"}, `begins with "DELETE"`},
		{List{Source: "sqlite:x", Schema: "ejbca"}, `schema "ejbca": want boulder or cfssl, or a query`},
		{List{Source: "sqlite:x", Schema: "boulder"}, "sqlite:x: boulder does not use SQLite"},
		{List{Source: "sqlite:x", Schema: "cfssl", Serial: Hex}, "serial numbers of cfssl are decimal, not hex"},
		{List{Source: "openssl:x", Serial: Decimal}, "the index of openssl has serial numbers in hex"},
	} {
		if err := tt.list.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q", tt.list, err, tt.want)
		}
	}
}

func TestReadEnds(t *testing.T) {
	list := List{Source: "openssl:" + write(t, strings.Repeat("V\t270101000000Z\t\t01\tunknown\t/CN=a\n", 3)), Issuer: issuer}
	enough := errors.New("enough")
	if _, err := list.Read(t.Context(), at, func(*Certificate) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error %v, want that of who reads", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := list.Read(ctx, at, func(*Certificate) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	list.Source = "nowhere"
	if _, err := list.Read(t.Context(), at, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want that there is no such file", err)
	}
}

// A list of any length is handed over in its order, up to the first error, though more is
// read meanwhile.
func TestReadAhead(t *testing.T) {
	enough := errors.New("enough")
	for _, n := range []int{0, 1, batchSize - 1, batchSize, batchSize + 1, 2 * batches * batchSize} {
		var text strings.Builder
		text.WriteString(header + "\n")
		for i := range n {
			fmt.Fprintf(&text, "0x%x,good,2027-01-01T00:00:00Z,,\n", i+1)
		}
		list := List{Source: write(t, text.String()), Issuer: issuer}
		for _, end := range []int{1, n / 2, n, n + 1} {
			seen := 0
			r, err := list.Read(t.Context(), at, func(c *Certificate) error {
				seen++
				if got := new(big.Int).SetBytes(c.Serial); got.Int64() != int64(seen) || c.Row != seen+1 {
					t.Errorf("%d rows: serial %s in row %d, want %d", n, got, c.Row, seen)
				}
				if seen == end {
					return enough
				}
				return nil
			})
			want := fmt.Sprintf("certificates %s: line %d: enough", list.Source, end+1)
			switch {
			case end < 1 || end > n:
				if err != nil || seen != n || r.Rows != uint64(n) {
					t.Errorf("%d of %d rows, Rows is %d, %v", seen, n, r.Rows, err)
				}
			case err == nil || err.Error() != want || seen != end:
				t.Errorf("%d of %d rows, error %v, want %s", seen, n, err, want)
			}
		}
	}
}

// A row that is wrong ends the reading when all before it are handed over.
func TestRowsBeforeAnError(t *testing.T) {
	list := List{Source: write(t, header+"\n0x1,good,2027-01-01T00:00:00Z,,\n0x2,odd,2027-01-01T00:00:00Z,,\n"), Issuer: issuer}
	seen := 0
	_, err := list.Read(t.Context(), at, func(*Certificate) error { seen++; return nil })
	if err == nil || !strings.Contains(err.Error(), `line 3: status "odd"`) || seen != 1 {
		t.Errorf("%d rows, error %v", seen, err)
	}
}

// fuzz reads a list of that content: whatever it is, what is read is a certificate that
// a response can be about.
func fuzz(f *testing.F, prefix string, seeds ...string) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &reader{ctx: t.Context(), list: &List{Issuer: issuer}, at: at.Unix(), names: namesOf(issuer)}
		r.each = func(c *Certificate) error {
			ok := index.MinimalInteger(c.Serial) && len(c.Serial) <= maxSerial+1 && c.Serial[0] < 0x80 && c.Row > 0
			if c.Status == index.Revoked {
				ok = ok && c.RevokedAt >= 0 && c.RevokedAt <= at.Unix()+index.MaxSkew && c.Reason != 0 && c.Reason >= -1 && c.Reason <= lastReason
			} else {
				ok = ok && c.Status == index.Good && c.RevokedAt == index.NoTime && c.Reason == -1
			}
			if !ok {
				t.Errorf("%+v", c)
			}
			return nil
		}
		if prefix == OpenSSLPrefix {
			r.opensslIndex(strings.NewReader(text))
		} else {
			r.csv(strings.NewReader(text))
		}
	})
}

func FuzzOpenSSLIndex(f *testing.F) {
	fuzz(f, OpenSSLPrefix, "V\t270101000000Z\t\t01\tunknown\t/CN=a\n", "R\t20500101000000Z\t260301020304Z,keyTime,20260201000000Z\tFE\tunknown\t/\n",
		"E\t260101000000Z\t\t00A3\tunknown\t/\n#\nS\t270101000000Z\t991231235959Z\t0F\tunknown\t/")
}

func FuzzCSV(f *testing.F) {
	fuzz(f, "", header+"\n0xA,good,2027-01-01T00:00:00+02:00,,\n0xb,revoked,1800000000,2026-03-01 02:03:04+00,1\n",
		"status,issuer,certificate,shard,reason,revoked_at\ngood,CN=CA,\""+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issued.Raw}))+"\",1,,\n")
}
