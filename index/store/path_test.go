package store

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
		got := string(AppendNormalPath(nil, []byte(c.path)))
		if got != c.want {
			t.Errorf("%s is %s, want %s", c.path, got, c.want)
		}
		if again := string(AppendNormalPath(nil, []byte(got))); again != got {
			t.Errorf("%s is normal, and yet %s", got, again)
		}
	}
}
