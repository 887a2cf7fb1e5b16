package certificates

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"lancre/internal/databasetest"
)

// A fixture is a database to test with.
type fixture struct {
	source string
	db     *sql.DB
}

func fixtures(t *testing.T, name string) fixture {
	t.Helper()
	f := fixture{}
	driver, address := "", ""
	switch name {
	case "sqlite":
		file := filepath.Join(t.TempDir(), "certs.db")
		f.source, driver, address = "sqlite:"+file, "sqlite", "file:"+file
	case "postgres":
		f.source = "postgres://postgres@/postgres?host=" + url.QueryEscape(databasetest.StartPostgres(t).Dir)
		driver, address = "pgx", f.source
	case "mysql":
		socket := databasetest.StartMySQL(t).Dir + "/sock"
		f.source = "mysql://root@/test?socket=" + url.QueryEscape(socket)
		driver, address = "mysql", "root@unix("+socket+")/test"
	}
	f.db = must(sql.Open(driver, address))
	t.Cleanup(func() { f.db.Close() })
	return f
}

// cfssl's tables, by its own migrations, and what it writes into them.
func TestCfsslSchema(t *testing.T) {
	for name, table := range map[string]string{
		"sqlite": `serial_number blob NOT NULL, authority_key_identifier blob NOT NULL, ca_label blob, status blob NOT NULL, reason int,
			expiry timestamp, revoked_at timestamp, pem blob NOT NULL, PRIMARY KEY(serial_number, authority_key_identifier)`,
		"postgres": `serial_number bytea NOT NULL, authority_key_identifier bytea NOT NULL, ca_label bytea, status bytea NOT NULL, reason int,
			expiry timestamptz, revoked_at timestamptz, pem bytea NOT NULL, PRIMARY KEY(serial_number, authority_key_identifier)`,
		"mysql": `serial_number binary(128) NOT NULL, authority_key_identifier binary(128) NOT NULL, ca_label binary(128), status binary(128) NOT NULL, reason int,
			expiry timestamp DEFAULT '0000-00-00 00:00:00', revoked_at timestamp DEFAULT '0000-00-00 00:00:00', pem binary(255) NOT NULL, PRIMARY KEY(serial_number, authority_key_identifier)`,
	} {
		t.Run(name, func(t *testing.T) {
			f := fixtures(t, name)
			must(f.db.Exec("CREATE TABLE certificates (" + table + ")"))
			zero, zone, revokedZone := "0001-01-01 00:00:00+00:00", "+00:00", "+00:00"
			switch name {
			case "mysql":
				zero, zone, revokedZone = "1980-01-01 00:00:00", "", ""
			case "sqlite":
				revokedZone = "" // CURRENT_TIMESTAMP
			}
			for _, row := range []string{
				`'255', 'abcd', '', 'good', 0, '2027-01-15 08:00:00%[2]s', '%[1]s', ''`,
				`'256', 'abcd', '', 'revoked', 1, '2027-01-15 08:00:00%[2]s', '2026-03-01 02:03:04%[3]s', ''`,
				`'257', 'ffff', '', 'good', 0, '2027-01-15 08:00:00%[2]s', '%[1]s', ''`,
			} {
				must(f.db.Exec("INSERT INTO certificates VALUES (" + fmt.Sprintf(row, zero, zone, revokedZone) + ")"))
			}
			compareRows(t, List{Source: f.source, Schema: "cfssl"}, []string{
				"00ff good until 2027-01-15T08:00:00Z",
				"0100 revoked 2026-03-01T02:03:04Z 1 until 2027-01-15T08:00:00Z",
			}, 3, 1)
		})
	}
}

// compareRows is compare of rows, whose order is the database's.
func compareRows(t *testing.T, l List, want []string, rows, foreign uint64) {
	t.Helper()
	got, r, err := read(t, l)
	for i := range got {
		_, got[i], _ = strings.Cut(got[i], " ")
	}
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) || r.Rows != rows || r.Foreign != foreign {
		t.Errorf("%d rows, %d of others, error %v:\n%s\nwant %d, %d:\n%s", r.Rows, r.Foreign, err, strings.Join(got, "\n"), rows, foreign, strings.Join(want, "\n"))
	}
}

