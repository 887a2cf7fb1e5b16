package input

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"lancre/build/internal/recipe"
	"lancre/build/rule"
	"lancre/internal/database"
	"lancre/internal/databasetest"
)

// A databaseFixture is a database to test with, and what differs in its SQL.
type databaseFixture struct {
	source string  // for --responses
	db     *sql.DB // to fill it
	binary string  // the type of octets
	insert string  // of four values into ocsp_responses
	many   string  // a query for more rows than anyone waits for, each the octets 30 00
}

func sqliteFixture(t *testing.T) databaseFixture {
	file := filepath.Join(t.TempDir(), "certs ?%41.db")
	return databaseFixture{
		source: "sqlite:" + file, db: opened(t, "sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()), binary: "blob",
		insert: "INSERT INTO ocsp_responses VALUES (?, ?, ?, ?)",
		many:   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT x'3000' FROM n",
	}
}

func postgresFixture(t *testing.T) databaseFixture {
	source := "postgres://postgres@/postgres?host=" + url.QueryEscape(databasetest.StartPostgres(t).Dir)
	return databaseFixture{
		source: source, db: opened(t, "pgx", source), binary: "bytea",
		insert: "INSERT INTO ocsp_responses VALUES ($1, $2, $3, $4)",
		many:   `SELECT x FROM (SELECT '\x3000'::bytea AS x, generate_series(1, 1000000000000)) t`,
	}
}

func mysqlFixture(t *testing.T) databaseFixture {
	socket := databasetest.StartMySQL(t).Dir + "/sock"
	return databaseFixture{
		source: "mysql://root@/test?socket=" + url.QueryEscape(socket),
		db:     opened(t, "mysql", "root@unix("+socket+")/test"), binary: "blob",
		insert: "INSERT INTO ocsp_responses VALUES (?, ?, ?, ?)",
		many:   "SELECT x'3000' FROM seq_1_to_1000000000000",
	}
}

func opened(t *testing.T, driver, address string) *sql.DB {
	t.Helper()
	db := recipe.Must(sql.Open(driver, address))
	t.Cleanup(func() { db.Close() })
	return db
}

// fill makes cfssl's table of these responses, with serials in their order, and
// one more that has expired.
func (f *databaseFixture) fill(t *testing.T, responses ...[]byte) {
	t.Helper()
	create := fmt.Sprintf(`CREATE TABLE ocsp_responses (serial_number %s, authority_key_identifier %[1]s, body %[1]s, expiry timestamp NULL)`, f.binary)
	recipe.Must(f.db.Exec(create))
	expiry := time.Now().UTC().AddDate(0, 0, 2).Format(time.DateTime) // whatever zone it is taken for
	for i := len(responses) - 1; i >= 0; i-- {
		recipe.Must(f.db.Exec(f.insert, []byte{'0' + byte(i)}, []byte("aki"), responses[i], expiry))
	}
	recipe.Must(f.db.Exec(f.insert, []byte("9"), []byte("aki"), []byte("expired"), "2001-01-01 00:00:00"))
}

// query is what a scan of f with this query tells the sink.
func (f *databaseFixture) query(ctx context.Context, query string, sink Sink) error {
	s := &Scanner{sink: sink, Query: query}
	return s.scan(ctx, f.source)
}

// folded is der in base64 as databases encode it, in lines of 76 characters.
func folded(der []byte) []byte {
	text := base64.StdEncoding.EncodeToString(der)
	var b bytes.Buffer
	for ; len(text) > 76; text = text[76:] {
		fmt.Fprintln(&b, text[:76])
	}
	fmt.Fprintln(&b, text)
	return b.Bytes()
}

// TestDatabases reads each kind of database.
func TestDatabases(t *testing.T) {
	list := recipe.Many(t, recipe.NewCA(t, "CA", recipe.P256()), 2)
	for name, fixture := range map[string]func(*testing.T) databaseFixture{
		"sqlite": sqliteFixture, "postgres": postgresFixture, "mysql": mysqlFixture,
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			f.fill(t, list[0], folded(list[1]), nil, []byte("?"), []byte{})
			t.Run("rows", func(t *testing.T) { testRows(t, &f, list) })
			t.Run("Boulder", func(t *testing.T) { testBoulder(t, &f, list) })
			t.Run("errors", func(t *testing.T) { testQueryErrors(t, &f) })
			t.Run("unguarded", func(t *testing.T) { testUnguarded(t, &f) })
			t.Run("stream", func(t *testing.T) { testStream(t, &f) })
		})
	}
}

