package e2e

import (
	"testing"

	"lancre/internal/programs"
)

// TestCurl downloads a CRL and the issuer's certificate in every way curl has.
func TestCurl(t *testing.T) {
	programs.Need(t, "curl")
	a, d := serveAuthority(t, direct)
	files := []struct{ url, file string }{
		{"http://ca.c.example.test/1.crl", "../static/ca.c.example.test/1.crl"},
		{"http://ca.i.example.test/", "../static/ca.i.example.test/index.der"},
	}
	for _, f := range files {
		for _, test := range downloads {
			t.Run(test.name+" "+f.url, func(t *testing.T) {
				got, err := try(t, a.dir, download+test.script, "ADDR="+d.Addr, "URL="+f.url, "FILE="+f.file)
				if got != test.want || err != nil {
					t.Errorf("%s\nprints, with %v,\n%swant\n%s", test.script, err, got, test.want)
				}
			})
		}
	}
}

// download is a shell function that asks for $URL, prints the HTTP status, and
// leaves the body in the file got.
const download = `
	rm -f got
	get() { curl -sS --connect-to ::$ADDR -w '%{http_code}\n' -o got "$@" $URL; }
	size=$(wc -c <$FILE)
`

// downloads print want if they find at $URL what is in $FILE.
var downloads = []struct{ name, script, want string }{
	{"GET", `
		get
		cmp got $FILE
	`, "200\n"},
	{"HEAD", `
		get -D of-get
		get -D of-head --head
		grep -v ^Date: of-get >want
		grep -v ^Date: of-head | cmp - want
		grep -q "^Content-Length: $size" of-head
	`, "200\n200\n"},
	{"range", `
		get -r 10-19
		tail -c +11 $FILE | head -c 10 | cmp got -
		get -r -10
		tail -c 10 $FILE | cmp got -
		get -r 10-
		tail -c +11 $FILE | cmp got -
		get -r $size-
	`, "206\n206\n206\n416\n"},
	{"two ranges", `
		get -r 0-9,20-29
		cmp got $FILE
	`, "200\n"},
	{"resume", `
		head -c 100 $FILE >got
		get -C -
		cmp got $FILE
	`, "206\n"},
	{"resume what has changed", `
		get -r 100- -H 'If-Range: "other"'
		cmp got $FILE
	`, "200\n"},
	{"resume what has not", `
		get --etag-save etag
		get -r 100- -H "If-Range: $(cat etag)"
		tail -c +101 $FILE | cmp got -
	`, "200\n206\n"},
	{"ETag", `
		get --etag-save etag
		rm got
		get --etag-compare etag
		test ! -s got
		get -H 'If-None-Match: "other"'
	`, "200\n304\n200\n"},
	{"date", `
		get -R
		touch -r got fetched
		get -z fetched
		get -z '2001-01-01'
		cmp got $FILE
	`, "200\n304\n200\n"},
	{"compressed", `
		get --compressed -D headers
		cmp got $FILE
		! grep -i ^Content-Encoding: headers
	`, "200\n"},
}
