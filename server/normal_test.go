package server

import "testing"

func TestNormalPath(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"/", "/"},
		{"/%c3%bc%7eCA.crl", "/%C3%BC~CA.crl"},
		{"/%C3%BC~CA.crl", "/%C3%BC~CA.crl"},
		{"/%41%5a%61%7A%30%39%2d%2e%5f%7e", "/AZaz09-._~"},
		{"/%40%5b%60%7b%2f%3a%20", "/%40%5B%60%7B%2F%3A%20"}, // what stands beside those in ASCII
		{"/%28x%29.crl", "/%28x%29.crl"},                     // not the same as
		{"/(x).crl", "/(x).crl"},
		{"/a/../b//c/./", "/a/../b//c/./"},
		{"/%2e%2e/", "/../"},
		{"/%2541", "/%2541"}, // decoded once
		{"/%", "/%"},
		{"/%4", "/%4"},
		{"/%zz%4", "/%zz%4"},
	} {
		got := string(appendNormal(nil, []byte(c.path)))
		if got != c.want {
			t.Errorf("%s is %s, want %s", c.path, got, c.want)
		}
		if again := string(appendNormal(nil, []byte(got))); again != got {
			t.Errorf("%s is normal, and yet %s", got, again)
		}
	}
}

// URLs that are equivalent find one file, and no others do, however it was published.
func TestEquivalentPaths(t *testing.T) {
	c := content{segments: [][]entry{good("05")}}
	c.add("c.example", "/%C3%BC~CA.crl", typeCRL, "umlaut")
	c.add("c.example", "/%28x%29.crl", typeCRL, "brackets")
	c.add("c.example", "/%7eroot.crl", typeCRL, "tilde")
	e := newEdge(t, c).serve(t)
	for _, c := range []struct{ path, body string }{
		{"/%C3%BC~CA.crl", "umlaut"}, {"/%c3%bc%7eCA.crl", "umlaut"}, {"/%c3%bc%7e%43%41%2ecrl", "umlaut"},
		{"/%28x%29.crl", "brackets"}, {"/%28%78%29.crl", "brackets"},
		{"/%7eroot.crl", "tilde"}, {"/~root.crl", "tilde"}, {"/%7Eroot.crl", "tilde"},
	} {
		e.getAt(t, "c.example:8080", c.path).is(t, 200, []byte(c.body))
	}
	for _, path := range []string{"/(x).crl", "/%c3%bc%7eca.crl", "/%25C3%25BC~CA.crl", "/%C3%BC~CA.crl/"} {
		e.getAt(t, "c.example", path).is(t, 404, nil)
	}
}