// Each row of cfssl's table that has not expired is one response, in the order of
// serials; what is none is rejected by its row.
func testRows(t *testing.T, f *databaseFixture, list [][]byte) {
	c := &collector{}
	if err := f.query(t.Context(), DefaultQuery, c); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(strings.Join(c.log, ", "), f.source+" ", "")
	if want := "row 1, row 2, row 3: source.form, row 4: source.form, row 5: source.form"; got != want {
		t.Errorf("default query: %s, want %s", got, want)
	}
	if len(c.responses) != 2 || string(c.responses[0]) != string(list[0]) || string(c.responses[1]) != string(list[1]) {
		t.Errorf("default query: %d responses, and not those that went in", len(c.responses))
	}
}

// Boulder's table has one response a row, beside much else.
func testBoulder(t *testing.T, f *databaseFixture, list [][]byte) {
	recipe.Must(f.db.Exec("CREATE TABLE certificateStatus (id integer, serial varchar(255), isExpired boolean, ocspResponse " + f.binary + ")"))
	insert := strings.Replace(f.insert, "ocsp_responses", "certificateStatus", 1)
	recipe.Must(f.db.Exec(insert, 2, "02", false, list[1]))
	recipe.Must(f.db.Exec(insert, 1, "01", false, list[0]))
	recipe.Must(f.db.Exec(insert, 3, "03", true, []byte("expired")))
	c := &collector{}
	err := f.query(t.Context(), "SELECT ocspResponse FROM certificateStatus WHERE NOT isExpired ORDER BY id", c)
	if err != nil || len(c.log) != 2 || !bytes.Equal(recipe.Join(c.responses...), recipe.Join(list...)) {
		t.Errorf("%v, %v: want both responses in the order of their ids", c.log, err)
	}
}

