package certificates

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"lancre/index"
	"lancre/internal/database"
)

// A schema is how the database of a CA is asked for its certificates.
type schema struct {
	base    Base
	queries map[database.Kind]string
}

// schemas are those that are known. Both write times without a zone, in UTC.
var schemas = map[string]schema{
	// cfssl keeps serial numbers in decimal; in MySQL padded with zero octets, which
	// TRIM takes off, for the columns are of fixed size. In SQLite its times are text, with
	// a zone, but for CURRENT_TIMESTAMP, which is when it revoked.
	"cfssl": {Decimal, map[database.Kind]string{
		database.SQLite: `SELECT CAST(serial_number AS TEXT) AS serial, CAST(status AS TEXT) AS status, CAST(expiry AS TEXT) AS not_after,
			CAST(authority_key_identifier AS TEXT) AS issuer, CAST(strftime('%s', revoked_at) AS INTEGER) AS revoked_at, reason FROM certificates`,
		database.Postgres: `SELECT serial_number AS serial, status, EXTRACT(EPOCH FROM expiry)::bigint AS not_after,
			authority_key_identifier AS issuer, EXTRACT(EPOCH FROM revoked_at)::bigint AS revoked_at, reason FROM certificates`,
		database.MySQL: `SELECT TRIM(TRAILING '\0' FROM serial_number) AS serial, TRIM(TRAILING '\0' FROM status) AS status,
			TIMESTAMPDIFF(SECOND, '1970-01-01', expiry) AS not_after, TRIM(TRAILING '\0' FROM authority_key_identifier) AS issuer,
			TIMESTAMPDIFF(SECOND, '1970-01-01', revoked_at) AS revoked_at, reason FROM certificates`,
	}},
	// Boulder makes a row before the certificate is issued: it is "wait" until then.
	"boulder": {Hex, map[database.Kind]string{
		database.MySQL: `SELECT serial, status, TIMESTAMPDIFF(SECOND, '1970-01-01', notAfter) AS not_after, issuerID AS issuer,
			TIMESTAMPDIFF(SECOND, '1970-01-01', revokedDate) AS revoked_at, revokedReason AS reason
			FROM certificateStatus WHERE status <> 'wait'`,
	}},
}

// Schemas lists the schemas that are known.
func Schemas() []string { return []string{"boulder", "cfssl"} }

// database finds what l asks of which database.
func (l *List) database() (database.Source, string, error) {
	d, err := database.Parse(l.Source)
	if err != nil {
		return d, "", err
	}
	query := l.Query
	if l.Schema != "" {
		s, known := schemas[l.Schema]
		if !known {
			return d, "", fmt.Errorf("schema %q: want %s, or a query (--query)", l.Schema, strings.Join(Schemas(), " or "))
		}
		if query = s.queries[d.Kind]; query == "" {
			return d, "", fmt.Errorf("%s: %s does not use %s", d.Name, l.Schema, d.Kind)
		}
		if l.Serial != AnyBase && l.Serial != s.base {
			return d, "", fmt.Errorf("serial numbers of %s are %s, not %s", l.Schema, s.base, l.Serial)
		}
	}
	return d, query, d.Check(query)
}

// database reads the rows of a query.
func (r *reader) database() error {
	d, query, err := r.list.database()
	if err != nil {
		return err
	}
	r.base = cmp.Or(r.base, schemas[r.list.Schema].base)
	if err := r.checkClock(&d); err != nil {
		return err
	}
	rows, err := d.Query(r.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := r.rows(rows); err != nil {
		return d.Failed(err)
	}
	return nil
}

// checkClock compares the clock of the server with ours: by one, things are revoked, by
// the other it is said so.
func (r *reader) checkClock(d *database.Source) error {
	server, ok, err := d.Clock(r.ctx)
	if err != nil {
		return err
	}
	if ok && max(server-r.at, r.at-server) > index.MaxSkew {
		return d.Failed(fmt.Errorf("by the clock of the server it is %s, here %s: set the one that is wrong", utc(server), utc(r.at)))
	}
	return nil
}

func (r *reader) rows(rows *database.Rows) error {
	header, err := rows.Columns()
	if err != nil {
		return err
	}
	c, err := findColumns(header)
	if err != nil {
		return err
	}
	if err := checkZones(rows); err != nil {
		return err
	}
	values, targets, record := make([]sql.RawBytes, len(header)), make([]any, len(header)), make([]string, len(header))
	for i := range values {
		targets[i] = &values[i]
	}
	n := 0
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, v := range values {
			record[i] = string(v) // "" for NULL, too
		}
		n++
		ours, err := r.record(&c, record)
		if err == nil {
			err = r.pass(n, ours)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
	}
	return rows.Err()
}

// zoneless are the types of columns whose times have no zone, though a driver may give
// them one.
var zoneless = []string{"TIMESTAMP", "DATETIME", "DATE"}

// checkZones refuses such columns.
func checkZones(rows *database.Rows) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	for _, t := range types {
		if name := strings.ToUpper(t.DatabaseTypeName()); slices.Contains(zoneless, name) {
			return fmt.Errorf("column %s is of type %s, a time without a zone: select it as Unix seconds, or as text with a zone", t.Name(), name)
		}
	}
	return nil
}
