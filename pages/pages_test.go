package pages

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/text/language"
)

var update = flag.Bool("update", false, "write the golden page anew")

// example is a site that has everything, in all languages.
func example(t testing.TB) *Site {
	t.Helper()
	all, err := Languages()
	if err != nil {
		t.Fatal(err)
	}
	return &Site{
		Domain:    "example.org",
		CA:        "Example & Sons CA",
		Contact:   "https://example.org/contact?about=status&from=page",
		Hosts:     []string{HostOCSP, HostCRL, HostIssuers},
		Updated:   time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC),
		Languages: inFront(all, "en"),
	}
}

// inFront is all with the language of that tag moved to the front.
func inFront(all []*Language, tag string) []*Language {
	i := slices.IndexFunc(all, func(l *Language) bool { return l.Tag == tag })
	return slices.Concat(all[i:i+1], all[:i], all[i+1:])
}

func render(t testing.TB, s *Site) map[string][]byte {
	t.Helper()
	files, err := Render(s)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestGolden shows what a change of the template does to a page.
func TestGolden(t *testing.T) {
	const golden = "testdata/index.en.html"
	got := render(t, example(t))["index.en.html"]
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("line %d is\n%s\nwant\n%s\nif that is meant, run go test ./pages -update", i+1, g[i], w[i])
		}
	}
	t.Fatalf("%d lines, want %d; if that is meant, run go test ./pages -update", len(g), len(w))
}

func TestFilesOfASite(t *testing.T) {
	s := example(t)
	files := render(t, s)
	want := []string{"index.html"}
	for _, l := range s.Languages {
		want = append(want, "index."+l.Tag+".html")
	}
	slices.Sort(want)
	if names := slices.Sorted(maps.Keys(files)); !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	for name, page := range render(t, s) {
		if !bytes.Equal(page, files[name]) {
			t.Errorf("%s differs between two renderings of one site", name)
		}
		if !Made(page) {
			t.Errorf("%s is not known as made by this package", name)
		}
	}
	s.Languages = inFront(s.Languages, "ar")
	if files = render(t, s); !bytes.Equal(files["index.html"], files["index.ar.html"]) {
		t.Error("index.html does not have the octets of the default language")
	}
}

// TestEveryPage parses each page and wants of it what every reader needs.
func TestEveryPage(t *testing.T) {
	s := example(t)
	files := render(t, s)
	for _, l := range s.Languages {
		t.Run(l.Tag, func(t *testing.T) {
			page := files["index."+l.Tag+".html"]
			d := parse(t, page)
			root := d.one(t, "html")
			if attr(root, "lang") != l.Tag || attr(root, "dir") != l.Dir {
				t.Errorf("lang %q dir %q, want %q %q", attr(root, "lang"), attr(root, "dir"), l.Tag, l.Dir)
			}
			for _, landmark := range []string{"h1", "main", "nav", "footer", "title"} {
				d.one(t, landmark)
			}
			checkIDs(t, d)
			checkReferences(t, s, d)
			checkMenu(t, s, d, l)
			checkPlaceholders(t, d)
		})
	}
}

// A document is the elements of a page by name.
type document map[string][]*html.Node

func parse(t *testing.T, page []byte) document {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	d := make(document)
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			d[n.Data] = append(d[n.Data], n)
		}
	}
	return d
}

func (d document) one(t *testing.T, name string) *html.Node {
	t.Helper()
	if len(d[name]) != 1 {
		t.Fatalf("%d elements %s, want 1", len(d[name]), name)
	}
	return d[name][0]
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// checkPlaceholders wants none left, but for the braces of commands.
func checkPlaceholders(t *testing.T, d document) {
	for n := range d.all() {
		for _, a := range n.Attr {
			if strings.ContainsAny(a.Val, "{}") {
				t.Errorf("%s: a placeholder is left in %s=%q", n.Data, a.Key, a.Val)
			}
		}
		for c := range n.ChildNodes() {
			command := n.Data == "style" || n.Data == "code" && n.Parent.Data == "pre"
			if c.Type == html.TextNode && !command && strings.ContainsAny(c.Data, "{}") {
				t.Errorf("%s: a placeholder is left in %q", n.Data, c.Data)
			}
		}
	}
}

// checkIDs wants each id once, and those that labels name.
func checkIDs(t *testing.T, d document) {
	ids := make(map[string]int)
	for n := range d.all() {
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("id %q: %d times", id, n)
		}
	}
	for n := range d.all() {
		if id := attr(n, "aria-labelledby"); id != "" && ids[id] == 0 {
			t.Errorf("%s is labelled by %q, which is not there", n.Data, id)
		}
	}
}

func (d document) all() func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for _, elements := range d {
			for _, n := range elements {
				if !yield(n) {
					return
				}
			}
		}
	}
}

// checkReferences wants nothing that a browser would load from elsewhere, and links
// to the pages in other languages and to the contact only.
func checkReferences(t *testing.T, s *Site, d document) {
	for _, name := range []string{"script", "img", "iframe", "object", "embed", "form", "audio", "video", "base"} {
		if len(d[name]) > 0 {
			t.Errorf("there is an element %s", name)
		}
	}
	known := map[string]bool{s.Contact: true, "/": true}
	for _, l := range s.Languages {
		known["/"+l.Tag+"/"] = true
	}
	for n := range d.all() {
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "srcset" || a.Key == "style":
				t.Errorf("%s has the attribute %s", n.Data, a.Key)
			case a.Key == "href" && !known[a.Val] && !strings.HasPrefix(a.Val, "data:"):
				t.Errorf("%s refers to %s", n.Data, a.Val)
			}
		}
	}
	if css := d.one(t, "style").FirstChild.Data; strings.Contains(css, "url(") || strings.Contains(css, "@import") {
		t.Error("the style refers to a file")
	}
}

