package e2e

import (
	"net"
	"testing"

	"lancre/internal/programs"
)

// Shell functions like those for nginx, for a proxy at the address PROXY: get prints the
// HTTP status and how often a cache has had the answer, if there is one.
const getBy = `
	get() { curl -sS --connect-to ::$PROXY -w '%{http_code} %header{x-cache-hits}\n' -o got "$@"; }
	target() { base64 -w0 $1 | tr -d =; }
	unauthorized() { printf '\060\003\012\001\006' | cmp got -; }
`

// TestProxies wants HAProxy, Apache httpd and Varnish, as docs/CLIENTS.md has them be
// configured, to let everything through as it is.
func TestProxies(t *testing.T) {
	programs.Need(t, "curl", "haproxy", "apache2", "varnishd")
	a, d := serveAuthority(t, direct)
	host, port, err := net.SplitHostPort(d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	a.sh(t, `openssl ocsp -issuer ca.pem -serial 0x7fffffffffffffff -no_nonce -reqout slashes.req
		base64 -w0 slashes.req | grep -q //`)
	for _, proxy := range []struct{ name, start, first, again string }{
		{"haproxy", `exec haproxy -db -f $DATA/haproxy.cfg`, "200 \n", "200 \n"},
		{"apache", `TLS=$PROXY exec apache2 -d . -f $DATA/apache-proxy.conf -D FOREGROUND`, "200 \n", "200 \n"},
		{"varnish", `
			sed 's/HOST/'$HOST'/; s/PORT/'$PORT'/' $DATA/varnish.vcl >site.vcl
			exec varnishd -F -j none -n $PWD/varnish -a $PROXY -f $PWD/site.vcl -s malloc,16m`, "200 0\n", "200 1\n"},
	} {
		t.Run(proxy.name, func(t *testing.T) {
			vars := []string{"ADDR=" + d.Addr, "HOST=" + host, "PORT=" + port, "PROXY=" + freeAddr(t), "DATA=" + testdata(t, ".")}
			start(t, a.dir, proxy.start, vars...)
			await(t, a.dir, getBy+`get http://o.example.test/`, vars, "200")
			got := sh(t, a.dir, getBy+`
				get http://o.example.test/$(target good.sha1.req)
				cmp got good.sha1.resp
				get http://o.example.test/$(target good.sha1.req)
				cmp got good.sha1.resp
				get http://o.example.test/ --data-binary @revoked.sha256.req
				cmp got revoked.sha256.resp
				get http://o.example.test/$(target slashes.req)
				unauthorized
				get http://ca.c.example.test/1.crl
				openssl crl -inform DER -in got -CAfile ca.pem -noout
				get http://ca.i.example.test/1.crl | grep -q 404
			`, vars...)
			want := proxy.first + proxy.again + proxy.first + proxy.first + proxy.first + "verify OK\n"
			if got != want {
				t.Errorf("answers are\n%swant\n%s", got, want)
			}
		})
	}
}