// Boulder's table: revokedDate is there also for what is good, and there are rows for
// what is about to be issued.
func TestBoulderSchema(t *testing.T) {
	f := fixtures(t, "mysql")
	must(f.db.Exec(`CREATE TABLE certificateStatus (id bigint PRIMARY KEY AUTO_INCREMENT, serial varchar(255) NOT NULL, subscriberApproved tinyint(1) DEFAULT 0,
		status varchar(255) NOT NULL, ocspLastUpdated datetime NOT NULL, revokedDate datetime NOT NULL, revokedReason int NOT NULL,
		lastExpirationNagSent datetime NOT NULL, notAfter datetime DEFAULT NULL, isExpired tinyint(1) DEFAULT 0, issuerID bigint DEFAULT NULL)`))
	ours := boulderID(issuer.RawSubject)
	for _, row := range []string{
		`'0003a0ff', 'good', '2026-03-01 00:00:00', 0, '2026-06-01 02:03:04', %d`,
		`'03a100', 'revoked', '2026-03-01 02:03:04', 4, '2026-06-01 02:03:04', %d`,
		`'03a101', 'wait', '2026-03-01 02:03:04', 0, '2026-06-01 02:03:04', %d`,
	} {
		must(f.db.Exec("INSERT INTO certificateStatus (serial, status, revokedDate, revokedReason, notAfter, issuerID, ocspLastUpdated, lastExpirationNagSent) VALUES (" +
			fmt.Sprintf(row, ours) + ", '2026-03-01', '2026-03-01')"))
	}
	l := List{Source: f.source, Schema: "boulder"}
	compareRows(t, l, []string{
		"03a0ff good until 2026-06-01T02:03:04Z",
		"03a100 revoked 2026-03-01T02:03:04Z 4 until 2026-06-01T02:03:04Z",
	}, 2, 0)
	must(f.db.Exec("UPDATE certificateStatus SET status = 'paused' WHERE serial = '03a101'"))
	if _, _, err := read(t, l); err == nil || !strings.Contains(err.Error(), `status "paused": want good or revoked`) {
		t.Errorf("error %v, want one of the status", err)
	}
	for query, want := range map[string]string{
		"SELECT serial, status, notAfter AS not_after, revokedDate AS revoked_at, revokedReason AS reason FROM certificateStatus": "column not_after is of type DATETIME, a time without a zone",
		"SELECT serial, status, id AS not_after FROM certificateStatus":                                                           "want also status, revoked_at and reason",
	} {
		if _, _, err := read(t, List{Source: f.source, Query: query}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", query, err, want)
		}
	}
}

