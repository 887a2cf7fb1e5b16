package origin

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestLoadSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct{ config, want string }{
		{"issuer = \"x\"", `lancre.toml:3: no key is called "issuer" here`},
		{spool + "evry = \"1s\"", `lancre.toml:5: no key is called "evry" here`},
		{"[[spol]]\ndir = \"x\"", `lancre.toml:3: no key is called "spol" here`},
		{"admin = 5", "lancre.toml:3:9: "},
		{spool + "every = \"soon\"", "lancre.toml:5:9: "},
		{"", "no source: want [[spool]], [[database]], [[command]], [[static]], [[crl_url]], [[sign]] or [[sign_crl]]"},
		{"[[spool]]", `[[spool]] "spool": no dir, in which files appear`},
		{spool + spool + "name = \"spool\"", `[[spool]] "spool": this name is taken`},
		{spool + "name = \"a b\"", `[[spool]] "a b": want a name of letters, digits and hyphens`},
		{spool + "every = \"-1s\"", "neither can be negative"},
		{"profiles = [\"public\"]\n" + spool, "public"},
		{"hold = [\"none\"]\n" + spool, "no check is called"},
		{"heartbeat = \"0s\"\n" + spool, "heartbeat = 0s: want more than 0"},
		{spool + "[merge]\nmax_write = \"many\"", `merge: max_write = "many": want a size`},
		{spool + "[history]\nkeep = -1", "history: keep = -1"},
		{"[[command]]", "nothing to run"},
		{"[[crl_url]]\nurl = \"ftp://x/\"", `url = "ftp://x/": want http://HOST/PATH`},
		{"[[crl_url]]\nurl = \"http://x/\"\npublish = \"c.test/../1.crl\"", `publish = "c.test/../1.crl": want HOST/PATH`},
		{"[[sign]]", `[[sign]] "sign": no key: want key = "FILE"`},
		{"[[sign]]\nkey = \"k\"", "no list of certificates"},
		{"[[sign]]\nkey = \"k\"\ncertificates = \"all.csv\"\nrefresh = [0.25]", "refresh = [0.25]: want two parts"},
		{"[[sign]]\nkey = \"k\"\ncertificates = \"all.csv\"\nhash = [\"md5\"]", `hash algorithm "md5"`},
		{"[[sign]]\nkey = \"k\"\ncertificates = \"postgres://u:secret@h/d\"", "a database needs either a query"},
		{"[[sign_crl]]\nkey = \"k\"\ncertificates = \"all.csv\"", "no URL of the CRL"},
		{"[[sign_crl]]\nkey = \"k\"\ncertificates = \"all.csv\"\nurl = \"http://c.test/1.crl\"\nshards = \"2\"", `"2": want the numbers of the first and last shard`},
		{"[[sign_crl]]\nkey = \"k\"\ncertificates = \"all.csv\"\nurl = \"http://c.test/1.crl\"\nrenew = \"100h\"", "CRLs are signed anew after 100h0m0s"},
		{"[[sign_crl]]\nurl = \"http://c.test/1.crl\"", `[[sign_crl]] "sign-crl": no key: want key = "FILE"`},
		{"[[static]]", "no dir, of which HOST/PATH is published"},
		{"expires = \"1m\"\n" + spool, "expires = 1m0s: want more than the heartbeat, 1m0s"},
		{"manifest_key = \"none\"\n" + spool, "manifest_key: private key: "},
		{"manifest_key = \"ca.pem\"\n" + spool, "so that anybody on this host can sign with it"},
		{"trust = \"ca.pem\"\n" + spool, "is no public key"},
		{"trust = \"origin.pub\"\n" + spool, `trust is in the keys of origin.test, and manifest_key signs for ""`},
		{"trust = \"origin.pub\"\nmanifest_key = \"other.key\"\n" + spool, `trust is in the keys of origin.test, and manifest_key signs for "other.test"`},
		{"origin = \"another\"\nmanifest_key = \"other.key\"\n" + spool, "sign for other.test only"},
		{spool + "[[publish]]", `[[publish]] "publish": no place to publish to`},
		{spool + "[[publish]]\nto = \"store\"", "is the store itself"},
		{spool + "[[publish]]\nto = \"ftp://host/\"", "want s3://BUCKET/PREFIX or a directory"},
		{spool + "[[publish]]\nto = \"s3:///lancre\"", "want s3://BUCKET/PREFIX"},
		{spool + "[[publish]]\nto = \"a\"\nretain = \"-1h\"", "retain -1h0m0s"},
		{spool + "[[publish]]\nto = \"a\"\nname = \"merge\"", `[[publish]] "merge": this name is taken`},
	} {
		w := newWorld(t, tt.config)
		w.makeKey("origin")
		w.makeKey("other")
		if _, err := Load(w.path("lancre.toml")); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q in it", tt.config, err, tt.want)
		}
	}
	w := newWorld(t, spool)
	w.write("lancre.toml", []byte("store = \"store\"\n"+spool))
	if _, err := Load(w.path("lancre.toml")); err == nil || !strings.Contains(err.Error(), "no issuers") {
		t.Errorf("without issuers: %v", err)
	}
	check(t, os.Remove(w.path("ca.pem")))
	w = newWorld(t, spool)
	check(t, os.Remove(w.path("ca.pem")))
	if _, err := Load(w.path("lancre.toml")); err == nil || !strings.Contains(err.Error(), "ca.pem") {
		t.Errorf("with an issuer that is not there: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	w := newWorld(t, "hold = [\"ocsp.previous-conflict\"]\n"+spool+"[[database]]\nurl = \"postgres://u:secret@h/d\"\nquery = \"SELECT a, b FROM t WHERE b > :since\"\n"+
		"[[sign]]\nkey = \"k\"\nschema = \"cfssl\"\ncertificates = \"postgres://u:secret@h/d\"\n"+
		"[[sign_crl]]\nkey = \"k\"\nurl = \"http://c.test/1.crl\"\nschema = \"cfssl\"\ncertificates = \"postgres://u:secret@h/d\"\n"+
		"[[publish]]\nto = \"s3://status/lancre\"\ncanary = \"http://c.test\"\n[[publish]]\nto = \"bucket\"\nretain = \"0s\"\non_publish = \"purge\"\n")
	w.makeKey("origin")
	w.write("lancre.toml", slices.Concat([]byte("manifest_key = \"origin.key\"\ntrust = \"origin.pub\"\nexpires = \"1h\"\n"), w.read("lancre.toml")))
	c, err := Load(w.path("lancre.toml"))
	check(t, err)
	var b bytes.Buffer
	check(t, c.Describe(&b))
	for _, want := range []string{"which is begun", "CN=Lancre demo CA", "ocsp.previous-conflict", "files that appear in " + w.path("spool"), "database-sweep", "certificates of postgres://u:xxxxx@h/d, to sign", "every 24h0m0s",
		"to s3://status/lancre, when something changes; what was replaced stays for 24h0m0s; only what http://c.test serves",
		"publish-2", "to " + w.path("bucket") + ", when something changes; what was replaced stays; then purge", "signed by origin.test, and verified; stale after 1h0m0s"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	if strings.Contains(b.String(), "secret") {
		t.Errorf("the password is shown:\n%s", &b)
	}
	if _, err := os.Stat(w.path("bucket")); err == nil {
		t.Error("it was published to")
	}
}
