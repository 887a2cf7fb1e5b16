package e2e

import (
	"crypto/sha1"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
	"lancre/index/store"
	"lancre/internal/databasetest"
	"lancre/internal/programs"
)

// lancreSign signs by the list into out, with more options; paths are as in the
// authority's directory.
func (a *authority) lancreSign(t *testing.T, list, out, options string) string {
	t.Helper()
	return a.sh(t, `
		set -- $SIGNER
		shift 2
		lancre sign ocsp --issuer ca.pem "$@" --certificates "$LIST" --out $OUT $OPTIONS
	`, "LIST="+list, "OUT="+out, "OPTIONS="+options)
}

// asks wants openssl, by either hash algorithm, and ocsptool to believe what an edge says
// of a certificate.
func (a *authority) asks(t *testing.T, d *programs.Daemon, cert, want string) {
	t.Helper()
	for _, hash := range hashes {
		out := a.sh(t, `openssl ocsp -$HASH -issuer ca.pem -CAfile chain.pem -cert $CERT.pem -no_nonce -url http://$ADDR 2>&1`, "HASH="+hash, "CERT="+cert, "ADDR="+d.Addr)
		if !strings.HasPrefix(out, "Response verify OK\n"+cert+".pem: "+want+"\n") {
			t.Errorf("openssl by %s says of %s\n%swant %s", hash, cert, out, want)
		}
	}
	out := a.sh(t, `
		set -- $SIGNER
		ocsptool --ask=http://$ADDR/ --load-issuer=ca.pem --load-cert=$CERT.pem --load-signer=$2
	`, "CERT="+cert, "ADDR="+d.Addr)
	if !strings.Contains(out, "Certificate Status: "+want+"\n") || !strings.Contains(out, "Verifying OCSP Response: Success.\n") {
		t.Errorf("ocsptool says of %s\n%swant %s", cert, out, want)
	}
}

// TestSignOpenSSL follows certificates from an index of openssl ca, with every letter and
// reason that this writes, to the clients: by each kind of key, by the CA and by its
// responder. A revocation then takes the same way.
func TestSignOpenSSL(t *testing.T) {
	programs.Need(t, "openssl", "ocsptool")
	for name, kind := range map[string]struct{ key, signer, profiles string }{
		"rsa":              {rsa2048, byCA, "--profile br --profile ms --profile moz"},
		"p256, responder":  {p256, byResponder, "--profile br --profile ms --profile moz"},
		"ed25519, private": {ed25519, byCA, "--profile private"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			newRoot(t, dir)
			a := newAuthority(t, dir, "ca", kind.key, kind.signer)
			reasons := []string{"", "unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation"}
			for _, reason := range reasons {
				a.issue(t, "revoked"+reason, "leaf")
				a.revoke(t, "revoked"+reason, reason)
			}
			a.issue(t, "good", "leaf")
			a.issue(t, "next", "leaf")
			a.sh(t, `
				openssl req -newkey $KEY -nodes -keyout expired.key -out expired.csr -subj /CN=expired
				openssl ca -config $CNF -batch -notext -keyfile ca.key -cert ca.pem -extensions leaf \
					-startdate 20250101000000Z -enddate 20250201000000Z -in expired.csr -out expired.pem
				openssl ca -config $CNF -keyfile ca.key -cert ca.pem -updatedb
				grep -q '^E' index.txt
			`)
			said := a.lancreSign(t, "openssl:index.txt", "new.der", kind.profiles+" --no-store --store store")
			if want := "10 rows, 3 good, 6 revoked, 1 expired\n"; !strings.Contains(said, want) { // one is the responder
				t.Errorf("lancre sign says\n%swant %s", said, want)
			}
			built := a.sh(t, `lancre build --out store --issuer ca.pem --responses new.der $PROFILES`, "PROFILES="+kind.profiles)
			if !strings.Contains(built, "18 read, 0 rejected, 18 published") || strings.Contains(built, " ocsp.") {
				t.Errorf("lancre build says\n%swant neither rejections nor warnings", built)
			}
			d := programs.Start(t, filepath.Join(a.dir, "store"))
			a.asks(t, d, "good", "good")
			a.asks(t, d, "next", "good")
			for _, reason := range reasons {
				a.asks(t, d, "revoked"+reason, "revoked")
			}
			a.revoke(t, "next", "superseded")
			a.lancreSign(t, "openssl:index.txt", "new.der", kind.profiles+" --store store")
			a.sh(t, `lancre add store --issuer ca.pem --responses new.der $PROFILES`, "PROFILES="+kind.profiles)
			m, err := store.ReadManifest(filepath.Join(a.dir, "store"))
			check(t, err)
			d.Await(t, "generation served", "generation", float64(m.Generation))
			a.asks(t, d, "next", "revoked")
			a.asks(t, d, "good", "good")
		})
	}
}

