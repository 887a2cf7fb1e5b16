package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// sumA and sumB are the names of two objects.
var sumA, sumB = strings.Repeat("a1", 32), strings.Repeat("b2", 32)

// sampleLines is a manifest without its end line.
var sampleLines = []string{
	"lancre store 1",
	"origin ocsp.example.org",
	"generation 7",
	"created 2026-11-23T14:00:00Z",
	"segment delta 0/1 3 4096 " + sumA + " -",
	"segment base 1/2 250 8192 " + sumB + " 2026-11-27T02:00:00Z",
	"file _ /robots.txt text/plain 26 " + sumA + " 2026-01-05T09:00:00Z -",
	"file c.example.org /1.crl application/pkix-crl 712 " + sumB + " 2026-11-23T12:00:00Z 2026-12-02T12:00:00Z",
	"file c.example.org /2.crl application/pkix-crl 713 " + sumA + " 2026-11-23T12:00:00Z 2026-12-02T12:00:00Z",
}

var sampleManifest = Manifest{
	Origin:     "ocsp.example.org",
	Generation: 7,
	Created:    time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC),
	Segments: []SegmentLine{
		{Role: "delta", Shard: Shard{0, 1}, Records: 3, Size: 4096, SHA256: sumA},
		{Role: "base", Shard: Shard{1, 2}, Records: 250, Size: 8192, SHA256: sumB,
			NextUpdate: time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC)},
	},
	Files: []FileLine{
		{Host: "_", Path: "/robots.txt", ContentType: "text/plain", Size: 26, SHA256: sumA,
			LastModified: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)},
		{Host: "c.example.org", Path: "/1.crl", ContentType: "application/pkix-crl", Size: 712, SHA256: sumB,
			LastModified: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Expires: time.Date(2026, 12, 2, 12, 0, 0, 0, time.UTC)},
		{Host: "c.example.org", Path: "/2.crl", ContentType: "application/pkix-crl", Size: 713, SHA256: sumA,
			LastModified: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Expires: time.Date(2026, 12, 2, 12, 0, 0, 0, time.UTC)},
	},
}

// seal joins lines and adds the end line that fits them.
func seal(lines ...string) string {
	text := strings.Join(lines, "\n") + "\n"
	return fmt.Sprintf("%send %x\n", text, sha256.Sum256([]byte(text)))
}

func TestManifestText(t *testing.T) {
	text := seal(sampleLines...)
	if got := string(sampleManifest.Encode()); got != text {
		t.Errorf("Encode gives\n%s\nwant\n%s", got, text)
	}
	m, err := ParseManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*m, sampleManifest) {
		t.Errorf("ParseManifest gives\n%+v\nwant\n%+v", *m, sampleManifest)
	}
}

func TestManifestWithoutObjects(t *testing.T) {
	text := seal(sampleLines[:4]...)
	m, err := ParseManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Segments) != 0 || len(m.Files) != 0 || string(m.Encode()) != text {
		t.Errorf("got %+v", m)
	}
}

func TestEncodeConvertsTimes(t *testing.T) {
	m := sampleManifest
	m.Created = m.Created.Add(999 * time.Millisecond).In(time.FixedZone("", 3600))
	if got, want := m.Encode(), sampleManifest.Encode(); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// exampleInDoc returns the worked example of the package comment.
func exampleInDoc(t testing.TB) []byte {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, example, ok := strings.Cut(string(doc), "// For example:\n")
	if !ok {
		t.Fatal("doc.go has no example")
	}
	var text bytes.Buffer
	for line := range strings.Lines(example) {
		if line, ok := strings.CutPrefix(line, "//\t"); ok {
			text.WriteString(line)
		}
	}
	return text.Bytes()
}

func TestExampleInDocIsValid(t *testing.T) {
	text := exampleInDoc(t)
	m, err := ParseManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Encode(), text) || len(m.Segments) != 3 || len(m.Files) != 2 {
		t.Errorf("the example means\n%s", m.Encode())
	}
}

