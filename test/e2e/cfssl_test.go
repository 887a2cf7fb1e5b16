package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"lancre/internal/programs"
)

// TestCfssl follows certificates from a CA run with cfssl, through each way that
// its responses can take into a store: one from `cfssl ocspsign`, the file of
// `cfssl ocspdump`, and straight from the table that `cfssl ocsprefresh` fills.
func TestCfssl(t *testing.T) {
	addInstalled(t)
	programs.Need(t, "cfssl", "cfssljson", "openssl")
	dir := t.TempDir()
	makeCfsslDatabase(t, filepath.Join(dir, "certs.db"))
	makeCfsslCA(t, dir)
	sh(t, dir, cfsslFunctions+`
		issue good server -db-config db.json
		issue revoked server -db-config db.json
		issue signed server
	`)
	sh(t, dir, revokeCfssl, "CERT=revoked")
	sh(t, dir, `
		signer='-loglevel 3 -ca ca.pem -responder responder.pem -responder-key responder-key.pem -interval 96h'
		cfssl ocsprefresh $signer -db-config db.json
		cfssl ocspdump -loglevel 3 -db-config db.json >dump
		cfssl ocspsign $signer -cert signed.pem -status good | cfssljson -bare signed
	`)
	for store, sources := range map[string]string{
		"from-dump":     "--responses dump --responses signed-response.der",
		"from-database": "--responses sqlite:certs.db --responses signed-response.der",
	} {
		t.Run(store, func(t *testing.T) { checkCfsslStore(t, dir, store, sources) })
	}
}

// checkCfsslStore builds a store without a rejection, and wants openssl to believe
// what is served of it.
func checkCfsslStore(t *testing.T, dir, store, sources string) {
	out := sh(t, dir, `
		lancre build --out $STORE --issuer ca.pem $SOURCES
		lancre verify $STORE
	`, "STORE="+store, "SOURCES="+sources)
	for _, want := range []string{"4 read, 0 rejected, 4 published", "CN=cfssl CA: 3 good, 1 revoked, 0 unknown"} {
		if !strings.Contains(out, want) {
			t.Errorf("lancre build prints\n%swant %q in it", out, want)
		}
	}
	d := programs.Start(t, filepath.Join(dir, store))
	for cert, status := range map[string]string{"good": "good", "revoked": "revoked", "signed": "good"} {
		out := sh(t, dir, `
			openssl ocsp -issuer ca.pem -cert $CERT.pem -CAfile ca.pem -no_nonce -url http://$ADDR 2>&1
		`, "CERT="+cert, "ADDR="+d.Addr)
		if want := fmt.Sprintf("Response verify OK\n%s.pem: %s\n", cert, status); !strings.HasPrefix(out, want) {
			t.Errorf("openssl ocsp prints\n%swant\n%s", out, want)
		}
	}
}

// cfsslFunctions are for scripts in the directory of a CA.
const cfsslFunctions = `
	issue() { # NAME PROFILE MORE...
		name=$1; profile=$2; shift 2
		echo '{"CN": "'$name'", "hosts": ["'$name'"], "key": {"algo": "ecdsa", "size": 256}}' >$name.json
		cfssl gencert -loglevel 3 -ca ca.pem -ca-key ca-key.pem -config config.json -profile $profile "$@" $name.json |
			cfssljson -bare $name
	}
`

// revokeCfssl is a script that revokes $CERT.pem.
const revokeCfssl = `
	cfssl revoke -loglevel 3 -db-config db.json -reason keycompromise \
		-serial $(cfssl certinfo -cert $CERT.pem | sed -n 's/.*"serial_number": "\([0-9]*\)".*/\1/p') \
		-aki $(cfssl certinfo -cert $CERT.pem | sed -n 's/.*"authority_key_id": "\([0-9A-F:]*\)".*/\1/p' | tr -d : | tr A-F a-f)
`

// makeCfsslCA makes a CA in dir, whose database is certs.db there, its responder, and a
// certificate leaf.pem.
func makeCfsslCA(t *testing.T, dir string) {
	t.Helper()
	sh(t, dir, cfsslFunctions+`
		cp $CONFIG config.json
		echo '{"driver": "sqlite3", "data_source": "certs.db"}' >db.json
		echo '{"CN": "cfssl CA", "key": {"algo": "ecdsa", "size": 256}}' >ca.json
		cfssl gencert -loglevel 3 -initca ca.json | cfssljson -bare ca
		issue responder responder
		issue leaf server -db-config db.json
	`, "CONFIG="+testdata(t, "cfssl.json"))
}

// addInstalled adds to PATH what scripts/setup installs with the go command.
func addInstalled(t *testing.T) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", os.Getenv("PATH")+string(filepath.ListSeparator)+filepath.Join(cache, "lancre", "bin"))
}

// makeCfsslDatabase makes the tables that cfssl has migrations for.
func makeCfsslDatabase(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(string(readFile(t, "testdata/cfssl.sql"))); err != nil {
		t.Fatal(err)
	}
}