// serial is that of a certificate that openssl ca issued, in hexadecimal.
func (a *authority) serial(t *testing.T, cert string) string {
	t.Helper()
	return strings.TrimSpace(a.sh(t, `openssl x509 -in $CERT.pem -noout -serial | cut -d= -f2`, "CERT="+cert))
}

// decimal is a serial number in hexadecimal, in decimal.
func decimal(serial string) string {
	b, err := hex.DecodeString(serial)
	if err != nil {
		panic(err)
	}
	return new(big.Int).SetBytes(b).String()
}

// TestSignDatabases follows certificates from the tables of CAs to the clients: from
// EJBCA's and XiPKI's in PostgreSQL by the queries of docs/SIGNING.md, and from Boulder's and
// cfssl's in MariaDB.
func TestSignDatabases(t *testing.T) {
	programs.Need(t, "openssl", "ocsptool")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, byCA)
	a.issue(t, "good", "leaf")
	a.issue(t, "revoked", "leaf")
	good, revoked := a.serial(t, "good"), a.serial(t, "revoked")
	notAfter, revokedAt := time.Now().AddDate(0, 0, 80).UTC(), time.Now().Add(-time.Hour).UTC()

	postgres := "postgres://postgres@/postgres?host=" + url.QueryEscape(databasetest.StartPostgres(t).Dir)
	t.Run("EJBCA", func(t *testing.T) {
		execute(t, "pgx", postgres, ejbcaTable,
			ejbcaRow(1, "FINGERPRINT", decimal(good), 20, notAfter, -1, -1),
			ejbcaRow(2, "FINGERPRINT", decimal(revoked), 40, notAfter, revokedAt.UnixMilli(), 1))
		a.signsBy(t, postgres, "EJBCA", "--serial decimal")
	})
	t.Run("XiPKI", func(t *testing.T) {
		// The columns of the table CERT that have a part in it, of their types there.
		execute(t, "pgx", postgres,
			`CREATE TABLE CERT (ID BIGINT PRIMARY KEY, CA_ID SMALLINT NOT NULL, SN VARCHAR(40) NOT NULL, NBEFORE BIGINT NOT NULL, NAFTER BIGINT NOT NULL,
				REV SMALLINT NOT NULL, RR SMALLINT, RT BIGINT, RIT BIGINT, EE SMALLINT NOT NULL, UNIQUE (CA_ID, SN))`,
			fmt.Sprintf("INSERT INTO CERT VALUES (1, 1, '%s', 0, %d, 0, NULL, NULL, NULL, 1)", strings.ToLower(good), notAfter.Unix()),
			fmt.Sprintf("INSERT INTO CERT VALUES (2, 1, '%s', 0, %d, 1, 1, %d, NULL, 1)", strings.ToLower(revoked), notAfter.Unix(), revokedAt.Unix()),
			fmt.Sprintf("INSERT INTO CERT VALUES (3, 2, '77', 0, %d, 0, NULL, NULL, NULL, 1)", notAfter.Unix())) // of another CA
		a.signsBy(t, postgres, "XiPKI", "--serial hex")
	})
	socket := databasetest.StartMySQL(t).Dir + "/sock"
	source, address := "mysql://root@/test?socket="+url.QueryEscape(socket), "root@unix("+socket+")/test"
	t.Run("Boulder", func(t *testing.T) {
		execute(t, "mysql", address, boulderTable,
			a.boulderRow(t, strings.ToLower(good), "good", revokedAt, 0),
			a.boulderRow(t, strings.ToLower(revoked), "revoked", revokedAt, 1),
			fmt.Sprintf("INSERT INTO certificateStatus VALUES (NULL, '77', 'good', '%s', 0, '%s', 1)", revokedAt.Format(time.DateTime), notAfter.Format(time.DateTime)))
		a.lancreSign(t, source, "boulder.der", "--schema boulder --no-store --store boulder")
		a.served(t, "boulder")
	})
	t.Run("cfssl", func(t *testing.T) {
		aki := strings.ToLower(strings.TrimSpace(a.sh(t, `openssl x509 -in ca.pem -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' :'`)))
		insert := "INSERT INTO certificates VALUES ('%s', '" + aki + "', '', '%s', %d, FROM_UNIXTIME(%d), FROM_UNIXTIME(%d), '')"
		execute(t, "mysql", address+"?time_zone=%27%2B00:00%27",
			`CREATE TABLE certificates (serial_number binary(128) NOT NULL, authority_key_identifier binary(128) NOT NULL, ca_label binary(128), status binary(128) NOT NULL,
				reason int, expiry timestamp DEFAULT '0000-00-00 00:00:00', revoked_at timestamp DEFAULT '0000-00-00 00:00:00', pem binary(255) NOT NULL,
				PRIMARY KEY (serial_number, authority_key_identifier))`,
			fmt.Sprintf(insert, decimal(good), "good", 0, notAfter.Unix(), 86400),
			fmt.Sprintf(insert, decimal(revoked), "revoked", 1, notAfter.Unix(), revokedAt.Unix()))
		a.lancreSign(t, source, "cfssl.der", "--schema cfssl --no-store --store cfssl")
		a.served(t, "cfssl")
	})
}