func TestParseManifestRefuses(t *testing.T) {
	tests := []struct {
		name     string
		line     int // of sampleLines, from 1
		old, new string
		want     string
	}{
		{"another file", 1, "lancre store 1", "#!/bin/sh", `line 1: "#!/bin/sh", want "lancre store 1"`},
		{"newer format", 1, "1", "2", `line 1: format version "2", but this program reads version 1: use the release`},
		{"version with a space after it", 1, "1", "1 ", `line 1: format version "1 "`},
		{"carriage return", 2, "org", "org\r", `line 2: origin "ocsp.example.org\r": want visible`},
		{"origin with a delete character", 2, "org", "org\x7f", `line 2: origin "ocsp.example.org\x7f"`},
		{"origin empty", 2, "ocsp.example.org", "", `line 2: origin ""`},
		{"origin of two words", 2, "ocsp.", "ocsp ", `line 2: "example.org": one field too many`},
		{"origin missing", 2, "origin ocsp.example.org\n", "", `line 2: "generation" where "origin" must be`},
		{"generation missing", 3, "generation 7\n", "", `line 3: "created" where "generation" must be`},
		{"generation 0", 3, "7", "0", `line 3: generation 0: the first is 1`},
		{"generation negative", 3, "7", "-7", `line 3: generation "-7": want a decimal number below 2^64`},
		{"generation with a leading zero", 3, "7", "07", `line 3: generation "07"`},
		{"generation with a sign", 3, "7", "+7", `line 3: generation "+7"`},
		{"generation too large", 3, "7", "18446744073709551616", `line 3: generation "18446744073709551616"`},
		{"created in another zone", 4, "Z", "+01:00", `line 4: created "2026-11-23T14:00:00+01:00": want a time in UTC`},
		{"created with a fraction", 4, "00Z", "00.5Z", `line 4: created "2026-11-23T14:00:00.5Z"`},
		{"created on no day", 4, "11-23", "11-31", `line 4: created "2026-11-31T14:00:00Z"`},
		{"created before 1970", 4, "2026", "1969", `line 4: created 1969-11-23T14:00:00Z: want a year from 1970`},
		{"created absent", 4, "2026-11-23T14:00:00Z", "-", `line 4: created "-"`},
		{"space at the end", 4, "Z", "Z ", `line 4: "": one field too many`},
		{"empty line", 5, "segment", "\nsegment", `line 5: "" where "end" must be`},
		{"unknown keyword", 5, "segment", "shard", `line 5: "shard" where "end" must be`},
		{"two spaces", 5, "delta 0/1", "delta  0/1", `line 5: shard "": want I/OF`},
		{"role empty", 5, "delta ", " ", `line 5: role ""`},
		{"role in upper case", 5, "delta", "Delta", `line 5: role "Delta"`},
		{"shard without OF", 5, "0/1", "0", `line 5: shard "0": want I/OF`},
		{"shard not a number", 5, "0/1", "a/1", `line 5: shard "a": want a decimal number below 2^32`},
		{"shard of 0", 5, "0/1", "0/0", `line 5: shard 0/0: want I/OF`},
		{"shard of 3", 5, "0/1", "0/3", `line 5: shard 0/3: want I/OF`},
		{"shard beyond OF", 6, "1/2", "2/2", `line 6: shard 2/2: want I/OF`},
		{"records negative", 5, " 3 ", " -3 ", `line 5: records "-3"`},
		{"size beyond int64", 5, "4096", "9223372036854775808", `line 5: size "9223372036854775808": want a decimal number below 2^63`},
		{"sha256 in upper case", 5, "a1", "A1", `line 5: sha256 "A1a1`},
		{"sha256 short", 5, "a1", "", `line 5: sha256 "a1a1`},
		{"sha256 that leaves objects", 5, sumA, "../../etc/passwd", `line 5: sha256 "../../etc/passwd"`},
		{"nextUpdate in the year 1", 6, "2026-11-27T02:00:00Z", "0001-01-01T00:00:00Z", `line 6: nextUpdate: want a year from 1970`},
		{"nextUpdate before 1970", 6, "2026", "1950", `line 6: nextUpdate 1950-11-27T02:00:00Z: want a year`},
		{"field missing", 6, " 2026-11-27T02:00:00Z", "", `line 6: nextUpdate is missing`},
		{"field too many", 6, "00Z", "00Z x", `line 6: "x": one field too many`},
		{"segment after file", 7, "\n", "\n" + sampleLines[4] + "\n", `line 8: "segment" where "end" must be`},
		{"host in upper case", 8, "c.example", "C.example", `line 8: host "C.example.org"`},
		{"host with a port", 8, "org", "org:80", `line 8: host "c.example.org:80"`},
		{"host with a trailing dot", 8, "org", "org.", `line 8: host "c.example.org."`},
		{"host that is no address", 8, "c.example.org", "[c.example.org]", `line 8: host "[c.example.org]"`},
		{"host that begins as an address", 8, "c.example.org", "[::1", `line 8: host "[::1"`},
		{"host empty", 8, "c.example.org", "", `line 8: host ""`},
		{"path without slash", 8, "/1.crl", "1.crl", `line 8: path "1.crl"`},
		{"path empty", 8, "/1.crl", "", `line 8: path ""`},
		{"path not ASCII", 8, "/1.crl", "/é.crl", `line 8: path "/é.crl"`},
		{"path with a query", 8, "/1.crl", "/1.crl?x", `line 8: path "/1.crl?x"`},
		{"type without subtype", 8, "/pkix-crl", "", `line 8: content type "application"`},
		{"type ends with slash", 8, "pkix-crl", "", `line 8: content type "application/"`},
		{"type not ASCII", 8, "pkix-crl", "pkix-crl\x01", `line 8: content type "application/pkix-crl\x01"`},
		{"file larger than memory allows", 8, "712", "1073741825", `line 8: size 1073741825 of c.example.org/1.crl: want 0 to 1073741824`},
		{"file sha256", 8, "b2", "xx", `line 8: sha256 "xxb2`},
		{"last-modified absent", 8, "2026-11-23T12:00:00Z", "-", `line 8: last-modified "-"`},
		{"last-modified before 1970", 8, "2026-11", "0026-11", `line 8: last-modified 0026-11-23T12:00:00Z: want a year`},
		{"expires before 1970", 8, "2026-12", "1926-12", `line 8: expires 1926-12-02T12:00:00Z: want a year`},
		{"expires not a time", 8, "2026-12-02T12:00:00Z", "never", `line 8: expires "never"`},
		{"place twice", 9, "/2.crl", "/1.crl", `line 9: c.example.org/1.crl does not come after c.example.org/1.crl`},
		{"paths out of order", 9, "/2.crl", "/0.crl", `line 9: c.example.org/0.crl does not come after c.example.org/1.crl`},
		{"hosts out of order", 9, "c.example", "a.example", `line 9: a.example.org/2.crl does not come after c.example.org/1.crl`},
		{"two end lines", 9, "\n", "\nend x\n", `line 10: an end line that is not the last`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before, line, after := strings.Join(sampleLines[:test.line-1], "\n"), sampleLines[test.line-1]+"\n", strings.Join(sampleLines[test.line:], "\n")
			changed := strings.Replace(line, test.old, test.new, 1)
			if changed == line {
				t.Fatalf("line %q has no %q", line, test.old)
			}
			text := changed + after
			if before != "" {
				text = before + "\n" + text
			}
			m, err := ParseManifest([]byte(seal(strings.TrimSuffix(text, "\n"))))
			if err == nil {
				t.Fatalf("accepted as\n%s", m.Encode())
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error is\n%v\nwant\n%s...", err, test.want)
			}
		})
	}
}

