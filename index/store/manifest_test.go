package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

// sumA and sumB are the names of two objects.
var sumA, sumB = strings.Repeat("a1", 32), strings.Repeat("b2", 32)

// sampleLines is a manifest without its end line.
var sampleLines = []string{
	"lancre store 2",
	"origin ocsp.example.org",
	"generation 7",
	"created 2026-11-23T14:00:00Z",
	"checked 2026-11-23T13:59:58Z",
	"expires 2026-11-24T14:00:00Z",
	"parent " + sumB,
	"held 2",
	"mark database 90412",
	"mark sheet 2026-11-23T13:00:00Z/17",
	"live sha1 " + strings.Repeat("01", 20) + " " + strings.Repeat("02", 20) + " 240 8 2 3",
	"live sha256 " + strings.Repeat("03", 32) + " " + strings.Repeat("04", 32) + " 0 1 0 0",
	"due crls 2026-12-02T12:00:00Z 2",
	"due responses 2026-11-27T02:00:00Z 200",
	"due responses 2026-11-30T14:00:00Z 51",
	"segment delta 0/1 3 4096 " + sumA + " 2026-11-23T14:00:00Z -",
	"segment base 1/2 250 8192 " + sumB + " - 2026-11-27T02:00:00Z",
	"coming 240000000 " + sumA,
	"files 3 512 " + sumB,
}

func sampleManifest() *Manifest {
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	return &Manifest{
		Origin:     "ocsp.example.org",
		Generation: 7,
		Created:    at(23, 14),
		Checked:    at(23, 14).Add(-2 * time.Second),
		Expires:    at(24, 14),
		Parent:     sumB,
		Held:       2,
		Marks:      []Mark{{"database", "90412"}, {"sheet", "2026-11-23T13:00:00Z/17"}},
		Live: []LiveCount{
			{index.SHA1, strings.Repeat("\x01", 20), strings.Repeat("\x02", 20), 240, 8, 2, 3},
			{index.SHA256, strings.Repeat("\x03", 32), strings.Repeat("\x04", 32), 0, 1, 0, 0},
		},
		Due: []DueCount{{DueCRLs, at(32, 12), 2}, {DueResponses, at(27, 2), 200}, {DueResponses, at(30, 14), 51}},
		Segments: []SegmentLine{
			{Role: RoleDelta, Shard: index.Everything, Records: 3, Size: 4096, SHA256: sumA, Created: at(23, 14)},
			{Role: RoleBase, Shard: index.Shard{Index: 1, Of: 2}, Records: 250, Size: 8192, SHA256: sumB, NextUpdate: at(27, 2)},
		},
		Coming: []Object{{240000000, sumA}},
		List:   FileList{Object{512, sumB}, 3},
	}
}

// seal joins lines and adds the end line that fits them.
func seal(lines ...string) string {
	text := strings.Join(lines, "\n") + "\n"
	return fmt.Sprintf("%send %x\n", text, sha256.Sum256([]byte(text)))
}

func TestManifestText(t *testing.T) {
	text := seal(sampleLines...)
	if got := string(sampleManifest().Encode()); got != text {
		t.Errorf("Encode gives\n%s\nwant\n%s", got, text)
	}
	m, err := ParseManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m, sampleManifest()) {
		t.Errorf("ParseManifest gives\n%+v\nwant\n%+v", m, sampleManifest())
	}
	if got, want := m.Digest(), fmt.Sprintf("%x", sha256.Sum256([]byte(text))); got != want {
		t.Errorf("Digest gives %s, want %s", got, want)
	}
}

// leastLines is a manifest that says no more than it must, without its end line.
var leastLines = []string{
	"lancre store 2", "origin ocsp.example.org", "generation 1", "created 2026-11-23T14:00:00Z",
	"checked -", "expires -", "parent -", "held 0",
}

