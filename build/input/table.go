package input

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lancre/build/rule"
)

// A Table is a query of a database that is asked again and again for what is new. It
// selects two columns, the response and its mark, in the order of marks:
//
//	SELECT response, updated FROM ocsp WHERE updated > :since ORDER BY updated
//
// A mark is whatever the database can compare, a number or a time; :since stands for one
// that was read before. Not safe for concurrent use.
type Table struct {
	database
	query  string // as the database wants it
	sinces int    // how often :since is in it
	db     *sql.DB
}

// NewTable prepares to ask; it does not connect yet.
func NewTable(source, query string) (*Table, error) {
	if !isDatabase(source) {
		scheme, _, _ := strings.Cut(source, ":")
		return nil, fmt.Errorf("database %s:…: want sqlite:FILE, postgres://… or mysql://…", scheme)
	}
	t := new(Table)
	var err error
	if t.database, err = parseDatabase(source); err != nil {
		return nil, err
	}
	if err = t.dialect.check(query); err != nil {
		return nil, t.failed(err)
	}
	if t.query, t.sinces, err = t.dialect.bind(query, "since"); err != nil {
		return nil, t.failed(err)
	}
	if t.sinces == 0 {
		return nil, t.failed(errors.New("the query has no :since in it: want WHERE mark > :since, or everything is read each time"))
	}
	return t, nil
}

// String names the database, without a password.
func (t *Table) String() string { return t.name }

// keepConnection is how long a connection is used: a server that took over by name, or a
// file that took the place of another, is noticed then.
const keepConnection = time.Minute

// Read passes the rows behind the mark since on to sink, and says the mark of each when
// that was done.
func (t *Table) Read(ctx context.Context, since string, sink Sink, marked func(mark string) error) (err error) {
	if t.db == nil {
		if t.db, err = sql.Open(t.driver, t.address); err != nil {
			return t.failed(err)
		}
		t.db.SetConnMaxLifetime(keepConnection)
	}
	args := make([]any, t.sinces)
	for i := range args {
		args[i] = t.dialect.argument(since)
	}
	s := &Scanner{sink: sink}
	return t.database.query(ctx, t.db, t.query, args, func(rows *sql.Rows) error { return t.rows(s, rows, marked) })
}

// Close ends the connections.
func (t *Table) Close() {
	if t.db != nil {
		t.db.Close()
		t.db = nil
	}
}

func (t *Table) rows(s *Scanner, rows *sql.Rows, marked func(string) error) error {
	columns, err := rows.Columns()
	if err != nil {
		return t.failed(err)
	}
	if len(columns) != 2 {
		return t.failed(fmt.Errorf("the query gives %d columns %q, want two: the response and its mark", len(columns), columns))
	}
	at := rule.Place{Source: t.name}
	var value, mark sql.RawBytes // the driver's memory, until the next row
	for rows.Next() {
		if err := rows.Scan(&value, &mark); err != nil {
			return t.failed(err)
		}
		at.Row++
		if len(mark) == 0 {
			return t.failed(fmt.Errorf("row %d has no mark: let the query leave it out (WHERE %s IS NOT NULL)", at.Row, columns[1]))
		}
		if err := s.value(at, value); err != nil {
			return err
		}
		if err := marked(string(mark)); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return t.failed(err)
	}
	return nil
}

// argument is a mark as the driver is to send it. PostgreSQL reads text as what it
// compares it with; the others compare a number only with a number.
func (d dialect) argument(mark string) any {
	if n, err := strconv.ParseInt(mark, 10, 64); err == nil && !d.dollar && strconv.FormatInt(n, 10) == mark {
		return n
	}
	return mark
}

// bind puts the placeholders of the dialect where a query has :name, and returns how many.
func (d dialect) bind(query, name string) (bound string, count int, err error) {
	var b strings.Builder
	rest, before := query, ""
	for {
		at := rest
		token, next, err := d.next(at)
		if err != nil || token == "" {
			b.WriteString(at)
			return b.String(), count, err
		}
		end := len(at) - len(next)
		word, behind, err := d.next(next)
		if err == nil && token == ":" && before != ":" && word == name && len(next)-len(behind) == len(name) {
			count++
			b.WriteString(at[:end-1] + d.placeholder(count))
			rest, before = behind, word
			continue
		}
		b.WriteString(at[:end])
		rest, before = next, token
	}
}

// placeholder stands for argument n, from 1.
func (d dialect) placeholder(n int) string {
	if d.dollar {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}