// execute executes statements.
func execute(t *testing.T, driver, address string, statements ...string) {
	t.Helper()
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // what one statement sets holds for the next
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// served builds a store of NAME.der, and asks about the certificates good and revoked.
func (a *authority) served(t *testing.T, name string) {
	t.Helper()
	built := a.sh(t, `lancre build --out $NAME --issuer ca.pem --responses $NAME.der --profile br --profile ms --profile moz`, "NAME="+name)
	if !strings.Contains(built, "4 read, 0 rejected, 4 published") {
		t.Errorf("lancre build says\n%s", built)
	}
	d := programs.Start(t, filepath.Join(a.dir, name))
	a.asks(t, d, "good", "good")
	a.asks(t, d, "revoked", "revoked")
}

// boulderID is the number that Boulder has for the CA: 7 octets of the SHA-1 of its name.
func (a *authority) boulderID(t *testing.T) uint64 {
	t.Helper()
	sum := sha1.Sum(a.keyPair(t, "ca").Leaf.RawSubject)
	return binary.BigEndian.Uint64(sum[:]) >> 8
}

// TestSignKilled ends lancre sign by SIGKILL at random moments, with a list that changes
// in between: in the end every certificate has its newest status, and none was ever
// signed as good after it was signed as revoked.
func TestSignKilled(t *testing.T) {
	programs.Need(t, "openssl")
	const kills, certificates = 50, 600
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, "")
	revoked := make(map[int]bool)
	a.writeList(t, certificates, revoked)
	const sign = "lancre sign ocsp --issuer ca.pem --key ca.key --certificates all.csv --serial hex --store store --out spool "
	const add = "! ls spool/*.der >/dev/null 2>&1 || lancre add store --issuer ca.pem --responses spool; rm -f spool/*.der;"
	a.sh(t, "mkdir spool; "+sign+"--no-store; lancre build --out store --issuer ca.pem --responses spool; rm spool/*.der")
	whole := func() *exec.Cmd { // everything anew
		cmd := exec.Command("sh", "-c", "exec "+sign+"--shards 0/1")
		cmd.Dir = a.dir
		return cmd
	}
	began := time.Now()
	if out, err := whole().CombinedOutput(); err != nil {
		t.Fatalf("lancre sign: %v\n%s", err, out)
	}
	typical := time.Since(began)
	killed, said := 0, make(saidOf)
	for n := range kills {
		for range 3 {
			revoked[1+rand.N(certificates)] = true
		}
		a.writeList(t, certificates, revoked)
		if killedBuild(t, whole(), rand.N(typical)) {
			killed++
		}
		if n%10 == 9 {
			said.read(t, filepath.Join(a.dir, "spool"))
			a.sh(t, add)
		}
	}
	t.Logf("%d of %d were killed", killed, kills)
	a.sh(t, sign)
	said.read(t, filepath.Join(a.dir, "spool"))
	a.sh(t, add+"lancre verify store")
	said.check(t)
	summary := a.sh(t, sign+"--dry-run")
	if want := fmt.Sprintf("%d good, %d revoked, 0 expired\nto sign: 0 changed, 0 new, 0 due; %d certificates", certificates-len(revoked), len(revoked), certificates); !strings.Contains(summary, want) {
		t.Errorf("lancre sign says\n%swant %s", summary, want)
	}
}