func TestLeastManifest(t *testing.T) {
	text := seal(leastLines...)
	m, err := ParseManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := &Manifest{Origin: "ocsp.example.org", Generation: 1, Created: start}
	if !reflect.DeepEqual(m, want) || string(m.Encode()) != text {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

func TestEncodeConvertsTimes(t *testing.T) {
	m := sampleManifest()
	zone := time.FixedZone("", 3600)
	m.Created = m.Created.Add(999 * time.Millisecond).In(zone)
	m.Due[0].Hour = m.Due[0].Hour.In(zone)
	if got, want := m.Encode(), sampleManifest().Encode(); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// exampleInDoc returns the worked example of the package comment that stands behind
// heading.
func exampleInDoc(t testing.TB, heading string) []byte {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, example, ok := strings.Cut(string(doc), "// "+heading+"\n//\n")
	if !ok {
		t.Fatalf("doc.go has no line %q", heading)
	}
	var text bytes.Buffer
	for line := range strings.Lines(example) {
		line, ok := strings.CutPrefix(line, "//\t")
		if !ok {
			break
		}
		text.WriteString(line)
	}
	return text.Bytes()
}

const (
	exampleManifest = "For example:"
	exampleList     = "The list of files of the example is:"
)

func TestExamplesInDocAreValid(t *testing.T) {
	text, list := exampleInDoc(t, exampleManifest), exampleInDoc(t, exampleList)
	m, err := ParseManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Encode(), text) || len(m.Segments) != 4 {
		t.Errorf("the example means\n%s", m.Encode())
	}
	said := m.List
	if err := m.loadFiles(list); err != nil {
		t.Fatal(err)
	}
	if got := m.SetFiles(m.Files); !bytes.Equal(got, list) || m.List != said {
		t.Errorf("the list of files is %+v, the example says %+v", m.List, said)
	}
	v := verifier{m: m, reported: make(map[string]bool), report: func(f *Fault) { t.Error(f) }}
	v.stack()
}

// A change is an edit to one line of a text that must be refused.
type change struct {
	name     string
	line     int // from 1
	old, new string
	want     string // start of the error
}

// apply makes the edit.
func (c *change) apply(t *testing.T, lines []string) string {
	t.Helper()
	changed := append([]string(nil), lines...)
	line := &changed[c.line-1]
	if *line = strings.TrimSuffix(strings.Replace(*line+"\n", c.old, c.new, 1), "\n"); *line == lines[c.line-1] {
		t.Fatalf("line %q has no %q", *line, c.old)
	}
	if *line == "" && c.new == "" { // the whole line went
		changed = append(changed[:c.line-1], changed[c.line:]...)
	}
	return strings.Join(changed, "\n")
}

func TestParseManifestRefuses(t *testing.T) {
	tests := []change{
		{"another file", 1, "lancre store 2", "#!/bin/sh", `line 1: "#!/bin/sh", want "lancre store 2"`},
		{"newer format", 1, "2", "3", `line 1: format version "3", but this program reads versions 1 and 2: use the release`},
		{"version with a space after it", 1, "2", "2 ", `line 1: format version "2 "`},
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
		{"checked missing", 5, "checked 2026-11-23T13:59:58Z\n", "", `line 5: "expires" where "checked" must be`},
		{"checked in the year 1", 5, "2026-11-23T13:59:58Z", "0001-01-01T00:00:00Z", `line 5: checked: want a year from 1970`},
		{"checked before 1970", 5, "2026", "1969", `line 5: checked 1969-11-23T13:59:58Z: want a year`},
		{"expires missing", 6, "expires 2026-11-24T14:00:00Z\n", "", `line 6: "parent" where "expires" must be`},
		{"expires never", 6, "2026-11-24T14:00:00Z", "never", `line 6: expires "never": want a time in UTC`},
		{"expires before 1970", 6, "2026", "0000", `line 6: expires 0000-11-24T14:00:00Z: want a year`},
		{"parent missing", 7, "parent " + sumB + "\n", "", `line 7: "held" where "parent" must be`},
		{"parent empty", 7, sumB, "", `line 7: parent is empty, want - for none`},
		{"parent short", 7, "b2", "", `line 7: parent "b2b2`},
		{"held missing", 8, "held 2\n", "", `line 8: "mark" where "held" must be`},
		{"held negative", 8, "2", "-2", `line 8: held "-2": want a decimal number`},
		{"mark without a value", 9, " 90412", "", `line 9: mark is missing`},
		{"mark with an empty value", 9, "90412", "", `line 9: mark "database" ""`},
		{"mark of two words", 9, "90412", "90 412", `line 9: "412": one field too many`},
		{"source not ASCII", 9, "database", "datenbänk", `line 9: mark "datenbänk" "90412": want visible ASCII`},
		{"source twice", 10, "sheet", "database", `line 10: mark of database does not come after database: each source has one, in order`},
		{"sources out of order", 10, "sheet", "crm", `line 10: mark of crm does not come after database`},
		{"unknown algorithm", 11, "sha1", "md5", `line 11: hash algorithm "md5"`},
		{"algorithm in upper case", 11, "sha1", "SHA1", `line 11: hash algorithm "SHA1"`},
		{"name hash in upper case", 12, "03", "0A", `line 12: issuer name hash "0A03`},
		{"name hash of half an octet", 11, "01", "1", `line 11: issuer name hash "101`},
		{"name hash of another algorithm", 11, "01", "0101", `line 11: live sha1: hashes of 21 and 20 octets, want 20`},
		{"key hash missing", 11, " " + strings.Repeat("02", 20), "", `line 11: issuer key hash "240"`},
		{"key hash short", 12, "04", "", `line 12: live sha256: hashes of 32 and 31 octets, want 32`},
		{"good not a number", 11, "240", "many", `line 11: good "many"`},
		{"tombstones missing", 11, " 3", "", `line 11: tombstones is missing`},
		{"live that counts nothing", 12, " 0 1 0 0", " 0 0 0 0", `line 12: live sha256: counts nothing: leave the line out`},
		{"issuer twice", 12, sampleLines[11], sampleLines[10], `line 12: does not come after the line before it: each issuer and algorithm has one`},
		{"issuers out of order", 12, sampleLines[11], strings.Replace(sampleLines[10], "01", "00", 1), `line 12: does not come after`},
		{"due of nothing known", 13, "crls", "pages", `line 13: due "pages": want crls or responses`},
		{"due within an hour", 13, "12:00:00", "12:00:01", `line 13: due crls 2026-12-02T12:00:01Z: want a whole hour`},
		{"due before 1970", 13, "2026", "1926", `line 13: due crls 1926-12-02T12:00:00Z: want a whole hour, want a year`},
		{"due nothing", 13, "Z 2", "Z 0", `line 13: due crls 2026-12-02T12:00:00Z: counts nothing: leave the line out`},
		{"due kinds out of order", 14, "responses", "crls", `line 14: crls 2026-11-27T02:00:00Z does not come after the line before it: each hour has one, in order`},
		{"due hour twice", 15, "2026-11-30T14", "2026-11-27T02", `line 15: responses 2026-11-27T02:00:00Z does not come after`},
		{"empty line", 16, "segment", "\nsegment", `what follows the empty line is no signature`},
		{"unknown keyword", 16, "segment", "shard", `line 16: "shard" where "end" must be`},
		{"mark behind live", 11, "live", "mark a b\nlive", `line 11: mark of a does not come after sheet`},
		{"due behind segment", 17, "segment", sampleLines[12] + "\nsegment", `line 17: "due" where "end" must be`},
		{"two spaces", 16, "delta 0/1", "delta  0/1", `line 16: shard "": want I/OF`},
		{"role empty", 16, "delta ", " ", `line 16: role "": want base or delta`},
		{"role in upper case", 16, "delta", "Delta", `line 16: role "Delta"`},
		{"role unknown", 16, "delta", "extra", `line 16: role "extra": want base or delta`},
		{"shard without OF", 16, "0/1", "0", `line 16: shard "0": want I/OF`},
		{"shard not a number", 16, "0/1", "a/1", `line 16: shard "a": want a decimal number below 2^32`},
		{"shard of 0", 16, "0/1", "0/0", `line 16: shard 0/0: want I/OF`},
		{"shard of 3", 16, "0/1", "0/3", `line 16: shard 0/3: want I/OF`},
		{"shard too small", 16, "0/1", "0/8192", `line 16: shard 0/8192: want I/OF with OF a power of two up to 4096`},
		{"shard beyond OF", 17, "1/2", "2/2", `line 17: shard 2/2: want I/OF`},
		{"records negative", 16, " 3 ", " -3 ", `line 16: records "-3"`},
		{"size beyond int64", 16, "4096", "9223372036854775808", `line 16: size "9223372036854775808": want a decimal number below 2^63`},
		{"sha256 in upper case", 16, "a1", "A1", `line 16: sha256 "A1a1`},
		{"sha256 short", 16, "a1", "", `line 16: sha256 "a1a1`},
		{"sha256 that leaves objects", 16, sumA, "../../etc/passwd", `line 16: sha256 "../../etc/passwd"`},
		{"line from before 1970", 16, "2026", "1969", `line 16: created 1969-11-23T14:00:00Z: want a year`},
		{"nextUpdate in the year 1", 17, "2026-11-27T02:00:00Z", "0001-01-01T00:00:00Z", `line 17: nextUpdate: want a year from 1970`},
		{"nextUpdate before 1970", 17, "2026", "1950", `line 17: nextUpdate 1950-11-27T02:00:00Z: want a year`},
		{"field missing", 17, " 2026-11-27T02:00:00Z", "", `line 17: nextUpdate is missing`},
		{"field too many", 17, "00Z", "00Z x", `line 17: "x": one field too many`},
		{"coming without a size", 18, "240000000 ", "", `line 18: size "a1a1`},
		{"coming from nowhere", 18, "a1", "x1", `line 18: sha256 "x1a1`},
		{"segment behind coming", 19, "files", sampleLines[15] + "\nfiles", `line 19: "segment" where "end" must be`},
		{"list of no files", 19, "3", "0", `line 19: a list of no files: leave the line out`},
		{"list too long to read", 19, "512", "33554433", `line 19: list of files of 33554433 octets, want at most 33554432`},
		{"list without a name", 19, " " + sumB, "", `line 19: sha256 is missing`},
		{"list in upper case", 19, "b2", "B2", `line 19: sha256 "B2b2`},
		{"two lists", 19, "files", sampleLines[18] + "\nfiles", `line 20: "files" where "end" must be`},
		{"a file, as in version 1", 19, sampleLines[18], "file " + sampleFileLines[1], `line 19: "file" where "end" must be`},
		{"two end lines", 19, "\n", "\nend x\n", `line 20: "end `},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := ParseManifest([]byte(seal(test.apply(t, sampleLines))))
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
	for _, test := range []change{
		{"first and last visible character", 2, "ocsp.example.org", "!~", ""},
		{"last generation", 3, "7", "18446744073709551615", ""},
		{"first time", 4, "2026-11-23T14:00:00Z", "1970-01-01T00:00:00Z", ""},
		{"last time", 4, "2026-11-23T14:00:00Z", "9999-12-31T23:59:59Z", ""},
		{"smallest shard", 16, "0/1", "4095/4096", ""},
		{"empty segment object", 16, "4096", "0", ""},
		{"largest segment", 16, "4096", "9223372036854775807", ""},
		{"largest list of files", 19, "512", "33554432", ""},
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

// A stack can have so many lines and no more.
func TestMaxLines(t *testing.T) {
	m := sampleManifest()
	for len(m.Segments) < MaxLines {
		m.Segments = append(m.Segments, m.Segments[1])
	}
	text := m.Encode()
	if got, err := ParseManifest(text); err != nil || len(got.Segments) != MaxLines || len(text) > MaxManifestSize {
		t.Errorf("%d lines, %d octets: error %v", MaxLines, len(text), err)
	}
	m.Segments = append(m.Segments, m.Segments[1])
	want := "4097 segment lines, a manifest can have 4096: merge the store"
	if _, err := ParseManifest(m.Encode()); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestParseManifestRefusesEveryCut(t *testing.T) {
	text := sampleManifest().Encode()
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
	text := sampleManifest().Encode()
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		if _, err := ParseManifest(changed); err == nil {
			t.Errorf("accepted with octet %d changed from %q to %q", i, text[i], changed[i])
		}
	}
	edited := bytes.Replace(text, []byte("generation 7"), []byte("generation 8"), 1)
	_, err := ParseManifest(edited)
	if want := "line 20: end \""; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error is %v, want %s...", err, want)
	}
}

// What is accepted of version 2 has one spelling, and what is of version 1 can be
// said in version 2.
func FuzzParseManifest(f *testing.F) {
	f.Add(string(exampleInDoc(f, exampleManifest)), false)
	f.Add(strings.Join(sampleLines, "\n"), true)
	f.Add(strings.Join(leastLines, "\n"), true)
	f.Add(strings.Join(version1Lines, "\n"), true)
	f.Add("lancre store 3\n", false)
	f.Fuzz(func(t *testing.T, text string, sealed bool) {
		if sealed { // past the checksum, which no mutation would get right
			text = seal(text)
		}
		m, err := ParseManifest([]byte(text))
		if err != nil {
			return
		}
		got := m.Encode()
		if m.version1 == "" && string(got) != text {
			t.Errorf("accepted\n%q\nbut Encode gives\n%q", text, got)
		}
		if _, err := ParseManifest(got); err != nil {
			t.Errorf("Encode gives\n%s\nwhich is refused: %v", got, err)
		}
	})
}
