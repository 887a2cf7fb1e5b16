package e2e

import (
	"testing"

	"lancre/internal/programs"
)

// startNginx runs nginx in dir with the configuration of a site, after sed has
// edited it: what is not known in advance is where lancred listens.
func startNginx(t *testing.T, dir, site, edit string) {
	t.Helper()
	programs.Need(t, "nginx")
	start(t, dir, `
		cp $CONF nginx.conf
		sed "$EDIT" $SITE >site.conf
		exec nginx -p . -e error.log -c nginx.conf
	`, "CONF="+testdata(t, "nginx.conf"), "SITE="+site, "EDIT="+edit)
}

// startProxy runs docs/nginx.conf in front of d, in the authority's directory, and
// waits until it answers on the socket http.sock there.
func startProxy(t *testing.T, a *authority, d *programs.Daemon) {
	t.Helper()
	startNginx(t, a.dir, testdata(t, "../../../docs/nginx.conf"), `
		s|127.0.0.1:8080|`+d.Addr+`|
		s|listen  *80 |listen unix:http.sock |
		s|/var/cache/nginx/|cache.|
	`)
	await(t, a.dir, get+`get http://o.example.test/`, nil, "200")
}

// Shell functions: get asks the proxy, prints the HTTP status and what the cache
// had, and leaves the answer in the file got; target prints the base64 of a request
// as it comes, slashes and all; unauthorized wants the answer to be that.
const get = `
	get() { curl -sS --unix-socket http.sock -w '%{http_code} %header{x-cache-status}\n' -o got "$@"; }
	target() { base64 -w0 $1 | tr -d =; }
	unauthorized() { printf '\060\003\012\001\006' | cmp got -; }
`

// TestNginxProxy wants docs/nginx.conf to cache what may be cached, and to let
// through everything else as it is.
func TestNginxProxy(t *testing.T) {
	programs.Need(t, "curl", "nginx")
	a, d := serveAuthority(t, direct)
	startProxy(t, a, d)
	tests := []struct{ name, script, want string }{
		{"GET is cached", `
			get http://o.example.test/$(target good.sha1.req)
			cmp got good.sha1.resp
			get http://o.example.test/$(target good.sha1.req)
			cmp got good.sha1.resp
			get http://o.example.test/$(target revoked.sha1.req)
			cmp got revoked.sha1.resp
		`, "200 MISS\n200 HIT\n200 MISS\n"},
		{"POST is not", `
			get http://o.example.test/ --data-binary @good.sha256.req
			cmp got good.sha256.resp
			get http://o.example.test/ --data-binary @revoked.sha256.req
			cmp got revoked.sha256.resp
		`, "200 \n200 \n"},
		{"CRLs are cached by their host", `
			get http://ca.c.example.test/1.crl
			get http://ca.c.example.test/1.crl
			openssl crl -inform DER -in got -CAfile ca.pem -noout
			get http://ca.c.example.test/1.crl -r 0-99
			cmp -n 100 got ../static/ca.c.example.test/1.crl
			get http://ca.i.example.test/1.crl
		`, "200 MISS\n200 HIT\nverify OK\n206 HIT\n404 MISS\n"},
		{"unauthorized is not", `
			openssl ocsp -issuer ca.pem -cert unanswered.pem -no_nonce -reqout unanswered.req
			get http://o.example.test/$(target unanswered.req)
			get http://o.example.test/$(target unanswered.req)
			unauthorized
		`, "200 MISS\n200 MISS\n"},
		{"malformedRequest is not", `
			get http://o.example.test/MAAA
			get http://o.example.test/MAAA
		`, "400 MISS\n400 MISS\n"},
		// Of a certificate it does not know, lancred cannot tell where a slash was
		// lost, and would say malformedRequest with status 400.
		{"two slashes stay two", `
			openssl ocsp -issuer ca.pem -serial 0x7fffffffffffffff -no_nonce -reqout slashes.req
			target slashes.req | grep -q //
			get http://o.example.test/$(target slashes.req)
			unauthorized
		`, "200 MISS\n"},
		{"HTTP/1.0 without Host", `
			get -0 -H Host: http://ignored/ --data-binary @good.sha1.req
			cmp got good.sha1.resp
		`, "200 \n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, err := try(t, a.dir, get+test.script); got != test.want || err != nil {
				t.Errorf("%s\nprints, with %v,\n%swant\n%s", test.script, err, got, test.want)
			}
		})
	}
}

// TestNginxProxyRevalidates wants the proxy to renew what it has when lancred says
// that it has not changed.
func TestNginxProxyRevalidates(t *testing.T) {
	programs.Need(t, "curl", "nginx")
	a, store := publishAuthority(t, direct)
	startProxy(t, a, programs.Start(t, store, "--cap-max-age", "1s"))
	await(t, a.dir, get+`
		get http://o.example.test/$(target good.sha1.req)
		cmp got good.sha1.resp
	`, nil, "200 REVALIDATED\n")
}

// TestNginxProxyKeepsNoFailure wants the proxy to ask again when lancred could not
// answer.
func TestNginxProxyKeepsNoFailure(t *testing.T) {
	programs.Need(t, "curl", "nginx")
	a, _ := publishAuthority(t, direct)
	startProxy(t, a, serveExpired(t, a))
	got := a.sh(t, get+`
		openssl ocsp -issuer ca.pem -cert expired.pem -no_nonce -reqout expired.req
		get http://o.example.test/$(target expired.req)
		get http://o.example.test/$(target expired.req)
	`)
	if want := "503 MISS\n503 MISS\n"; got != want {
		t.Errorf("two requests for a response that has expired are answered with\n%swant\n%s", got, want)
	}
}
