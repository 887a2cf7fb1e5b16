// Package database reads databases that others own: by one query, in one transaction
// that reads and, as far as each kind of database can be told, can do nothing else.
//
// A database is named by
//
//	sqlite:FILE
//	postgres://USER:PASSWORD@HOST:PORT/NAME    ?host=/run/postgresql for a socket
//	mysql://USER:PASSWORD@HOST:PORT/NAME       ?socket=/run/mysqld/mysqld.sock
//
// The drivers that database/sql needs are linked by the program, under the names
// that kinds gives.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// A Source is a database, not open.
type Source struct {
	Name    string // for people: as it was named, without the password
	Kind    Kind
	driver  string
	address string // as the driver wants it
}

// A Kind is what speaks one dialect of SQL.
type Kind string

// The kinds of databases.
const (
	SQLite   Kind = "SQLite"
	Postgres Kind = "PostgreSQL"
	MySQL    Kind = "MySQL"
)

// kinds are the schemes of databases, each with its driver and what makes an address
// for it.
var kinds = map[string]struct {
	kind    Kind
	driver  string
	address func(source string, u *url.URL) (string, error)
}{
	"sqlite":     {SQLite, "sqlite", sqliteAddress},
	"postgres":   {Postgres, "pgx", postgresAddress},
	"postgresql": {Postgres, "pgx", postgresAddress},
	"mysql":      {MySQL, "mysql", mysqlAddress},
}

// Names reports whether a source is a database, not a file.
func Names(source string) bool {
	scheme, rest, _ := strings.Cut(source, ":")
	_, known := kinds[scheme]
	return known && (scheme == "sqlite" || strings.HasPrefix(rest, "//"))
}

// Parse reads a source that Names. Its errors do not show the password that may be in
// it.
func Parse(source string) (Source, error) {
	scheme, rest, _ := strings.Cut(source, ":")
	kind := kinds[scheme]
	s := Source{Name: source, Kind: kind.kind, driver: kind.driver}
	var err error
	if scheme == "sqlite" {
		s.address, err = kind.address(rest, nil)
		return s, err
	}
	u, err := url.Parse(source)
	if err != nil {
		// Not %v: the text of a url.Error is the URL, password included.
		return s, fmt.Errorf("%s://: not a URL: write the characters :/?#[]@%% in a user or password as %%XX", scheme)
	}
	s.Name = u.Redacted()
	if s.address, err = kind.address(source, u); err != nil {
		return s, s.Failed(err)
	}
	return s, nil
}

// Failed is err with the name of the database.
func (s *Source) Failed(err error) error { return fmt.Errorf("%s: %w", s.Name, err) }

// Check says what is wrong with a query, nil if it is one statement that reads.
func (s *Source) Check(query string) error {
	if err := dialects[s.Kind].check(query); err != nil {
		return s.Failed(err)
	}
	return nil
}

// clocks ask a server what time it is, in Unix seconds. SQLite is no server: its clock is
// the program's.
var clocks = map[Kind]string{
	Postgres: "SELECT EXTRACT(EPOCH FROM clock_timestamp())::bigint",
	MySQL:    "SELECT UNIX_TIMESTAMP()",
}

// Clock is the time by the clock of the server, Unix seconds; ok is false where there is
// none.
func (s *Source) Clock(ctx context.Context) (unix int64, ok bool, err error) {
	query, ok := clocks[s.Kind]
	if !ok {
		return 0, false, nil
	}
	rows, err := s.Query(ctx, query)
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&unix)
	}
	if err = errors.Join(err, rows.Err()); err != nil {
		return 0, false, s.Failed(err)
	}
	return unix, true, nil
}

// A DB is a database that was opened: it connects when it is asked, and then stays so.
type DB struct {
	Source
	db *sql.DB
}

// keepConnection is how long a connection is used: a server that took over by name, or a
// file that took the place of another, is noticed then.
const keepConnection = time.Minute

// Open prepares to ask the database more than once.
func (s *Source) Open() (*DB, error) {
	db, err := sql.Open(s.driver, s.address)
	if err != nil {
		return nil, s.Failed(err)
	}
	db.SetConnMaxLifetime(keepConnection)
	return &DB{*s, db}, nil
}

// Close ends the connections.
func (d *DB) Close() { d.db.Close() }

// Rows are the answer to a query. They are of one moment: that at which the query began,
// or earlier.
type Rows struct {
	*sql.Rows
	tx   *sql.Tx
	once *DB // closed with them; nil if it is asked again
}

// Query asks the query, which Check must find well.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	// Read-only, for the query is the operator's and the table the CA's.
	tx, err := d.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, d.Failed(err)
	}
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		tx.Rollback()
		return nil, d.Failed(err)
	}
	return &Rows{Rows: rows, tx: tx}, nil
}

// Query is that of a DB which is opened for it.
func (s *Source) Query(ctx context.Context, query string) (*Rows, error) {
	d, err := s.Open()
	if err != nil {
		return nil, err
	}
	rows, err := d.Query(ctx, query)
	if err != nil {
		d.Close()
		return nil, err
	}
	rows.once = d
	return rows, nil
}

// Close ends the transaction.
func (r *Rows) Close() {
	r.Rows.Close()
	r.tx.Rollback()
	if r.once != nil {
		r.once.Close()
	}
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
