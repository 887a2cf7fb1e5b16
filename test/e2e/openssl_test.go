package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"lancre/internal/programs"
)

// prints is what openssl ocsp prints about each kind of certificate.
var prints = map[string]*regexp.Regexp{
	"good":        regexp.MustCompile(`(?m)^good.pem: good\n\tThis Update: .*\n\tNext Update: .*\n$`),
	"compromised": regexp.MustCompile(`(?m)^compromised.pem: revoked\n(\t.* Update: .*\n){2}\tReason: keyCompromise\n\tRevocation Time: .*\n$`),
	"superseded":  regexp.MustCompile(`(?m)^superseded.pem: revoked\n(\t.* Update: .*\n){2}\tReason: superseded\n\tRevocation Time: .*\n$`),
	"unexplained": regexp.MustCompile(`(?m)^unexplained.pem: revoked\n(\t.* Update: .*\n){2}\tRevocation Time: .*\n$`),
	"unrecorded":  regexp.MustCompile(`(?m)^unrecorded.pem: unknown\n(\t.* Update: .*\n){2}$`),
}

// page is what the bare domain shows.
const page = "<!DOCTYPE html><title>example.test</title>"

// TestOpenSSL follows certificates of every status from OpenSSL CAs of several
// kinds, through both forms of input, to the clients.
func TestOpenSSL(t *testing.T) {
	programs.Need(t, "openssl", "curl", "ocsptool")
	dir := t.TempDir()
	newRoot(t, dir)
	authorities := []*authority{
		newAuthority(t, dir, "rsa", rsa2048, direct),
		newAuthority(t, dir, "rsa-delegated", rsa2048, delegated),
		newAuthority(t, dir, "p256", p256, direct),
		newAuthority(t, dir, "p256-delegated", p256, delegated),
		newAuthority(t, dir, "ed25519", ed25519, direct),
	}
	for _, a := range authorities {
		issueEveryStatus(t, a)
		a.publish(t, filepath.Join(dir, "static"))
	}
	sh(t, dir, `
		mkdir static/example.test
		echo "$PAGE" >static/example.test/index.html

		mkdir responses
		for resp in */*.resp; do
			cp $resp responses/$(echo $resp | tr / .)
			base64 -w0 $resp; echo
		done >responses.base64

		lancre build --out store --issuer rsa/chain.pem --issuer rsa-delegated/ca.pem \
			--issuer p256/ca.pem --issuer p256-delegated/ca.pem --issuer ed25519/ca.pem \
			--responses responses --static static --at $NOW
		lancre build --out store-base64 --issuer rsa/chain.pem --issuer rsa-delegated/ca.pem \
			--issuer p256/ca.pem --issuer p256-delegated/ca.pem --issuer ed25519/ca.pem \
			--responses responses.base64 --static static --at $NOW
		lancre verify store
		# The form of the input leaves no trace in the store.
		cmp store/manifest store-base64/manifest
	`, "PAGE="+page, "NOW="+time.Now().UTC().Format(time.RFC3339))

	d := programs.Start(t, filepath.Join(dir, "store-base64"))
	for _, a := range authorities {
		t.Run(filepath.Base(a.dir), func(t *testing.T) {
			for cert := range prints {
				checkBytes(t, d, a, cert)
				checkOpenSSL(t, d, a, cert)
				checkInspect(t, a, cert)
			}
			checkCaching(t, d, a)
			checkOcsptool(t, d, a)
			checkNotIssued(t, d, a)
			checkStatic(t, d, a)
		})
	}
	t.Run("landing page", func(t *testing.T) { checkLandingPage(t, d) })
}

// issueEveryStatus lets a issue, and answer for, one certificate of each kind in prints.
func issueEveryStatus(t *testing.T, a *authority) {
	t.Helper()
	for _, cert := range []string{"good", "compromised", "superseded", "unexplained"} {
		a.issue(t, cert, "leaf")
	}
	a.issueUnrecorded(t, "unrecorded")
	a.revoke(t, "compromised", "keyCompromise")
	a.revoke(t, "superseded", "superseded")
	a.revoke(t, "unexplained", "")
	for cert := range prints {
		a.respond(t, cert)
	}
}

// checkBytes wants the very bytes that the CA signed, by GET and by POST.
func checkBytes(t *testing.T, d *programs.Daemon, a *authority, cert string) {
	t.Helper()
	for _, hash := range hashes {
		file := filepath.Join(a.dir, cert+"."+hash)
		request := url.QueryEscape(base64.StdEncoding.EncodeToString(readFile(t, file+".req")))
		out := a.sh(t, `
			form='%{http_code} %{content_type}\n'
			curl -sS -w "$form" -o got.get http://$ADDR/$REQUEST
			curl -sS -w "$form" -o got.post http://$ADDR/ \
				--data-binary @$FILE.req -H 'Content-Type: application/ocsp-request'
		`, "ADDR="+d.Addr, "REQUEST="+request, "FILE="+file)
		if want := strings.Repeat("200 application/ocsp-response\n", 2); out != want {
			t.Errorf("%s: GET and POST are answered with\n%swant\n%s", file, out, want)
		}
		for _, got := range []string{"got.get", "got.post"} {
			if got, want := readFile(t, filepath.Join(a.dir, got)), readFile(t, file+".resp"); !bytes.Equal(got, want) {
				t.Errorf("%s: %s is not what was signed:\n%x\nwant\n%x", file, got, got, want)
			}
		}
	}
}

