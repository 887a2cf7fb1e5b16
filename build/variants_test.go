package build

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"lancre/build/internal/recipe"
	"lancre/build/web"
)

// inEnglish is the index.html of a page in several languages.
const inEnglish = "<!DOCTYPE html>\n<html lang=en>\n"

// pageIn is the content of a variant.
func pageIn(attributes, body string) []byte {
	return []byte("<!DOCTYPE html>\n<html " + attributes + ">\n" + body)
}

// pageFiles are an index.html in English and the files given by name and content.
func pageFiles(namesAndContents ...any) map[string][]byte {
	files := map[string][]byte{"a.example/index.html": []byte(inEnglish)}
	for i := 0; i < len(namesAndContents); i += 2 {
		content, isText := namesAndContents[i+1].([]byte)
		if !isText {
			content = []byte(namesAndContents[i+1].(string))
		}
		files["a.example/"+namesAndContents[i].(string)] = content
	}
	return files
}

// pageCases are of pages in several languages.
func pageCases() []staticCase {
	fr := func(body string) map[string][]byte {
		return pageFiles("index.fr.html", pageIn("lang=fr", body), "style.css", "body{}")
	}
	alone := map[string][]byte{"a.example/index.fr.html": pageIn("lang=fr", "")}
	large := func(octets int) map[string][]byte {
		start := pageIn("lang=fr", "")
		return pageFiles("index.fr.html", string(start)+strings.Repeat(" ", octets-len(start)))
	}
	return []staticCase{
		{name: "tag and lang", check: "static.language", files: fr("")},
		{name: "lang in another case", check: "static.language", files: pageFiles("index.zh-Hant.html", pageIn(`lang="ZH-hant"`, ""))},
		{name: "no lang where there is one language", check: "static.language", files: map[string][]byte{"a.example/index.html": []byte(page)}},
		{name: "another lang", check: "static.language", rejects: everywhere, files: pageFiles("index.fr.html", pageIn("lang=de", ""))},
		{name: "no lang", check: "static.language", rejects: everywhere, files: pageFiles("index.fr.html", page)},
		{name: "no lang in the index.html", check: "static.language", rejects: everywhere, files: pageFiles("index.fr.html", pageIn("lang=fr", ""), "index.html", page)},
		{name: "no tag", check: "static.language", rejects: everywhere, files: pageFiles("index.backup1.html", pageIn("lang=fr", ""))},
		{name: "tag of no language", check: "static.language", rejects: everywhere, files: pageFiles("index.und.html", pageIn("lang=und", ""))},
		{name: "tag in lower case", check: "static.language", rejects: everywhere, files: pageFiles("index.zh-hant.html", pageIn("lang=zh-Hant", ""))},
		{name: "tag of old", check: "static.language", rejects: everywhere, files: pageFiles("index.iw.html", pageIn("lang=iw dir=rtl", ""))},
		{name: "right to left", check: "static.direction", files: pageFiles("index.ar.html", pageIn("lang=ar dir=RTL", ""), "index.az-Arab.html", pageIn("lang=az-Arab dir=rtl", ""))},
		{name: "left to right", check: "static.direction", files: pageFiles("index.fr.html", pageIn("lang=fr dir=ltr", ""), "index.az.html", pageIn("lang=az", ""))},
		{name: "Arabic as if left to right", check: "static.direction", rejects: everywhere, files: pageFiles("index.ar.html", pageIn("lang=ar", ""))},
		{name: "French as if right to left", check: "static.direction", rejects: everywhere, files: pageFiles("index.fr.html", pageIn("lang=fr dir=rtl", ""))},
		{name: "the same twice", check: "static.variant", files: pageFiles("index.en.html", inEnglish)},
		{name: "two in one language", check: "static.variant", rejects: everywhere, files: pageFiles("index.en.html", inEnglish+"another")},
		{name: "no index.html", check: "static.variant", rejects: everywhere, files: alone},
		{name: "largest", check: "static.variant", files: large(web.MaxPage)},
		{name: "an octet more", check: "static.variant", rejects: everywhere, files: large(web.MaxPage + 1)},
		{name: "what is there", check: "static.reference", files: fr(`<link href=/style.css><a href=/fr/><a href=/en/index.html><a href=/%66r/?x#y><a href="#x"><a href="">`)},
		{name: "what is elsewhere", check: "static.reference", files: fr(`<a href="https://a.example/x"><a href="http://b.example/x"><a href=mailto:a@example><img src="data:,x"><a href="http://[">`)},
		{name: "nothing at its host", check: "static.reference", rejects: everywhere, files: fr("<a href=http://A.example/de/>")},
		{name: "an image that is not there", check: "static.reference", rejects: everywhere, files: fr("<img src=/x.png>")},
		{name: "beside its index.html only", check: "static.reference", rejects: everywhere, files: fr("<link href=style.css>")},
	}
}

