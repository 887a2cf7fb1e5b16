package input

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"lancre/build/rule"
)

// A database is a source too: each row of a query is one response, in DER or in
// base64. It is named by
//
//	sqlite:FILE
//	postgres://USER:PASSWORD@HOST:PORT/NAME    ?host=/run/postgresql for a socket
//	mysql://USER:PASSWORD@HOST:PORT/NAME       ?socket=/run/mysqld/mysqld.sock
//
// The drivers that database/sql needs are linked by the program, under the names
// that databaseKinds gives.

// DefaultQuery reads the table that `cfssl ocsprefresh` fills, and of it what
// `cfssl ocspdump` would write: the table keeps the last response of expired
// certificates. The order, that of the primary key, makes equal tables equal
// segments.
const DefaultQuery = "SELECT body FROM ocsp_responses WHERE expiry > CURRENT_TIMESTAMP ORDER BY serial_number, authority_key_identifier"

// A database is what a source says of one.
type database struct {
	driver  string
	address string // as the driver wants it
	name    string // for people: the source, without the password
	dialect dialect
}

// databaseKinds are the schemes of databases, each with its driver, what makes an
// address for it, and its dialect.
var databaseKinds = map[string]struct {
	driver  string
	address func(source string, u *url.URL) (string, error)
	dialect dialect
}{
	"sqlite":     {"sqlite", sqliteAddress, sqliteSQL},
	"postgres":   {"pgx", postgresAddress, postgresSQL},
	"postgresql": {"pgx", postgresAddress, postgresSQL},
	"mysql":      {"mysql", mysqlAddress, mysqlSQL},
}

// isDatabase reports whether a source names a database, not a file.
func isDatabase(source string) bool {
	scheme, rest, _ := strings.Cut(source, ":")
	_, known := databaseKinds[scheme]
	return known && (scheme == "sqlite" || strings.HasPrefix(rest, "//"))
}

// parseDatabase reads a source for which isDatabase holds. Its errors do not show
// the password that may be in it.
func parseDatabase(source string) (database, error) {
	scheme, rest, _ := strings.Cut(source, ":")
	kind := databaseKinds[scheme]
	d := database{driver: kind.driver, name: source, dialect: kind.dialect}
	var err error
	if scheme == "sqlite" {
		d.address, err = kind.address(rest, nil)
		return d, err
	}
	u, err := url.Parse(source)
	if err != nil {
		// Not %v: the text of a url.Error is the URL, password included.
		return d, fmt.Errorf("source of responses %s://: not a URL: write the characters :/?#[]@%% in a user or password as %%XX", scheme)
	}
	d.name = u.Redacted()
	if d.address, err = kind.address(source, u); err != nil {
		return d, d.failed(err)
	}
	return d, nil
}

// busyTimeout is for how long, in milliseconds, a SQLite database that is being written
// is waited for: far longer than anyone who means well holds the lock.
const busyTimeout = 10_000

// sqliteAddress opens a file that must be there, and leaves it as it is: mode=ro for the
// file itself, query_only for any other.
func sqliteAddress(file string, _ *url.URL) (string, error) {
	return fmt.Sprintf("file:%s?mode=ro&_query_only=1&_busy_timeout=%d", (&url.URL{Path: file}).EscapedPath(), busyTimeout), nil
}

// execMode is the parameter by which the driver of PostgreSQL is told how to ask. All
// ways but simple_protocol prepare the query, and the server prepares one statement alone.
const execMode = "default_query_exec_mode"

func postgresAddress(_ string, u *url.URL) (string, error) {
	parameters := u.Query()
	switch parameters.Get(execMode) {
	case "simple_protocol":
		return "", fmt.Errorf("%s=simple_protocol lets several statements pass as one query: leave it out, or for a pooler that keeps no prepared statements say %[1]s=describe_exec", execMode)
	case "":
		parameters.Set(execMode, "cache_statement") // the driver's default: no file of services may say otherwise
	}
	address := *u
	address.RawQuery = parameters.Encode()
	return address.String(), nil
}

