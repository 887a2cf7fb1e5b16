package server

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func TestDecodeTarget(t *testing.T) {
	for _, c := range []struct{ name, target, want string }{
		{"nothing", "", ""},
		{"no padding needed", "AQID", "010203"},
		{"both paddings", "AQI=", "0102"},
		{"two pads", "AQ==", "01"},
		{"pads missing", "AQ", "01"},
		{"one pad of two missing", "AQ=", "01"},
		{"one pad missing", "AQI", "0102"},
		{"escaped pads", "AQ%3D%3d", "01"},
		{"upper case escapes", "%2B%2FAA", "fbf000"},
		{"lower case escapes", "%2b%2fAA", "fbf000"},
		{"unescaped", "+/AA", "fbf000"},
		{"escaped letters", "%41%51%49%44", "010203"},
		{"double slash", "//8A", "ffff00"},
		{"the other alphabet", "-_AA", "fbf000"},
		{"space for plus", "%20/AA", "fbf000"},
		{"line breaks", "AQ%0D%0AID%09", "010203"},
		{"line break among the pads", "AQ=%0A=", "01"},
	} {
		got, ok := decodeTarget(nil, []byte(c.target))
		if !ok || hex.EncodeToString(got) != c.want {
			t.Errorf("%s: %q is %x, %v; want %s", c.name, c.target, got, ok, c.want)
		}
	}
	for _, target := range []string{
		"A", "AQIDA", "==AQID", "AQ=A", "AQ===", "AQ%3D%3D%3D", "%", "%4", "A%", "AQID%", "%ZZ", "%4G", "%G4", "%00", "AQ%00D",
		"!!!!", "AQ.D", "AQ?D", "AQ%25D", "%252B", "AQ\x80D",
	} {
		if got, ok := decodeTarget(nil, []byte(target)); ok {
			t.Errorf("%q is taken for %x", target, got)
		}
	}
}

// slowDecode says in several plain steps what decodeTarget does in one.
func slowDecode(target []byte) ([]byte, bool) {
	var text []byte
	for i := 0; i < len(target); i++ {
		if target[i] != '%' {
			text = append(text, target[i])
			continue
		}
		if i+3 > len(target) {
			return nil, false
		}
		b, err := hex.DecodeString(string(target[i+1 : i+3]))
		if err != nil {
			return nil, false
		}
		text = append(text, b[0])
		i += 2
	}
	s := strings.NewReplacer(" ", "+", "-", "+", "_", "/", "\r", "", "\n", "", "\t", "").Replace(string(text))
	unpadded := strings.TrimRight(s, "=")
	if len(s)-len(unpadded) > 2 {
		return nil, false
	}
	got, err := base64.RawStdEncoding.DecodeString(unpadded)
	return got, err == nil
}

func FuzzDecodeTarget(f *testing.F) {
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		request := ask("fbefbefbefbefbefbefbefbefbefbefb", h)
		f.Add([]byte(target(request))[1:])
		f.Add([]byte(base64.StdEncoding.EncodeToString(request)))
		f.Add([]byte(base64.RawURLEncoding.EncodeToString(request)))
	}
	for _, s := range []string{"", "AQ%3D%3D", "%", "%4", "AQ=A", "A", "%0D%0A", " -_+/", "=", "%00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, target []byte) {
		want, wantOK := slowDecode(target)
		got, ok := decodeTarget(nil, target)
		if ok != wantOK || (ok && !bytes.Equal(got, want)) {
			t.Fatalf("%q is %x, %v; want %x, %v", target, got, ok, want, wantOK)
		}
		if len(got) > len(target)*3/4 {
			t.Fatalf("%d octets out of %d characters", len(got), len(target))
		}
	})
}

