package server

import (
	"crypto"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"lancre/index/store"
	"lancre/internal/storetest"
)

// guarded are the headers that all HTML is served with.
var guarded = map[string]string{
	"Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"Referrer-Policy":         "no-referrer",
	"X-Content-Type-Options":  "nosniff",
}

// translated is the content of a store with a page below folder of host, whose
// default is in the first of the languages, as lancre build publishes it.
func translated(host, folder string, tags ...string) content {
	c := content{segments: [][]entry{good("05")}}
	for i, tag := range tags {
		body := fmt.Sprintf("<html lang=%s>", tag)
		at := []string{"index." + tag + ".html", tag + "/", tag + "/index.html"}
		if i == 0 {
			at = append(at, "", "index.html")
		}
		for _, name := range at {
			c.add(host, folder+name, "text/html;charset=utf-8", body)
		}
	}
	return c
}

func (c *content) add(host, path, contentType, body string) {
	line := store.FileLine{Host: host, Path: path, ContentType: contentType, LastModified: start}
	c.files = append(c.files, storetest.File{FileLine: line, Body: body})
}

// below adds files of hosts below the domain of a page.
func (c *content) below() {
	c.add("example", "/style.css", store.TypeCSS, "body{}")
	c.add("example", "/about.txt", "text/plain", "words")
	c.add("example", "/.well-known/security.txt", "text/plain", "Contact:")
	c.add("c.example", "/1.crl", store.TypeCRL, "crl one")
	c.add("i.example", "/", store.TypeCertificate, "certificate")
	c.add("own.example", "/", "text/html", "own")
}

func TestLanguages(t *testing.T) {
	e := newEdge(t, translated("example", "/", "en", "de", "fr", "he", "pt", "ru", "zh-Hans", "zh-Hant")).serve(t)
	for _, c := range []struct{ accepted, want string }{
		{"", "en"},
		{"*", "en"},
		{"fr", "fr"},
		{"FR", "fr"},
		{"fr-CA", "fr"},
		{"pt", "pt"},
		{"pt-BR,en;q=0.5", "pt"},
		{"zh-TW", "zh-Hant"},
		{"zh-HK", "zh-Hant"},
		{"zh", "zh-Hans"},
		{"zh-SG", "zh-Hans"},
		{"zh-Hant-CN", "zh-Hant"},
		{"iw", "he"},
		{"de;q=0.5, fr", "fr"},
		{"de;q=0.5, fr;q=0.4", "de"},
		{"de, fr", "de"},
		{"ja, fr;q=0.1", "fr"},
		{"fr;q=0", "en"},
		{"fr;q=0, de;q=0.1", "de"},
		{"fr;q=0, *", "en"},
		{"*, fr;q=0.5", "fr"},
		{"en;q=0.2, *;q=0.1", "en"},
		{"be", "en"}, // not Russian
		{"ja", "en"},
		{"xx, fr;q=0.3", "fr"}, // a language that is too new, or none
		{";;;", "en"},
		{"malformed;;;", "en"},
		{"fr;q=much", "en"},
		{"fr;q=1.001", "en"},
		{"\xff\x00", "en"},
		{strings.Repeat("a", maxLanguage+1), "en"},
		{strings.Repeat("ja,", maxLanguages-1) + "fr", "fr"},
		{strings.Repeat("ja,", maxLanguages) + "fr", "en"},
	} {
		files := &e.current.Load().files
		f, _ := files.find([]byte("example"), []byte("/"))
		if got := f.page.choose([]byte(c.accepted)); string(got.language) != c.want {
			t.Errorf("%q: answered in %s, want %s", c.accepted, got.language, c.want)
		}
	}
	a := e.getAt(t, "example", "/", "Accept-Language: ja", "Accept-Language: fr")
	a.is(t, 200, []byte("<html lang=fr>")) // lines count as one
}