// mysqlAddress spells u as the driver does: USER:PASSWORD@tcp(HOST:PORT)/NAME?PARAMETERS.
func mysqlAddress(_ string, u *url.URL) (string, error) {
	parameters := u.Query()
	parameters.Set("multiStatements", "false") // whatever u says
	server := "tcp(" + u.Host + ")"
	if socket := parameters.Get("socket"); socket != "" {
		server = "unix(" + socket + ")"
		parameters.Del("socket")
	}
	password, _ := u.User.Password()
	return u.User.Username() + ":" + password + "@" + server + u.EscapedPath() + "?" + parameters.Encode(), nil
}

// readable reads a source as parseDatabase does, and checks the query that it is asked.
func (s *Scanner) readable(source string) (database, error) {
	d, err := parseDatabase(source)
	if err != nil {
		return d, err
	}
	if err := d.dialect.check(s.Query); err != nil {
		return d, d.failed(err)
	}
	return d, nil
}

// database reads the rows of one, one at a time. What is wrong with a row is a
// rejection; what is wrong with the database or the query is an error.
func (s *Scanner) database(ctx context.Context, source string) error {
	d, err := s.readable(source)
	if err != nil {
		return err
	}
	db, err := sql.Open(d.driver, d.address)
	if err != nil {
		return d.failed(err)
	}
	defer db.Close()
	return d.query(ctx, db, s.Query, nil, func(rows *sql.Rows) error { return s.rows(d, rows) })
}

// query asks db, and has read go through the rows.
func (d *database) query(ctx context.Context, db *sql.DB, query string, args []any, read func(*sql.Rows) error) error {
	// Read-only, for the query is the operator's and the table the CA's.
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return d.failed(err)
	}
	defer tx.Rollback()
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return d.failed(err)
	}
	defer rows.Close()
	return read(rows)
}

func (d *database) failed(err error) error {
	return fmt.Errorf("source of responses %s: %w", d.name, err)
}

func (s *Scanner) rows(d database, rows *sql.Rows) error {
	columns, err := rows.Columns()
	if err != nil {
		return d.failed(err)
	}
	if len(columns) != 1 {
		return d.failed(fmt.Errorf("the query gives %d columns %q, want one: the response", len(columns), columns))
	}
	at := rule.Place{Source: d.name}
	var value sql.RawBytes // the driver's memory, until the next row
	for rows.Next() {
		if err := rows.Scan(&value); err != nil {
			return d.failed(err)
		}
		at.Row++
		s.read.Add(int64(len(value)))
		if err := s.value(at, value); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return d.failed(err)
	}
	if at.Row == 0 {
		return s.sink.Reject(at, rule.Broken(rule.SourceForm, "the query gives no row: no response in it"))
	}
	return nil
}

// value passes on the response in one row.
func (s *Scanner) value(at rule.Place, value []byte) error {
	if value == nil {
		return s.sink.Reject(at, rule.Broken(rule.SourceForm, "NULL in place of a response: let the query leave it out (WHERE … IS NOT NULL)"))
	}
	switch recognise(value[:min(len(value), sniffSize)]) {
	case formDER:
		return s.response(at, value)
	case formBase64:
		// Lines of 64 or 76 characters, as databases encode, are decoded as one.
		return s.encoded(at, bytes.TrimSpace(value))
	}
	return s.sink.Reject(at, rule.Broken(rule.SourceForm, "begins with the octets %x: neither DER nor base64", value[:min(len(value), 8)]))
}

// checkDatabases says what is wrong with the query and the names of databases.
func (s *Scanner) checkDatabases(sources []string) error {
	var named bool
	for _, source := range sources {
		if !isDatabase(source) {
			continue
		}
		named = true
		if _, err := s.readable(source); err != nil {
			return err
		}
	}
	if s.Query != DefaultQuery && !named {
		return errors.New("a query (--query), but no database among the responses: name one as sqlite:FILE, postgres://… or mysql://…")
	}
	return nil
}