// What the grammar allows at its limits is read, and written as it was.
func TestParseManifestAccepts(t *testing.T) {
	for _, test := range []struct {
		name     string
		line     int // of sampleLines, from 1
		old, new string
	}{
		{"first and last visible character", 2, "ocsp.example.org", "!~"},
		{"last generation", 3, "7", "18446744073709551615"},
		{"first time", 4, "2026-11-23T14:00:00Z", "1970-01-01T00:00:00Z"},
		{"last time", 4, "2026-11-23T14:00:00Z", "9999-12-31T23:59:59Z"},
		{"smallest shard", 5, "0/1", "2147483647/2147483648"},
		{"empty segment object", 5, "4096", "0"},
		{"largest segment", 5, "4096", "9223372036854775807"},
		{"empty file", 8, "712", "0"},
		{"largest file", 8, "712", "1073741824"},
		{"last expires", 8, "2026-12-02T12:00:00Z", "9999-12-31T23:59:59Z"},
	} {
		lines := slices.Clone(sampleLines)
		lines[test.line-1] = strings.Replace(lines[test.line-1], test.old, test.new, 1)
		text := seal(lines...)
		m, err := ParseManifest([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := string(m.Encode()); got != text || lines[test.line-1] == sampleLines[test.line-1] {
			t.Errorf("%s: read\n%s\nas\n%s", test.name, text, got)
		}
	}
}

func TestParseManifestRefusesEveryCut(t *testing.T) {
	text := sampleManifest.Encode()
	for n := range text {
		if _, err := ParseManifest(text[:n]); err == nil {
			t.Errorf("the first %d of %d octets are accepted", n, len(text))
		}
	}
	_, err := ParseManifest(text[:len(text)/2])
	if want := "the manifest was cut; copy it again, after the objects"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error is %v, want one that ends %q", err, want)
	}
}

func TestParseManifestRefusesEveryChange(t *testing.T) {
	text := sampleManifest.Encode()
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		if _, err := ParseManifest(changed); err == nil {
			t.Errorf("accepted with octet %d changed from %q to %q", i, text[i], changed[i])
		}
	}
	edited := bytes.Replace(text, []byte("generation 7"), []byte("generation 8"), 1)
	_, err := ParseManifest(edited)
	if want := "line 10: end \""; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error is %v, want %s...", err, want)
	}
}