// Each variant is published by its name and under its tag, the index.html as that of
// its own language, too; a page in one language is published as ever.
func TestVariants(t *testing.T) {
	files := pageFiles("index.fr.html", pageIn("lang=fr", ""), "index.zh-Hant.html", pageIn("lang=zh-Hant", ""),
		"sub/index.html", page, "style.css", "body{}", "site.webmanifest", "{}")
	report, err := run(t, recipe.Identity{}, Config{Static: []string{recipe.Dir(t, files)}})
	if err != nil {
		t.Fatal(err)
	}
	content := make(map[string]string) // by path
	for _, f := range published(t, report).Files() {
		content[f.Path] = string(f.Body)
	}
	want := map[string][]string{
		"a.example/index.html":         {"/", "/index.html", "/index.en.html", "/en/", "/en/index.html"},
		"a.example/index.fr.html":      {"/index.fr.html", "/fr/", "/fr/index.html"},
		"a.example/index.zh-Hant.html": {"/index.zh-Hant.html", "/zh-Hant/", "/zh-Hant/index.html"},
		"a.example/sub/index.html":     {"/sub/", "/sub/index.html"},
		"a.example/style.css":          {"/style.css"},
		"a.example/site.webmanifest":   {"/site.webmanifest"},
	}
	for name, paths := range want {
		for _, path := range paths {
			if got, ok := content[path]; !ok || got != string(files[name]) {
				t.Errorf("at %s is %q, want %s", path, got, name)
			}
			delete(content, path)
		}
	}
	if len(content) > 0 {
		t.Errorf("published, too: %v", slices.Sorted(maps.Keys(content)))
	}
}

// What is wrong is said with its place, both values and the remedy.
func TestReasonsOfVariants(t *testing.T) {
	for _, c := range []struct {
		files  map[string][]byte
		place  string
		reason string
	}{
		{pageFiles("index.fr.html", pageIn("lang=de", "")), "index.fr.html", `lang of the element html is "de": want "fr"`},
		{pageFiles("index.zh-hant.html", page), "index.zh-hant.html", `"zh-hant" in its name: want "zh-Hant", as the tag is spelled`},
		{pageFiles("index.no-such-tag.html", page), "index.no-such-tag.html", `"no-such-tag" in its name is no language tag`},
		{pageFiles("index.ar.html", pageIn("lang=ar", "")), "index.ar.html", `dir of the element html is "ltr": want "rtl" for ar`},
		{pageFiles("index.en.html", inEnglish+" "), "index.html", "in the language en as "},
		{pageFiles("index.fr.html", pageIn("lang=fr", ""), "fr/index.html", page), "index.fr.html", "would be published at http://a.example/fr/, where "},
		{pageFiles("index.fr.html", pageIn("lang=fr", "<p>\n<a href=/de/>")), "index.fr.html", `refers to "/de/", which from http://a.example/index.fr.html is http://a.example/de/: nothing is published there`},
		{pageFiles("index.fr.html", pageIn("lang=fr", "<img src=x.png>"), "x.png", onePixel), "index.fr.html", `refers to "x.png", which from http://a.example/fr/ is http://a.example/fr/x.png`},
	} {
		dir := recipe.Dir(t, c.files)
		report, err := run(t, recipe.Identity{}, Config{Static: []string{dir}, MaxRejects: 9})
		if err == nil || len(report.Rejections) != 1 {
			t.Errorf("%v, rejections %v; want one for %q", err, report.Rejections, c.reason)
			continue
		}
		r := report.Rejections[0]
		if r.Place.Source != dir+"/a.example/"+c.place || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s: %s; want %s: %s", r.Place.Source, r.Reason, c.place, c.reason)
		}
		if at := strings.Index(string(c.files["a.example/"+c.place]), "<a"); at >= 0 && r.Place.Offset != int64(at) {
			t.Errorf("the reference is found at %d, want %d", r.Place.Offset, at)
		}
	}
}

// A page of many references to nothing costs one line.
func TestManyBrokenReferences(t *testing.T) {
	files := pageFiles("index.fr.html", pageIn("lang=fr", strings.Repeat("<a href=/de/>", 1000)))
	report, err := run(t, recipe.Identity{}, Config{Static: []string{recipe.Dir(t, files)}, MaxRejects: 9})
	if err == nil || len(report.Rejections) != 1 || !strings.Contains(report.Rejections[0].Reason, "(the first of 1000)") {
		t.Error(fmt.Sprint(err, report.Rejections))
	}
}

// onePixel is the smallest PNG.
var onePixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU" +
	"\x00\x00\x00\nIDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`\x82")