// What is wrong with the query is an error that names the database, and no query
// changes it: not the table, and nothing beside it.
func testQueryErrors(t *testing.T, f *databaseFixture) {
	file := filepath.Join(t.TempDir(), "written")
	if err := os.Chmod(filepath.Dir(file), 0o777); err != nil { // for the server's user
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT body FROM nowhere":                       "nowhere",
		"SELECT serial_number, body FROM ocsp_responses": `the query gives 2 columns ["serial_number" "body"], want one`,
		"": `begins with "", want one that reads: SELECT, WITH, VALUES, TABLE`,
		"SELECT body FROM ocsp_responses; SELECT":                                                   `goes on with "SELECT"`,
		"SELECT body FROM ocsp_responses; DELETE FROM ocsp_responses":                               `goes on with "DELETE"`,
		"SELECT body FROM ocsp_responses; COMMIT; DELETE FROM ocsp_responses":                       `goes on with "COMMIT"`,
		"COMMIT; DELETE FROM ocsp_responses":                                                        `begins with "COMMIT"`,
		"UPDATE ocsp_responses SET expiry = NULL":                                                   `begins with "UPDATE"`,
		"DELETE FROM ocsp_responses":                                                                `begins with "DELETE"`,
		"DELETE FROM ocsp_responses RETURNING body":                                                 `begins with "DELETE"`,
		"TRUNCATE ocsp_responses":                                                                   `begins with "TRUNCATE"`,
		"/* reads */ drop TABLE ocsp_responses":                                                     `begins with "drop"`,
		"-- reads\nDROP TABLE ocsp_responses":                                                       `begins with "DROP"`,
		"EXPLAIN ANALYZE DELETE FROM ocsp_responses":                                                `begins with "EXPLAIN"`,
		"PRAGMA query_only=0":                                                                       `begins with "PRAGMA"`,
		"VACUUM INTO '" + file + "'":                                                                `begins with "VACUUM"`,
		"ATTACH 'file:" + file + "?mode=rwc' AS other":                                              `begins with "ATTACH"`,
		"COPY ocsp_responses TO '" + file + "'":                                                     `begins with "COPY"`,
		"SELECT body INTO OUTFILE '" + file + "' FROM ocsp_responses":                               "INTO",
		"SELECT body /*! INTO OUTFILE '" + file + "' */ FROM ocsp_responses":                        "not a comment everywhere",
		"SELECT body INTO of_ours FROM ocsp_responses":                                              "INTO",
		"WITH a AS (DELETE FROM ocsp_responses RETURNING body) SELECT body FROM a":                  "",
		"WITH a AS (SELECT 1) DELETE FROM ocsp_responses":                                           "",
		"WITH a AS (SELECT 1) UPDATE ocsp_responses SET expiry = NULL":                              "",
		"WITH a AS (SELECT body FROM ocsp_responses) INSERT INTO ocsp_responses SELECT body FROM a": "INTO",
		"CREATE TABLE of_ours AS SELECT * FROM ocsp_responses":                                      `begins with "CREATE"`,
		"SELECT set_config('transaction_read_only', 'off', true), lo_create(0)":                     "",
	} {
		err := f.query(t.Context(), query, &collector{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "source of responses "+f.source+": ") {
			t.Errorf("%s: %v, want an error that says %q", query, err, want)
		}
	}
	var rows int
	if err := f.db.QueryRow("SELECT count(*) FROM ocsp_responses WHERE expiry IS NOT NULL").Scan(&rows); err != nil || rows != 6 {
		t.Errorf("%d rows are left (%v), want 6", rows, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) > 0 {
		t.Errorf("%s was written", left)
	}
	c := &collector{}
	if err := f.query(t.Context(), "SELECT body FROM ocsp_responses WHERE expiry IS NULL", c); err != nil || len(c.log) != 1 {
		t.Errorf("no row: %v, %v, want one rejection", c.log, err)
	}
}

// Even what gets past the reading of the query cannot write: the connection itself is
// for one statement, of a transaction that reads.
func testUnguarded(t *testing.T, f *databaseFixture) {
	d := recipe.Must(database.Parse(f.source))
	file := filepath.Join(t.TempDir(), "written")
	for _, query := range []string{
		"DELETE FROM ocsp_responses", "SELECT body FROM ocsp_responses; DROP TABLE ocsp_responses", "ATTACH 'file:" + file + "?mode=rwc' AS other; CREATE TABLE other.x (y)",
	} {
		if rows, err := d.Query(t.Context(), query); err == nil {
			for rows.Next() {
			}
			if err := rows.Err(); err == nil {
				t.Errorf("%s: no error", query)
			}
			rows.Close()
		}
	}
	var rows int
	if err := f.db.QueryRow("SELECT count(*) FROM ocsp_responses").Scan(&rows); err != nil || rows != 6 {
		t.Errorf("%d rows are left (%v), want 6", rows, err)
	}
}

// A database that somebody is writing to is waited for, and not for longer than the
// build wants.
func TestBusySQLite(t *testing.T) {
	list := recipe.Many(t, recipe.NewCA(t, "CA", recipe.P256()), 1)
	f := sqliteFixture(t)
	f.fill(t, list...)
	c := &collector{}
	query := "SELECT CASE timeout WHEN 10000 THEN x'3000' END FROM pragma_busy_timeout"
	if err := f.query(t.Context(), query, c); err != nil || len(c.responses) != 1 {
		t.Errorf("it is waited for longer or shorter: %v, %v", c.log, err)
	}
	writer := recipe.Must(f.db.Conn(t.Context()))
	recipe.Must(writer.ExecContext(t.Context(), "BEGIN EXCLUSIVE"))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.query(ctx, DefaultQuery, &collector{}) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while it is busy: %v, want %v", err, context.Canceled)
	}
	c = &collector{}
	go func() { ended <- f.query(t.Context(), DefaultQuery, c) }()
	recipe.Must(writer.ExecContext(t.Context(), "COMMIT"))
	if err := <-ended; err != nil || len(c.responses) != 1 {
		t.Errorf("no longer busy: %v, %v", c.log, err)
	}
}

// Rows are read as the database gives them: a result without end does not need
// memory without end, and ends with the context.
func testStream(t *testing.T, f *databaseFixture) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &counter{stop: 100_000, cancel: cancel}
	if err := f.query(ctx, f.many, c); !errors.Is(err, context.Canceled) {
		t.Errorf("after %d rows: %v, want %v", c.count, err, context.Canceled)
	}
}

// A counter is a sink that cancels after so many responses.
type counter struct {
	count, stop int
	cancel      func()
}

func (c *counter) Response(rule.Place, []byte) error {
	if c.count++; c.count == c.stop {
		c.cancel()
		return context.Canceled
	}
	return nil
}

func (c *counter) Reject(at rule.Place, why *rule.Finding) error {
	return fmt.Errorf("%s: %s", at, why.Reason)
}

// Whatever is in a row: a response or a rejection, and no panic.
func FuzzDatabaseValue(f *testing.F) {
	r := recipe.Many(f, recipe.NewCA(f, "CA", recipe.P256()), 1)[0]
	for _, seed := range [][]byte{nil, r, base64Lines(r), recipe.PEM(pemType, r), {0x30}, []byte("M\n\n=")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		c := &collector{}
		s := &Scanner{sink: c}
		if err := s.value(rule.Place{Source: "db", Row: 1}, value); err != nil || len(c.log) != 1 {
			t.Errorf("%v, %v: want one response or rejection", c.log, err)
		}
	})
}