func TestPageHeaders(t *testing.T) {
	e := newEdge(t, translated("example", "/", "en", "fr")).serve(t)
	want := func(tag, vary string) map[string]string {
		f, _ := e.current.Load().files.find([]byte("example"), []byte("/"+tag+"/"))
		h := map[string]string{
			"Content-Type": "text/html;charset=utf-8", "Content-Length": fmt.Sprint(len(f.Body)), "Content-Language": tag,
			"Cache-Control": pageCache, "Etag": string(f.etag), "Last-Modified": start.Format(http.TimeFormat), "Accept-Ranges": "bytes",
		}
		for k, v := range guarded {
			h[k] = v
		}
		if vary != "" {
			h["Vary"] = vary
		}
		return h
	}
	for _, c := range []struct{ path, accepted, tag, vary string }{
		{"/", "fr", "fr", "Accept-Language"},
		{"/", "ja", "en", "Accept-Language"},
		{"/index.html", "fr", "fr", "Accept-Language"},
		{"/fr/", "en", "fr", ""},
		{"/fr/index.html", "en", "fr", ""},
		{"/index.fr.html", "en", "fr", ""},
		{"/en/", "fr", "en", ""},
	} {
		t.Run(c.path+" "+c.accepted, func(t *testing.T) {
			headers := want(c.tag, c.vary)
			line := "Accept-Language: " + c.accepted
			a := e.getAt(t, "example", c.path, line)
			a.is(t, 200, []byte("<html lang="+c.tag+">"))
			wantHeaders(t, "GET", a, headers)
			head, _ := e.send(t, "HEAD "+c.path+" HTTP/1.1\r\nHost: example\r\n"+line+"\r\n\r\n")
			head.is(t, 200, nil)
			wantHeaders(t, "HEAD", head, headers)
			part := e.getAt(t, "example", c.path, line, "Range: bytes=1-4", "If-Range: "+headers["Etag"])
			part.is(t, 206, []byte("html"))

			a = e.getAt(t, "example", c.path, line, "If-None-Match: "+headers["Etag"])
			a.is(t, 304, nil)
			for _, name := range []string{"Content-Type", "Content-Length", "Last-Modified", "Accept-Ranges"} {
				delete(headers, name)
			}
			wantHeaders(t, "304", a, headers)
		})
	}
	// What one reader has is of no use to another.
	tag := want("en", "")["Etag"]
	e.getAt(t, "example", "/", "Accept-Language: fr", "If-None-Match: "+tag).is(t, 200, []byte("<html lang=fr>"))
}

// Pages may lie in any folder, and only what is published in its own folder too is
// a variant: a store from before there were any is served as ever.
func TestWhatIsAVariant(t *testing.T) {
	c := translated("example", "/a/b/", "en", "fr")
	c.add("old.example", "/", "text/html", "default")
	c.add("old.example", "/index.html", "text/html", "default")
	c.add("old.example", "/index.fr.html", "text/html", "fr")
	c.add("other.example", "/", "text/html", "default")
	c.add("other.example", "/index.fr.html", "text/html", "fr")
	c.add("other.example", "/fr/", "text/html", "not the same")
	c.add("word.example", "/", "text/html", "default")
	c.add("word.example", "/index.backup1.html", "text/html", "no language")
	c.add("word.example", "/backup1/", "text/html", "no language")
	c.add("unnamed.example", "/", "text/html", "in a language of its own")
	c.add("unnamed.example", "/index.fr.html", "text/html", "fr")
	c.add("unnamed.example", "/fr/", "text/html", "fr")
	e := newEdge(t, c).serve(t)
	for _, c := range []struct{ host, path, accepted, language, vary, body string }{
		{"example", "/a/b/", "fr", "fr", "Accept-Language", "<html lang=fr>"},
		{"old.example", "/", "fr", "", "", "default"},
		{"old.example", "/index.fr.html", "de", "", "", "fr"},
		{"other.example", "/", "fr", "", "", "default"},
		{"word.example", "/", "backup1", "", "", "default"},
		{"unnamed.example", "/", "fr", "fr", "Accept-Language", "fr"},
		{"unnamed.example", "/", "en", "", "Accept-Language", "in a language of its own"},
	} {
		a := e.getAt(t, c.host, c.path, "Accept-Language: "+c.accepted)
		a.is(t, 200, []byte(c.body))
		if l, v := a.Header.Get("Content-Language"), a.Header.Get("Vary"); l != c.language || v != c.vary {
			t.Errorf("%s%s: Content-Language %q and Vary %q, want %q and %q", c.host, c.path, l, v, c.language, c.vary)
		}
	}
}