// writeList writes all.csv, the list of so many certificates.
func (a *authority) writeList(t *testing.T, certificates int, revoked map[int]bool) {
	t.Helper()
	text := "serial,status,not_after,revoked_at,reason\n"
	for i := 1; i <= certificates; i++ {
		if revoked[i] {
			text += fmt.Sprintf("%x,revoked,2096-01-01T00:00:00Z,2026-01-01T00:00:00Z,1\n", i)
		} else {
			text += fmt.Sprintf("%x,good,2096-01-01T00:00:00Z,,\n", i)
		}
	}
	if err := os.WriteFile(filepath.Join(a.dir, "all.csv"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// saidOf is what was ever signed, by certificate: thisUpdate of each status.
type saidOf map[string]map[index.Status][]int64

// read enters the responses in a directory.
func (s saidOf) read(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.der"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		for in := cryptobyte.String(readFile(t, name)); !in.Empty(); {
			var der cryptobyte.String
			var r index.Response
			if !in.ReadASN1Element(&der, asn1.SEQUENCE) || r.Parse(der) != nil {
				t.Fatalf("%s has what is no response", name)
			}
			id := r.Singles[0].CertID.String()
			if s[id] == nil {
				s[id] = make(map[index.Status][]int64)
			}
			s[id][r.Status] = append(s[id][r.Status], r.ThisUpdate)
		}
	}
}

// check wants nothing to be good after it was revoked.
func (s saidOf) check(t *testing.T) {
	t.Helper()
	if len(s) == 0 {
		t.Error("nothing was signed")
	}
	for id, said := range s {
		if len(said[index.Revoked]) > 0 && len(said[index.Good]) > 0 && slices.Max(said[index.Good]) > slices.Min(said[index.Revoked]) {
			t.Errorf("%s was good after it was revoked: %v", id, said)
		}
	}
}

// TestSignFollowed has lancre follow sign what changes in the index of openssl ca: nothing
// but openssl ca -revoke is run, and the edge says so, by OCSP and by the CRL.
func TestSignFollowed(t *testing.T) {
	programs.Need(t, "openssl", "ocsptool", "curl")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, byResponder)
	a.issue(t, "good", "leaf")
	a.issue(t, "next", "leaf")
	config := `
		store = "store"
		issuers = ["ca/ca.pem"]
		profiles = ["br", "ms", "moz"]
		admin = "127.0.0.1:0"
		[[sign]]
		responder = "ca/responder.pem"
		key = "ca/responder.key"
		certificates = "openssl:ca/index.txt"
		every = "1s"
		[[sign_crl]]
		url = "http://ca.c.example.test/1.crl"
		key = "ca/ca.key"
		certificates = "openssl:ca/index.txt"
	`
	if err := os.WriteFile(filepath.Join(dir, "lancre.toml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	follow := programs.Follow(t, filepath.Join(dir, "lancre.toml"))
	follow.Await(t, "published", "source", "sign")
	follow.Await(t, "published", "source", "sign-crl")
	d := programs.Start(t, filepath.Join(dir, "store"))
	a.asks(t, d, "good", "good")
	a.asks(t, d, "next", "good")
	const byCRL = `
		curl -sS --connect-to ::$ADDR http://ca.c.example.test/1.crl | openssl crl -inform DER -out served.pem
		openssl verify -crl_check -partial_chain -trusted ca.pem -CRLfile served.pem good.pem next.pem 2>&1 || true
	`
	await(t, a.dir, byCRL, []string{"ADDR=" + d.Addr}, "good.pem: OK", "next.pem: OK")
	a.revoke(t, "next", "superseded")
	await(t, a.dir, byCRL, []string{"ADDR=" + d.Addr}, "good.pem: OK", "error next.pem: verification failed", "certificate revoked")
	await(t, a.dir, `openssl ocsp -issuer ca.pem -cert next.pem -CAfile chain.pem -no_nonce -url http://$ADDR 2>&1`,
		[]string{"ADDR=" + d.Addr}, "Response verify OK", "next.pem: revoked")
	a.asks(t, d, "next", "revoked")
	a.asks(t, d, "good", "good")
	if left, _ := filepath.Glob(filepath.Join(dir, "signed", "*")); len(left) > 0 {
		t.Errorf("%q is left of what was published", left)
	}
}
