package input

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"lancre/build/rule"
	"lancre/internal/database"
)

// A Table is a query of a database that is asked again and again for what is new. It
// selects two columns, the response and its mark, in the order of marks:
//
//	SELECT response, updated FROM ocsp WHERE updated > :since ORDER BY updated
//
// A mark is whatever the database can compare, a number or a time; :since stands for one
// that was read before. Not safe for concurrent use.
type Table struct {
	source database.Source
	query  string       // as the database wants it
	sinces int          // how often :since is in it
	db     *database.DB // nil before it is opened
}

// NewTable prepares to ask; it does not connect yet.
func NewTable(source, query string) (*Table, error) {
	if !database.Names(source) {
		scheme, _, _ := strings.Cut(source, ":")
		return nil, fmt.Errorf("database %s:…: want sqlite:FILE, postgres://… or mysql://…", scheme)
	}
	t := new(Table)
	var err error
	if t.source, err = database.Parse(source); err == nil {
		err = t.source.Check(query)
	}
	if err == nil {
		t.query, t.sinces, err = t.source.Bind(query, "since")
	}
	if err != nil {
		return nil, inSource(err)
	}
	if t.sinces == 0 {
		return nil, t.failed(errors.New("the query has no :since in it: want WHERE mark > :since, or everything is read each time"))
	}
	return t, nil
}

// String names the database, without a password.
func (t *Table) String() string { return t.source.Name }

func (t *Table) failed(err error) error { return inSource(t.source.Failed(err)) }

// Read passes the rows behind the mark since on to sink, and says the mark of each when
// that was done.
func (t *Table) Read(ctx context.Context, since string, sink Sink, marked func(mark string) error) (err error) {
	if t.db == nil {
		if t.db, err = t.source.Open(); err != nil {
			return inSource(err)
		}
	}
	args := make([]any, t.sinces)
	for i := range args {
		args[i] = t.source.Argument(since)
	}
	rows, err := t.db.Query(ctx, t.query, args...)
	if err != nil {
		return inSource(err)
	}
	defer rows.Close()
	return t.rows(&Scanner{sink: sink}, rows, marked)
}

// Close ends the connections.
func (t *Table) Close() {
	if t.db != nil {
		t.db.Close()
		t.db = nil
	}
}

func (t *Table) rows(s *Scanner, rows *database.Rows, marked func(string) error) error {
	columns, err := rows.Columns()
	if err != nil {
		return t.failed(err)
	}
	if len(columns) != 2 {
		return t.failed(fmt.Errorf("the query gives %d columns %q, want two: the response and its mark", len(columns), columns))
	}
	at := rule.Place{Source: t.source.Name}
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