func TestRedirect(t *testing.T) {
	c := translated("example", "/", "en", "fr")
	c.below()
	e := newEdge(t, c).serve(t)
	want := map[string]string{"Location": "/fr/", "Cache-Control": pageCache, "Content-Type": "text/plain", "Content-Length": "0"}
	for _, host := range []string{"example", "o.example", "r10.o.example"} {
		for _, method := range []string{"GET", "HEAD"} {
			a, _ := e.send(t, method+" /fr?x HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
			a.is(t, 301, nil)
			wantHeaders(t, method, a, want)
		}
	}
	a, _ := e.send(t, postRequest("/fr", ask("05", crypto.SHA1)))
	a.isServed(t, respondedFor(t, e, ask("05", crypto.SHA1)))
	a, _ = e.send(t, postRequest("/fr", nil))
	a.is(t, 400, ocspMalformed)
	for _, c := range []struct {
		host, path string
		status     int
	}{
		{"example", "/de", 400}, {"example", "/fr/x", 400}, {"example", "/fr//", 400}, {"i.example", "/fr", 404}, {"c.example", "/1.crl", 200}, {"c.example", "/1", 404},
	} {
		if a := e.getAt(t, c.host, c.path); a.StatusCode != c.status || a.Header.Get("Location") != "" {
			t.Errorf("%s%s: %d to %q, want %d", c.host, c.path, a.StatusCode, a.Header.Get("Location"), c.status)
		}
	}
}

// A browser that opens a host of OCSP or CRLs gets the page of its domain; software
// gets what it would without one.
func TestPageOfTheDomain(t *testing.T) {
	c := translated("example", "/", "en", "fr")
	c.below()
	e := newEdge(t, c).serve(t)
	const browser, fr, en = "text/html,application/xhtml+xml,*/*;q=0.8", "<html lang=fr>", "<html lang=en>"
	const both = "Accept, Accept-Language"
	for _, c := range []struct {
		host, path, accept string
		status             int
		body, vary         string
	}{
		{"o.example", "/", browser, 200, fr, both},
		{"O.Example.:80", "/", "TEXT/HTML", 200, fr, both},
		{"r10.o.example", "/", browser, 200, fr, both},
		{"c.example", "/", browser, 200, fr, both},
		{"c.example", "/", "*/*", 200, "", both},
		{"o.example", "/", "*/*", 200, "", both},
		{"o.example", "/", "text/*", 200, "", both},
		{"o.example", "/", "text/html;q=0, */*", 200, "", both},
		{"o.example", "/", "application/ocsp-response", 200, "", both},
		{"o.example", "/", "", 200, "", both},
		{"o.example", "/fr/", "", 200, fr, ""},
		{"o.example", "/en/", "*/*", 200, en, ""},
		{"c.example", "/fr/", browser, 200, fr, ""},
		{"o.example", "/%66r/", browser, 200, fr, ""},
		{"o.example", "/style.css", "text/css", 200, "body{}", ""},
		{"o.example", "/about.txt", browser, 400, string(ocspMalformed), ""},
		{"o.example", "/.well-known/security.txt", browser, 404, "", ""},
		{"o.example", "/de/", browser, 400, string(ocspMalformed), ""},
		{"c.example", "/de/", browser, 404, "", ""},
		{"i.example", "/", browser, 200, "certificate", ""},
		{"i.example", "/fr/", browser, 404, "", ""},
		{"own.example", "/", browser, 200, "own", ""},
		{"x.own.example", "/", browser, 200, "own", both},
		{"x.own.example", "/fr/", browser, 400, string(ocspMalformed), ""}, // the nearest page decides
		{"o.elsewhere", "/", browser, 200, "", ""},
		{"192.0.2.1", "/", browser, 200, "", ""},
		{"[2001:db8::1]:80", "/", browser, 200, "", ""},
		{strings.Repeat("a.", 200) + "example", "/", browser, 200, "", ""},
	} {
		headers := []string{"Accept-Language: fr"}
		if c.accept != "" {
			headers = append(headers, "Accept: "+c.accept)
		}
		a := e.getAt(t, c.host, c.path, headers...)
		if got := a.Header.Get("Vary"); a.StatusCode != c.status || string(a.body) != c.body || got != c.vary {
			t.Errorf("%.40s%s for %q: status %d, body %q and Vary %q, want %d, %q and %q", c.host, c.path, c.accept, a.StatusCode, a.body, got, c.status, c.body, c.vary)
		}
	}
	request := ask("05", crypto.SHA1)
	e.getAt(t, "o.example", target(request), "Accept: "+browser).isServed(t, respondedFor(t, e, request))
}

// Health checks of an OCSP host come by the thousand, whether its domain has a page
// or not.
func TestProbeBelowAPageDoesNotAllocate(t *testing.T) {
	e := newEdge(t, translated("example", "/", "en", "fr"))
	ctx := requestCtx("GET", "/", nil, "Accept", "*/*")
	run := func() {
		e.Handle(ctx)
		if vary := ctx.Response.Header.PeekCanonical(headerVary); string(vary) != "Accept, Accept-Language" {
			t.Fatalf("Vary: %s", vary)
		}
		ctx.Response.Reset()
		ctx.Response.Header.SetNoDefaultContentType(true)
	}
	run() // buffers grow
	if n := testing.AllocsPerRun(200, run); n != 0 {
		t.Errorf("%v allocations a request, want none", n)
	}
}

// With OCSP below a prefix / is nobody's, and a browser gets the page there, too.
func TestPageBesideAPrefix(t *testing.T) {
	e := newEdge(t, translated("example", "/", "en", "fr"), func(c *Config) { c.Prefixes = []string{"/ocsp"} }).serve(t)
	e.getAt(t, "o.example", "/", "Accept: text/html").is(t, 200, []byte("<html lang=en>"))
	e.getAt(t, "o.example", "/").is(t, 404, nil)
	e.getAt(t, "o.example", "/ocsp", "Accept: text/html").is(t, 200, nil)
}

// Without a page in the store nothing is said of Accept.
func TestNoPage(t *testing.T) {
	e := newEdge(t, files()).serve(t)
	want := map[string]string{"Cache-Control": "max-age=3600", "Content-Type": "text/plain", "Content-Length": "0"}
	a := e.getAt(t, "x.example", "/", "Accept: text/html")
	a.is(t, 200, nil)
	wantHeaders(t, "GET", a, want)
}

func TestGuards(t *testing.T) {
	c := content{segments: [][]entry{good("05")}}
	types := map[string]string{"html": store.TypeHTML, "css": store.TypeCSS, "svg": store.TypeSVG, "png": store.TypePNG, "txt": "text/plain", "crl": store.TypeCRL, "der": store.TypeCertificate, "p7c": store.TypeCMS}
	for name, contentType := range types {
		c.add("example", "/x."+name, contentType, name)
	}
	e := newEdge(t, c).serve(t)
	for name, want := range map[string][]string{
		"html": {"Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"},
		"svg":  {"Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"},
		"css":  {"X-Content-Type-Options"}, "png": {"X-Content-Type-Options"}, "txt": {"X-Content-Type-Options"},
		"crl": nil, "der": nil, "p7c": nil,
	} {
		a := e.getAt(t, "example", "/x."+name)
		a.is(t, 200, []byte(name))
		var got []string
		for _, h := range []string{"Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"} {
			if v := a.Header.Get(h); v != "" {
				got = append(got, h)
				if v != guarded[h] {
					t.Errorf("%s: %s: %s", name, h, v)
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s has the headers %v, want %v", name, got, want)
		}
	}
}

// Cost of a page in 200 languages: what a browser sends costs one match, and the worst
// that fits a header no more than maxLanguages.
func BenchmarkPage(b *testing.B) {
	var tags []string
	for c := 'a'; c <= 'z' && len(tags) < 200; c++ {
		for d := 'a'; d <= 'z' && len(tags) < 200; d++ {
			if tag, err := language.Parse(string([]rune{c, d})); err == nil && tag.String() == string([]rune{c, d}) {
				tags = append(tags, tag.String())
			}
		}
	}
	for _, region := range []string{"AR", "BO", "CL", "CO", "CR", "CU", "DO", "EC", "GT", "HN", "MX", "NI", "PA", "PE", "PR", "PY", "SV", "UY", "VE"} {
		tags = append(tags, "es-"+region)
	}
	e := newEdge(b, translated("o.example", "/", tags...))
	var rising strings.Builder // each preferred to the one before
	for i := 1; rising.Len() < 8000; i++ {
		fmt.Fprintf(&rising, "%s;q=0.%03d,", tags[i%len(tags)], min(i, 999))
	}
	for _, c := range []struct{ name, accepted string }{
		{"none", ""},
		{"usual", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7"},
		{"unknown", "tlh"},
		{"rising weights in 8 KB", rising.String()},
		{"one tag of 8 KB", strings.Repeat("a", 8000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx := requestCtx("GET", "/", nil, "Accept-Language", c.accepted)
			b.ReportAllocs()
			for b.Loop() {
				e.Handle(ctx)
				ctx.Response.Reset()
			}
		})
	}
}