// EJBCA's table by the recipe in docs/SIGNING.md.
func TestEJBCARecipe(t *testing.T) {
	f := fixtures(t, "postgres")
	must(f.db.Exec(`CREATE TABLE CertificateData (fingerprint TEXT NOT NULL PRIMARY KEY, base64Cert TEXT, cAFingerprint TEXT, crlPartitionIndex INT4, expireDate INT8 NOT NULL,
		issuerDN TEXT NOT NULL, revocationDate INT8 NOT NULL, revocationReason INT4 NOT NULL, serialNumber TEXT NOT NULL, status INT4 NOT NULL)`))
	for i, row := range []string{
		`'ca', 2, 4000000000999, -1, -1, '255', 20`,
		`'ca', 3, 4000000000000, -1, -1, '256', 21`,
		`'ca', 0, 4000000000000, 1772330584123, 6, '257', 40`,
		`'ca', 0, 4000000000000, -1, -1, '258', 11`,
		`'ca', 0, 1500000000000, -1, -1, '259', 60`,
		`'other', 0, 4000000000000, -1, -1, '260', 20`,
	} {
		must(f.db.Exec("INSERT INTO CertificateData (fingerprint, issuerDN, cAFingerprint, crlPartitionIndex, expireDate, revocationDate, revocationReason, serialNumber, status) VALUES ('" +
			fmt.Sprint(i) + "', 'CN=CA', " + row + ")"))
	}
	l := List{Source: f.source, Serial: Decimal, Query: strings.Replace(recipe(t, "EJBCA"), "FINGERPRINT", "ca", 1)}
	compareRows(t, l, []string{
		"00ff good until 2096-10-02T07:06:40Z 2",
		"0100 good until 2096-10-02T07:06:40Z 3",
		"0101 revoked 2026-03-01T02:03:04Z 6 until 2096-10-02T07:06:40Z 0",
	}, 3, 0)
	must(f.db.Exec("UPDATE CertificateData SET status = 60 WHERE serialNumber = '255'"))
	if _, _, err := read(t, l); err == nil || !strings.Contains(err.Error(), `status "60": want good or revoked`) {
		t.Errorf("error %v, want one of the status", err)
	}
	l.Issuer = issuer
	if _, err := l.Read(t.Context(), at, nil); err == nil || !strings.Contains(err.Error(), "by the clock of the server it is 20") || !strings.Contains(err.Error(), "here 2026-03-04T05:06:07Z") {
		t.Errorf("error %v, want one of the clocks", err)
	}
	must(f.db.Exec("CREATE TABLE zones (at timestamp, tz timestamptz)"))
	must(f.db.Exec("INSERT INTO zones VALUES ('2027-01-15 08:00:00', '2027-01-15 10:00:00+02')"))
	columns := "SELECT '0xa' AS serial, 'good' AS status, NULL::int AS revoked_at, NULL::int AS reason, "
	compareRows(t, List{Source: f.source, Query: columns + "tz AS not_after FROM zones"}, []string{"0a good until 2027-01-15T08:00:00Z"}, 1, 0)
	if _, _, err := read(t, List{Source: f.source, Query: columns + "at AS not_after FROM zones"}); err == nil || !strings.Contains(err.Error(), "column not_after is of type TIMESTAMP, a time without a zone") {
		t.Errorf("error %v, want one of the zone", err)
	}
}

// step-ca's table has the certificate, in DER, and one of those that are revoked: by the
// recipe.
func TestStepCARecipe(t *testing.T) {
	f := fixtures(t, "mysql")
	must(f.db.Exec("CREATE TABLE x509_certs (nkey VARBINARY(255) PRIMARY KEY, nvalue BLOB)"))
	must(f.db.Exec("CREATE TABLE revoked_x509_certs (nkey VARBINARY(255) PRIMARY KEY, nvalue BLOB)"))
	must(f.db.Exec("INSERT INTO x509_certs VALUES (?, ?)", issued.SerialNumber.String(), issued.Raw))
	l := List{Source: f.source, Query: recipe(t, "step-ca")}
	notAfter := utc(issued.NotAfter.Unix())
	compareRows(t, l, []string{"00fe01 good until " + notAfter}, 1, 0)
	must(f.db.Exec("INSERT INTO revoked_x509_certs VALUES (?, ?)", issued.SerialNumber.String(),
		`{"Serial":"65025","ProvisionerID":"x","ReasonCode":1,"Reason":"","RevokedAt":"2026-03-01T02:03:04.567Z","ExpiresAt":"2026-06-02T05:06:07Z","TokenID":"t","MTLS":true,"ACME":false}`))
	compareRows(t, l, []string{"00fe01 revoked 2026-03-01T02:03:04Z 1 until " + notAfter}, 1, 0)
}

// recipe is the query that docs/SIGNING.md has for a CA.
func recipe(t *testing.T, name string) string {
	t.Helper()
	_, section, _ := strings.Cut(string(must(os.ReadFile("../../docs/SIGNING.md"))), "\n### "+name+"\n")
	section, _, _ = strings.Cut(section, "\n### ")
	_, query, _ := strings.Cut(section, "```sql\n")
	query, _, found := strings.Cut(query, "```")
	if !found {
		t.Fatalf("docs/SIGNING.md has no query for %s", name)
	}
	return query
}