// checkMenu wants a link to each language in that language, and the current one marked.
func checkMenu(t *testing.T, s *Site, d document, current *Language) {
	var got, want []string
	for n := range d.one(t, "nav").Descendants() {
		if n.Data == "a" {
			got = append(got, fmt.Sprintf("%s %s %s %s %q %q", attr(n, "href"), attr(n, "lang"), attr(n, "hreflang"), attr(n, "dir"),
				n.FirstChild.Data, attr(n, "aria-current")))
		}
	}
	for _, l := range s.Languages {
		mark := ""
		if l == current {
			mark = "page"
		}
		want = append(want, fmt.Sprintf("/%s/ %[1]s %[1]s %s %q %q", l.Tag, l.Dir, l.Name, mark))
	}
	if !slices.Equal(got, want) {
		t.Errorf("menu\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestHostsOfASite wants a page to tell of the hosts that the site has, and of no other.
func TestHostsOfASite(t *testing.T) {
	of := map[string][]string{ // what only a page of that host has
		HostOCSP:    {"<dt><code dir=\"ltr\">o.example.org", "-ocsp_uri"},
		HostCRL:     {"<dt><code dir=\"ltr\">c.example.org", "-crl_check"},
		HostIssuers: {"<dt><code dir=\"ltr\">i.example.org", "CA Issuers"},
	}
	for _, hosts := range [][]string{{"o"}, {"c"}, {"o", "c"}, {"o", "i"}, {"c", "i"}, {"o", "c", "i"}} {
		s := example(t)
		s.Hosts = hosts
		page := string(render(t, s)["index.html"])
		for host, signs := range of {
			for _, sign := range signs {
				if want := slices.Contains(hosts, host); strings.Contains(page, sign) != want {
					t.Errorf("hosts %q: %q in the page is %v, want %v", hosts, sign, !want, want)
				}
			}
		}
	}
}

func TestNamesAreEscaped(t *testing.T) {
	s := example(t)
	s.CA, s.Contact = `<b>"R&D"</b>`, "mailto:pki@example.org?subject=<x>"
	for name, page := range render(t, s) {
		if bytes.Contains(page, []byte("<b>")) || bytes.Contains(page, []byte("<x>")) {
			t.Errorf("%s: markup came in by a name", name)
		}
		if !bytes.Contains(page, []byte("&lt;b&gt;")) {
			t.Errorf("%s: the name is missing", name)
		}
	}
	s.Contact = ""
	if page := render(t, s)["index.en.html"]; bytes.Contains(page, []byte(`<a href="">`)) {
		t.Error("without a contact there is a link to nowhere")
	}
}

func TestWrongSites(t *testing.T) {
	for _, tt := range []struct {
		what  string
		spoil func(*Site)
		want  string
	}{
		{"domain", func(s *Site) { s.Domain = "Example.org" }, `domain "Example.org": want a host name in lower case`},
		{"domain", func(s *Site) { s.Domain = "localhost" }, `domain "localhost": want`},
		{"domain", func(s *Site) { s.Domain = "../x.org" }, `domain "../x.org": want`},
		{"domain", func(s *Site) { s.Domain = "-a.example" }, `domain "-a.example": want`},
		{"CA", func(s *Site) { s.CA = " " }, `name of the CA " ": want`},
		{"CA", func(s *Site) { s.CA = "a\nb" }, `name of the CA "a\nb": want`},
		{"contact", func(s *Site) { s.Contact = "pki@example.org" }, `contact "pki@example.org": want a URL`},
		{"contact", func(s *Site) { s.Contact = "javascript:alert(1)" }, `contact "javascript:alert(1)": want a URL`},
		{"contact", func(s *Site) { s.Contact = "https:///x" }, `contact "https:///x": want a URL`},
		{"hosts", func(s *Site) { s.Hosts = []string{"o", "x"} }, `host "x": want some of o, c and i`},
		{"hosts", func(s *Site) { s.Hosts = []string{"i"} }, `hosts ["i"]: want o, c or both`},
		{"languages", func(s *Site) { s.Languages = nil }, "no language to write the page in"},
	} {
		s := example(t)
		tt.spoil(s)
		if _, err := Render(s); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.what, err, tt.want)
		}
	}
}

// TestTagsAreCanonical wants the names that negotiation and browsers know the
// languages by, and the direction of their scripts.
func TestTagsAreCanonical(t *testing.T) {
	rtl := []string{"Arab", "Hebr"}
	for _, l := range example(t).Languages {
		tag, err := language.Parse(l.Tag)
		if err != nil || tag.String() != l.Tag {
			t.Errorf("%s: parsed as %q, %v: name the file by the canonical tag", l.Tag, tag, err)
		}
		script, _ := tag.Script()
		if want := slices.Contains(rtl, script.String()); (l.Dir == "rtl") != want {
			t.Errorf("%s: dir %s for the script %s", l.Tag, l.Dir, script)
		}
	}
}
