package store

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sampleFileLines is a list of files.
var sampleFileLines = []string{
	"lancre files 1",
	"file _ /robots.txt text/plain 26 " + sumA + " 2026-01-05T09:00:00Z -",
	"file c.example.org /1.crl application/pkix-crl 712 " + sumB + " 2026-11-23T12:00:00Z 2026-12-02T12:00:00Z",
	"file c.example.org /2.crl application/pkix-crl 713 " + sumA + " 2026-11-23T12:00:00Z 2026-12-02T12:00:00Z",
}

func sampleFiles() []FileLine {
	thisUpdate := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	nextUpdate := time.Date(2026, 12, 2, 12, 0, 0, 0, time.UTC)
	return []FileLine{
		{Host: "_", Path: "/robots.txt", ContentType: "text/plain", Size: 26, SHA256: sumA,
			LastModified: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)},
		{Host: "c.example.org", Path: "/1.crl", ContentType: TypeCRL, Size: 712, SHA256: sumB,
			LastModified: thisUpdate, Expires: nextUpdate},
		{Host: "c.example.org", Path: "/2.crl", ContentType: TypeCRL, Size: 713, SHA256: sumA,
			LastModified: thisUpdate, Expires: nextUpdate},
	}
}

func TestListText(t *testing.T) {
	text := strings.Join(sampleFileLines, "\n") + "\n"
	var m Manifest
	if got := string(m.SetFiles(sampleFiles())); got != text {
		t.Errorf("SetFiles gives\n%s\nwant\n%s", got, text)
	}
	sum, size, _ := digest(strings.NewReader(text))
	if want := (FileList{Object{size, sum}, 3}); m.List != want {
		t.Errorf("the list is %+v, want %+v", m.List, want)
	}
	files, err := ParseFiles([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(files, sampleFiles()) {
		t.Errorf("ParseFiles gives\n%+v\nwant\n%+v", files, sampleFiles())
	}
}

// SetFiles sorts a copy; without files there is no list.
func TestSetFiles(t *testing.T) {
	files := sampleFiles()
	files[0], files[2] = files[2], files[0]
	given := append([]FileLine(nil), files...)
	var m Manifest
	m.SetFiles(files)
	if !reflect.DeepEqual(m.Files, sampleFiles()) || !reflect.DeepEqual(files, given) {
		t.Errorf("files are %v, of %v", m.Files, files)
	}
	if list := m.SetFiles(nil); list != nil || len(m.Files) != 0 || m.List != (FileList{}) {
		t.Errorf("of no files the list is %q, %+v", list, m.List)
	}
}

func TestParseFilesRefuses(t *testing.T) {
	tests := []change{
		{"a manifest", 1, "files 1", "store 2", `line 1: "store" "2", want "lancre files 1": this is no list of files`},
		{"newer format", 1, "1", "2", `line 1: "files" "2", want "lancre files 1"`},
		{"another file", 1, "lancre files 1", "#!/bin/sh", `line 1: "#!/bin/sh" where "lancre" must be`},
		{"first line too long", 1, "1", "1 1", `line 1: "1": one field too many`},
		{"host in upper case", 3, "c.example", "C.example", `line 3: host "C.example.org"`},
		{"host with a port", 3, "org", "org:80", `line 3: host "c.example.org:80"`},
		{"host with a trailing dot", 3, "org", "org.", `line 3: host "c.example.org."`},
		{"host that is no address", 3, "c.example.org", "[c.example.org]", `line 3: host "[c.example.org]"`},
		{"host that begins as an address", 3, "c.example.org", "[::1", `line 3: host "[::1"`},
		{"host empty", 3, "c.example.org", "", `line 3: host ""`},
		{"path without slash", 3, "/1.crl", "1.crl", `line 3: path "1.crl"`},
		{"path empty", 3, "/1.crl", "", `line 3: path ""`},
		{"path not ASCII", 3, "/1.crl", "/é.crl", `line 3: path "/é.crl"`},
		{"path with a query", 3, "/1.crl", "/1.crl?x", `line 3: path "/1.crl?x"`},
		{"path with a fragment", 3, "/1.crl", "/1.crl#x", `line 3: path "/1.crl#x"`},
		{"type without subtype", 3, "/pkix-crl", "", `line 3: content type "application"`},
		{"type ends with slash", 3, "pkix-crl", "", `line 3: content type "application/"`},
		{"type not ASCII", 3, "pkix-crl", "pkix-crl\x01", `line 3: content type "application/pkix-crl\x01"`},
		{"larger than memory allows", 3, "712", "1073741825", `line 3: size 1073741825 of c.example.org/1.crl: want 0 to 1073741824`},
		{"size negative", 3, "712", "-712", `line 3: size "-712": want a decimal number`},
		{"sha256", 3, "b2", "xx", `line 3: sha256 "xxb2`},
		{"last-modified absent", 3, "2026-11-23T12:00:00Z", "-", `line 3: last-modified "-"`},
		{"last-modified before 1970", 3, "2026-11", "0026-11", `line 3: last-modified 0026-11-23T12:00:00Z: want a year`},
		{"expires before 1970", 3, "2026-12", "1926-12", `line 3: expires 1926-12-02T12:00:00Z: want a year`},
		{"expires not a time", 3, "2026-12-02T12:00:00Z", "never", `line 3: expires "never"`},
		{"expires missing", 3, " 2026-12-02T12:00:00Z", "", `line 3: expires is missing`},
		{"field too many", 3, "02T12:00:00Z", "02T12:00:00Z x", `line 3: "x": one field too many`},
		{"field too many at the end", 4, "02T12:00:00Z", "02T12:00:00Z x", `line 4: "x": one field too many`},
		{"place twice", 4, "/2.crl", "/1.crl", `line 4: c.example.org/1.crl does not come after c.example.org/1.crl`},
		{"paths out of order", 4, "/2.crl", "/0.crl", `line 4: c.example.org/0.crl does not come after c.example.org/1.crl`},
		{"hosts out of order", 4, "c.example", "a.example", `line 4: a.example.org/2.crl does not come after c.example.org/1.crl`},
		{"empty line", 3, "file", "\nfile", `line 2: "\nfile c.example.org`},
		{"end line", 4, "\n", "\nend x\n", `line 4: "end x\n" behind what is the last line`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files, err := ParseFiles([]byte(test.apply(t, sampleFileLines) + "\n"))
			if err == nil {
				t.Fatalf("accepted as %+v", files)
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error is\n%v\nwant\n%s...", err, test.want)
			}
		})
	}
}

// A cut between two lines leaves a list, of fewer files: the manifest tells those.
func TestParseFilesOfACutList(t *testing.T) {
	text := strings.Join(sampleFileLines, "\n") + "\n"
	for n := range text {
		files, err := ParseFiles([]byte(text[:n]))
		whole := n > 0 && text[n-1] == '\n'
		if whole != (err == nil) || whole && len(files) != strings.Count(text[:n], "\n")-1 {
			t.Errorf("of the first %d octets, %d files, error %v", n, len(files), err)
		}
	}
	m := Manifest{List: FileList{Object{1, sumA}, 3}}
	want := fmt.Sprintf("manifest line 9: 3 files, but the list %s has 2", sumA)
	if err := m.loadFiles([]byte(strings.Join(sampleFileLines[:3], "\n") + "\n")); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func FuzzParseFiles(f *testing.F) {
	f.Add(string(exampleInDoc(f, exampleList)))
	f.Add(strings.Join(sampleFileLines, "\n") + "\n")
	f.Add(sampleFileLines[0] + "\n")
	f.Add(sampleFileLines[0])
	f.Fuzz(func(t *testing.T, text string) {
		files, err := ParseFiles([]byte(text))
		if err != nil {
			return
		}
		if got := string(encodeFiles(files)); got != text {
			t.Errorf("accepted\n%q\nbut its text form is\n%q", text, got)
		}
	})
}

// A list of files that stays as it was is not looked at, let alone written again.
func TestCommitLeavesTheListOfFiles(t *testing.T) {
	dir := t.TempDir()
	m := publishSample(t, dir, "sample")
	changed := func() syscall.Timespec {
		t.Helper()
		info, err := os.Stat(ObjectPath(dir, m.List.SHA256))
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ctim // a link is a change
	}
	before := changed()
	if next := grow(t, dir, response(t, 100, 0)); next.List != m.List || changed() != before {
		t.Errorf("the list is %+v, changed %v; want %+v, %v as before", next.List, changed(), m.List, before)
	}
}
