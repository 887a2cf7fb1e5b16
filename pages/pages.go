// Package pages writes the page that tells a person what the hosts of a CA's status
// service are for, in that person's language.
//
// Software makes people's computers contact o.example.org; people see it in a log
// and ask why. The page answers: one complete document a language, which needs no
// script, no cookie, and nothing from elsewhere.
//
// The words are in languages/TAG.toml, one file a language, for translators:
// docs/TRANSLATIONS.md tells them how. The form is in page.html.
package pages

import (
	"bytes"
	_ "embed"
	"html/template"
	"strings"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// generator is the line of page.html by which a page can be known.
const generator = `<meta name="generator" content="lancre pages">`

// Made reports whether this package made the document html.
func Made(html []byte) bool { return bytes.Contains(html, []byte(generator)) }

// Render makes the files of the site's folder: by name, index.TAG.html for each
// language and index.html, which has the octets of the first of them. Equal sites
// make equal files.
func Render(s *Site) (map[string][]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for i, l := range s.Languages {
		var b bytes.Buffer
		if err := pageTemplate.Execute(&b, newPage(s, l)); err != nil {
			return nil, err
		}
		files["index."+l.Tag+".html"] = b.Bytes()
		if i == 0 {
			files["index.html"] = b.Bytes()
		}
	}
	return files, nil
}

// A page is what page.html is executed with.
type page struct {
	*Site
	Words *Language
	html  map[string]template.HTML // what stands in for placeholders
}

// Commands print these; the page tells what they mean.
const (
	printsGood    = "cert.pem: good"
	printsRevoked = "cert.pem: revoked"
	printsOK      = "cert.pem: OK"
	printsError   = "certificate revoked"
)

// exampleSite is a name that is nobody's (RFC 2606 section 3), for readers to replace.
const exampleSite = "www.example.com"

func newPage(s *Site, l *Language) *page {
	return &page{s, l, map[string]template.HTML{
		"domain":              code(s.Domain),
		"ca":                  isolate(s.CA),
		"contact":             contact(s),
		"date":                template.HTML(`<time dir="ltr">` + s.Updated.Format("2006-01-02") + `</time>`),
		"windows":             code("svchost.exe"),
		"macos":               code("trustd"),
		"site":                code(exampleSite),
		"good":                printed(printsGood),
		"revoked":             printed(printsRevoked),
		"ok":                  printed(printsOK),
		"certificate_revoked": printed(printsError),
	}}
}

// code is what is written from left to right in every language.
func code(s string) template.HTML {
	return template.HTML(`<code dir="ltr">` + template.HTMLEscapeString(s) + `</code>`)
}

// printed is a few words that a command prints: they are looked for as they stand, in
// one line.
func printed(s string) template.HTML {
	return template.HTML(`<code dir="ltr" class="printed">` + template.HTMLEscapeString(s) + `</code>`)
}

// isolate is a name in a language of its own, of which no one knows the direction.
func isolate(s string) template.HTML {
	return template.HTML(`<bdi>` + template.HTMLEscapeString(s) + `</bdi>`)
}

func contact(s *Site) template.HTML {
	if s.Contact == "" {
		return isolate(s.CA)
	}
	return template.HTML(`<a href="`+template.HTMLEscapeString(s.Contact)+`">`) + isolate(s.CA) + `</a>`
}

// unbroken keeps the number of a standard in the line of its name.
var unbroken = strings.NewReplacer("RFC ", "RFC\u00a0")

// Text is one of the strings of a language with its placeholders filled in.
func (p *page) Text(s string) template.HTML {
	var b strings.Builder
	for _, piece := range split(s) {
		if piece.placeholder {
			b.WriteString(string(p.html[piece.text]))
		} else {
			b.WriteString(template.HTMLEscapeString(unbroken.Replace(piece.text)))
		}
	}
	return template.HTML(b.String())
}

// Plain is such a string where there can be no markup.
func (p *page) Plain(s string) string {
	return strings.NewReplacer("{domain}", p.Domain, "{ca}", p.CA).Replace(s)
}

// Has reports whether the site has a host.
func (p *page) Has(host string) bool { return p.has(host) }

// Example is the site in the commands.
func (p *page) Example() string { return exampleSite }