// A request that the server never saw, in every spelling that a client or a
// proxy gives it.
func TestGetSpellings(t *testing.T) {
	const plainer = "123456789abcdef0"
	slashes := doubleSlashed(t)
	e := newEdge(t, content{segments: [][]entry{good(slashes, plainer)}},
		func(c *Config) { c.Prefixes = []string{"/", "/ocsp", "/ocsp/deep/"} }).serve(t)
	for _, serial := range []string{slashes, plainer} {
		der := ask(serial, crypto.SHA1)
		stored := respondedFor(t, e, der)
		std, url := base64.StdEncoding.EncodeToString(der), base64.URLEncoding.EncodeToString(der)
		escaped := target(der)
		unpadded := strings.TrimRight(std, "=")
		for name, target := range map[string]string{
			"escaped":                   escaped,
			"escaped in lower case":     strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d").Replace(escaped),
			"unescaped":                 "/" + std,
			"space for plus":            "/" + strings.ReplaceAll(std, "+", "%20"),
			"no padding":                "/" + unpadded,
			"url alphabet":              "/" + url,
			"url alphabet, no padding":  "/" + strings.TrimRight(url, "="),
			"line breaks":               "/" + std[:30] + "%0D%0A" + std[30:] + "%0A",
			"two leading slashes":       "//" + std,
			"three leading slashes":     "///" + escaped[1:],
			"trailing slash":            "/" + std + "/",
			"trailing slash, escaped":   escaped + "/",
			"trailing slash, unpadded":  "/" + unpadded + "/",
			"encoded twice":             strings.ReplaceAll(escaped, "%", "%25"),
			"encoded wholly":            "/" + percent(std),
			"encoded wholly, and again": strings.ReplaceAll("/"+percent(std), "%", "%25"),
			"query":                     escaped + "?x=1",
			"query that is not one":     escaped + "?x=%ZZ/y",
			"absolute form":             "http://o.example" + escaped,
			"absolute form, other case": "HTTP://O.Example:80" + escaped,
			"prefix":                    "/ocsp" + escaped,
			"prefix and two slashes":    "/ocsp//" + std,
			"longer prefix":             "/ocsp/deep" + escaped,
			"merged slashes":            "/" + strings.ReplaceAll(std, "//", "/"),
		} {
			t.Run(serial+" "+name, func(t *testing.T) { e.get(t, target).isServed(t, stored) })
		}
	}
}

// doubleSlashed is a serial whose request has one double slash in base64 that is
// not a triple one.
func doubleSlashed(t testing.TB) string {
	return serialWhere(t, "12%04x0fff%04x", func(std string) bool {
		return strings.Count(std, "//") == 1 && !strings.Contains(std, "///")
	})
}

// serialWhere is a serial of that form, with two numbers in it, whose request has base64
// like this. The issuer's hashes are other ones in each run, so it is searched.
func serialWhere(t testing.TB, form string, like func(std string) bool) string {
	t.Helper()
	for i := range 4000 {
		serial := fmt.Sprintf(form, 0x1000+i, 0x7fff-i)
		if like(base64.StdEncoding.EncodeToString(ask(serial, crypto.SHA1))) {
			return serial
		}
	}
	t.Fatal("no serial found")
	return ""
}

// Proxies that clean paths make one slash of any number of them.
func TestMergedSlashes(t *testing.T) {
	merge := func(s string) string {
		for strings.Contains(s, "//") {
			s = strings.ReplaceAll(s, "//", "/")
		}
		return s
	}
	lost := func(std string) int { return len(std) - len(merge(std)) }
	three := serialWhere(t, "12%04xffffff%04x", func(std string) bool { return strings.Contains(std, "///") && lost(std) == 2 })
	apart := serialWhere(t, "12%04x0fff1233330fff%04x", func(std string) bool { return !strings.Contains(std, "///") && lost(std) == 2 })
	e := newEdge(t, content{segments: [][]entry{good(three, apart)}}).serve(t)
	for _, serial := range []string{three, apart} {
		der := ask(serial, crypto.SHA1)
		std := base64.StdEncoding.EncodeToString(der)
		for _, path := range []string{"/", "/ocsp/", "/a/b/c/d/e/f/g/h/i/j/"} {
			e.get(t, merge(path+std)).isServed(t, respondedFor(t, e, der))
		}
	}
}

// What is nothing, but could be in many ways, is given up.
func TestSalvageIsBounded(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	for _, target := range []string{
		strings.Repeat("M/", 100), strings.Repeat("M/", 2000), strings.Repeat("M", 200) + strings.Repeat("/M", maxSlashes), strings.Repeat("%/", 200),
	} {
		x := exchange{srv: e.Server, gen: e.current.Load()}
		if x.salvage([]byte(target)) || x.tries != 0 {
			t.Errorf("%.20s… is salvaged, or would be tried in %d more ways", target, x.tries)
		}
	}
}