func TestReadManifestRefuses(t *testing.T) {
	tests := []struct {
		name string
		make func(path string) error
		want string
	}{
		{"nothing there", func(string) error { return nil }, "no manifest: open "},
		{"directory", func(p string) error { return os.Mkdir(p, 0o755) }, "is not a regular file: d"},
		{"FIFO", mkfifo, "is not a regular file: p"},
		{"empty", func(p string) error { return os.WriteFile(p, nil, 0o644) }, `manifest: line 1: "", want "lancre store 1"`},
		{"huge", func(p string) error {
			if err := os.WriteFile(p, []byte("lancre store 1\n"), 0o644); err != nil {
				return err
			}
			return os.Truncate(p, maxManifestSize+1)
		}, "manifest: more than 33554432 octets"},
		{"as large as may be", func(p string) error {
			if err := os.WriteFile(p, []byte("lancre store 1\n"), 0o644); err != nil {
				return err
			}
			return os.Truncate(p, maxManifestSize)
		}, "manifest: the last line is not"},
		{"half copied", func(p string) error {
			text := sampleManifest.Encode()
			return os.WriteFile(p, text[:len(text)/2], 0o644)
		}, "manifest: the last line is not"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := test.make(filepath.Join(dir, "manifest")); err != nil {
				t.Fatal(err)
			}
			_, err := ReadManifest(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q in it", err, test.want)
			}
		})
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add(string(exampleInDoc(f)), false)
	f.Add(strings.Join(sampleLines, "\n"), true)
	f.Add(strings.Join(sampleLines[:4], "\n"), true)
	f.Add("lancre store 2\n", false)
	f.Fuzz(func(t *testing.T, text string, sealed bool) {
		if sealed { // past the checksum, which no mutation would get right
			text = seal(text)
		}
		m, err := ParseManifest([]byte(text))
		if err != nil {
			return
		}
		if got := string(m.Encode()); got != text {
			t.Errorf("accepted\n%q\nbut Encode gives\n%q", text, got)
		}
	})
}

func TestShard(t *testing.T) {
	tests := []struct {
		shard  Shard
		key    uint64
		covers bool
	}{
		{Shard{0, 1}, 0, true},
		{Shard{0, 1}, 1<<64 - 1, true},
		{Shard{0, 2}, 1<<63 - 1, true},
		{Shard{0, 2}, 1 << 63, false},
		{Shard{1, 2}, 1 << 63, true},
		{Shard{5, 8}, 0xbfff_ffff_ffff_ffff, true},
		{Shard{5, 8}, 0xc000_0000_0000_0000, false},
		{Shard{5, 8}, 0x9fff_ffff_ffff_ffff, false},
		{Shard{1<<31 - 1, 1 << 31}, 1<<64 - 1, true},
		{Shard{1<<31 - 1, 1 << 31}, 1<<64 - 1<<33 - 1, false},
	}
	for _, test := range tests {
		if got := test.shard.Covers(test.key); got != test.covers {
			t.Errorf("%s covers %016x: got %v, want %v", test.shard, test.key, got, test.covers)
		}
		from, to := test.shard.span()
		if got := from <= test.key>>32 && test.key>>32 < to; got != test.covers {
			t.Errorf("%s spans %x to %x: has %016x %v, want %v", test.shard, from, to, test.key, got, test.covers)
		}
	}
}