// checkCaching wants what a cache needs (RFC 9919 section 7.2): times that fit, and
// an ETag that revalidates.
func checkCaching(t *testing.T, d *programs.Daemon, a *authority) {
	t.Helper()
	request := url.QueryEscape(base64.StdEncoding.EncodeToString(readFile(t, filepath.Join(a.dir, "good.sha1.req"))))
	status := a.sh(t, `
		curl -sS -D headers -o got.get --etag-save etag http://$ADDR/$REQUEST
		curl -sS -w '%{http_code}' --etag-compare etag http://$ADDR/$REQUEST
	`, "ADDR="+d.Addr, "REQUEST="+request)
	if status != "304" {
		t.Errorf("a request with the ETag just given is answered with %s, want 304", status)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(readFile(t, filepath.Join(a.dir, "headers")))), nil)
	if err != nil {
		t.Fatal(err)
	}
	var times [3]time.Time
	for i, name := range []string{"Last-Modified", "Date", "Expires"} {
		if times[i], err = http.ParseTime(resp.Header.Get(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var maxAge int
	if _, err := fmt.Sscanf(resp.Header.Get("Cache-Control"), "max-age=%d,", &maxAge); err != nil {
		t.Errorf("Cache-Control %q: %v", resp.Header.Get("Cache-Control"), err)
	}
	cached := times[1].Add(time.Duration(maxAge) * time.Second)
	if times[0].After(times[1]) || maxAge <= 0 || cached.After(times[2]) {
		t.Errorf("Last-Modified, Date and Expires are %s, with max-age %d: out of order", times, maxAge)
	}
}

// checkOpenSSL wants openssl to believe the answer and to read the right status.
func checkOpenSSL(t *testing.T, d *programs.Daemon, a *authority, cert string) {
	t.Helper()
	for _, hash := range hashes {
		a.sh(t, `
			openssl ocsp -$HASH -issuer ca.pem -cert $CERT.pem -CAfile chain.pem -url http://$ADDR >status 2>verdict
			grep -q '^Response verify OK$' verdict
		`, "HASH="+hash, "CERT="+cert, "ADDR="+d.Addr)
		if got := string(readFile(t, filepath.Join(a.dir, "status"))); !prints[cert].MatchString(got) {
			t.Errorf("openssl ocsp -%s prints\n%swant %s", hash, got, prints[cert])
		}
	}
}

// checkInspect wants lancre inspect to find the response that was signed.
func checkInspect(t *testing.T, a *authority, cert string) {
	t.Helper()
	a.sh(t, `
		lancre inspect ../store --cert $CERT.pem --issuer ca.pem --hash sha256 --out got.inspect
		cmp got.inspect $CERT.sha256.resp
	`, "CERT="+cert)
}

// checkOcsptool asks with GnuTLS: HTTP/1.0, and it reads until the server closes.
func checkOcsptool(t *testing.T, d *programs.Daemon, a *authority) {
	t.Helper()
	out := a.sh(t, `
		set -- $SIGNER # -rsigner FILE ...
		ocsptool --ask=http://$ADDR/ --load-cert=compromised.pem --load-issuer=ca.pem --load-signer=$2
	`, "ADDR="+d.Addr)
	for _, want := range []string{"Certificate Status: revoked", "Verifying OCSP Response: Success"} {
		if !strings.Contains(out, want) {
			t.Errorf("ocsptool prints no %q:\n%s", want, out)
		}
	}
}

// checkNotIssued asks for a serial number nobody answered for.
func checkNotIssued(t *testing.T, d *programs.Daemon, a *authority) {
	t.Helper()
	out, _ := try(t, a.dir, `openssl ocsp -issuer ca.pem -serial 0x1234 -CAfile chain.pem -url http://$ADDR`, "ADDR="+d.Addr)
	if want := "Responder Error: unauthorized (6)\n"; out != want {
		t.Errorf("openssl ocsp prints\n%swant\n%s", out, want)
	}
}

// checkStatic follows the URLs in a certificate, as what validates it would.
func checkStatic(t *testing.T, d *programs.Daemon, a *authority) {
	t.Helper()
	out := a.sh(t, `
		fetch() { curl -sSf --connect-to ::$ADDR -w '%{content_type}\n' -o $1 $2; }
		crl=$(openssl x509 -in good.pem -noout -ext crlDistributionPoints | sed -n 's/.*URI:http/http/p')
		issuer=$(openssl x509 -in good.pem -noout -ext authorityInfoAccess | sed -n 's/.*CA Issuers - URI://p')

		fetch got.crl $crl
		openssl crl -inform DER -in got.crl -CAfile chain.pem -noout
		openssl crl -inform DER -in got.crl -noout -text | grep -c 'Serial Number:'

		fetch got.der $issuer
		openssl x509 -inform DER -in got.der -out got.pem
		openssl verify -CAfile ../root.pem got.pem

		fetch got.p7c ${issuer}chain.p7c
		openssl pkcs7 -inform DER -in got.p7c -print_certs | grep -c '^subject'
	`, "ADDR="+d.Addr)
	want := "application/pkix-crl\nverify OK\n3\napplication/pkix-cert\ngot.pem: OK\napplication/pkcs7-mime\n2\n"
	if out != want {
		t.Errorf("the files at the URLs of good.pem read\n%swant\n%s", out, want)
	}
}

// checkLandingPage wants the bare domain to show a person its page.
func checkLandingPage(t *testing.T, d *programs.Daemon) {
	t.Helper()
	out := sh(t, t.TempDir(), `
		curl -sSf --connect-to ::$ADDR -w '%{content_type}\n' http://example.test/
	`, "ADDR="+d.Addr)
	if want := page + "\ntext/html;charset=utf-8\n"; out != want {
		t.Errorf("the bare domain answers\n%swant\n%s", out, want)
	}
}