// GET and POST are answered below the same paths.
func TestPrefixesOfBothMethods(t *testing.T) {
	der := ask("05", crypto.SHA1)
	for _, prefixes := range [][]string{nil, {"/"}, {"/", "/ocsp"}, {"/ocsp", "/"}, {"/ocsp/"}, {"/ocsp", "/v1/ocsp"}} {
		e := newEdge(t, content{segments: [][]entry{good("05")}}, func(c *Config) { c.Prefixes = prefixes }).serve(t)
		stored := respondedFor(t, e, der)
		for _, path := range []string{"", "/", "/ocsp", "/ocsp/", "//ocsp", "/ocsp/deep", "/ocspx", "/v1/ocsp", "/v1", "/a/b/c/d/e/f/g/h/i/j/k"} {
			posted, _ := e.send(t, postRequest(path+"/", der))
			got := e.get(t, path+target(der))
			if got.StatusCode != posted.StatusCode {
				t.Errorf("prefixes %q, %q: GET is answered %d, POST %d", prefixes, path, got.StatusCode, posted.StatusCode)
			}
			if posted.StatusCode == 200 {
				got.isServed(t, stored)
			}
		}
	}
}

// respondedFor is the stored response for a request.
func respondedFor(t testing.TB, e *edge, der []byte) []byte {
	t.Helper()
	var x exchange
	x.gen = e.current.Load()
	if !x.req.Parse(der) {
		t.Fatalf("%x is no request", der)
	}
	_, found, err := x.find(&x.req.ids[0])
	if err != nil || !found {
		t.Fatalf("found %v, %v", found, err)
	}
	return x.rec.AppendResponse(nil)
}

func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString("%" + hex.EncodeToString([]byte{c}))
	}
	return b.String()
}

func TestGetGarbage(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	request := ask("05", crypto.SHA1)
	std := base64.StdEncoding.EncodeToString(request)
	for name, target := range map[string]string{
		"bad escape":          "/%ZZ",
		"lone percent":        "/%",
		"NUL":                 "/%00",
		"pads in front":       "/==" + std,
		"not base64":          "/!!!!",
		"base64 of no DER":    "/AAAA",
		"cut":                 "/" + std[:len(std)-8],
		"more behind":         "/" + base64.StdEncoding.EncodeToString(append(request, 0)),
		"path":                "/index.php",
		"dot segments":        "/../index.php",
		"many slashes within": "/" + strings.Repeat("M/", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			a := e.get(t, target)
			a.is(t, 400, ocspMalformed)
			if a.Header.Get("Content-Type") != "application/ocsp-response" {
				t.Errorf("Content-Type %q", a.Header.Get("Content-Type"))
			}
		})
	}
}

func TestGetOther(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	for _, c := range []struct {
		target, cache string
		status        int
	}{
		{"/", "max-age=3600", 200},
		{"//", "max-age=3600", 200},
		{"/?probe", "max-age=3600", 200},
		{"/robots.txt", "max-age=60", 404},
		{"/favicon.ico", "max-age=60", 404},
		{"/.well-known/security.txt", "max-age=60", 404},
	} {
		a := e.get(t, c.target)
		a.is(t, c.status, nil)
		if got := a.Header.Get("Cache-Control"); got != c.cache {
			t.Errorf("%s: Cache-Control %q, want %q", c.target, got, c.cache)
		}
	}
}

func TestPrefixes(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}, func(c *Config) { c.Prefixes = []string{"/ocsp/"} }).serve(t)
	der := ask("05", crypto.SHA1)
	stored := respondedFor(t, e, der)
	e.get(t, "/ocsp"+target(der)).isServed(t, stored)
	for _, path := range []string{"/ocsp", "/ocsp/", "/ocsp/anything"} {
		a, _ := e.send(t, postRequest(path, der))
		a.isServed(t, stored)
	}
	e.get(t, "/ocsp").is(t, 200, nil)
	for _, path := range []string{"/", "/ocspx", "/other", target(der)} {
		e.get(t, path).is(t, 404, nil)
		a, _ := e.send(t, postRequest(path, der))
		a.is(t, 404, nil)
	}
}
