package input

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lancre/build/rule"
	"lancre/internal/database"
)

// A database is a source too, named as package database has it: each row of a query is
// one response, in DER or in base64.

// DefaultQuery reads the table that `cfssl ocsprefresh` fills, and of it what
// `cfssl ocspdump` would write: the table keeps the last response of expired
// certificates. The order, that of the primary key, makes equal tables equal
// segments.
const DefaultQuery = "SELECT body FROM ocsp_responses WHERE expiry > CURRENT_TIMESTAMP ORDER BY serial_number, authority_key_identifier"

// readable reads a source that is a database, and checks the query that it is asked.
func (s *Scanner) readable(source string) (database.Source, error) {
	d, err := database.Parse(source)
	if err == nil {
		err = d.Check(s.Query)
	}
	return d, inSource(err)
}

// inSource says of an error that it is one of a source; of none, nothing.
func inSource(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("source of responses %w", err)
}

// database reads the rows of one, one at a time. What is wrong with a row is a
// rejection; what is wrong with the database or the query is an error.
func (s *Scanner) database(ctx context.Context, source string) error {
	d, err := s.readable(source)
	if err != nil {
		return err
	}
	rows, err := d.Query(ctx, s.Query)
	if err != nil {
		return inSource(err)
	}
	defer rows.Close()
	return s.rows(d, rows)
}

func (s *Scanner) rows(d database.Source, rows *database.Rows) error {
	columns, err := rows.Columns()
	if err != nil {
		return inSource(d.Failed(err))
	}
	if len(columns) != 1 {
		return inSource(d.Failed(fmt.Errorf("the query gives %d columns %q, want one: the response", len(columns), columns)))
	}
	at := rule.Place{Source: d.Name}
	var value sql.RawBytes // the driver's memory, until the next row
	for rows.Next() {
		if err := rows.Scan(&value); err != nil {
			return inSource(d.Failed(err))
		}
		at.Row++
		s.read.Add(int64(len(value)))
		if err := s.value(at, value); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return inSource(d.Failed(err))
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
		if !database.Names(source) {
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
