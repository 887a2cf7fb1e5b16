package source

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"lancre/internal/databasetest"
)

// A table is one in a database, to which responses are written.
type table struct {
	source string
	db     *sql.DB
	create string
	insert string // of a response and when it was updated
	bySeq  string // the query by a number
	byTime string // the query by a time
	serial bool   // one transaction at a time
}

// what all databases are asked alike.
const (
	bySeq  = "SELECT response, id FROM ocsp WHERE id > :since ORDER BY id"
	byTime = "SELECT response, updated FROM ocsp WHERE updated > :since ORDER BY updated"
)

func opened(t *testing.T, driver, address string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, address)
	check(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// tables are one in each database.
func tables(t *testing.T) map[string]func(t *testing.T) table {
	return map[string]func(t *testing.T) table{
		"SQLite": func(t *testing.T) table {
			file := filepath.Join(t.TempDir(), "ca.db")
			return table{
				source: "sqlite:" + file, db: opened(t, "sqlite", file), serial: true,
				create: "CREATE TABLE ocsp (id INTEGER PRIMARY KEY, response BLOB, updated TEXT)",
				insert: "INSERT INTO ocsp VALUES (?, ?, strftime('%Y-%m-%d %H:%M:%f', ?))",
				bySeq:  bySeq, byTime: byTime,
			}
		},
		"PostgreSQL": func(t *testing.T) table {
			source := "postgres://postgres@/postgres?host=" + url.QueryEscape(databasetest.StartPostgres(t).Dir)
			return table{
				source: source, db: opened(t, "pgx", source),
				create: "CREATE TABLE ocsp (id bigint PRIMARY KEY, response bytea, updated timestamptz)",
				insert: "INSERT INTO ocsp VALUES ($1, $2, $3::text::timestamptz)",
				bySeq:  bySeq, byTime: byTime,
			}
		},
		"MariaDB": func(t *testing.T) table {
			socket := databasetest.StartMySQL(t).Dir + "/sock"
			return table{
				source: "mysql://root@/test?socket=" + url.QueryEscape(socket), db: opened(t, "mysql", "root@unix("+socket+")/test"),
				create: "CREATE TABLE ocsp (id bigint PRIMARY KEY, response blob, updated datetime(3))",
				insert: "INSERT INTO ocsp VALUES (?, ?, ?)",
				bySeq:  bySeq, byTime: byTime,
			}
		},
	}
}

// TestDatabase has transactions commit in another order than that of their marks, some
// long after others: what is committed is in the next round, and in no other.
func TestDatabase(t *testing.T) {
	r := responses(t, 60)
	for name, open := range tables(t) {
		t.Run(name, func(t *testing.T) {
			tab := open(t)
			for _, by := range []struct{ name, query, start string }{{"number", tab.bySeq, ""}, {"time", tab.byTime, "2000-01-01 00:00:00"}} {
				t.Run(by.name, func(t *testing.T) {
					_, err := tab.db.Exec("DROP TABLE IF EXISTS ocsp")
					check(t, err)
					_, err = tab.db.Exec(tab.create)
					check(t, err)
					d := &Database{Common: Common{Name: "ca"}, URL: tab.source, Query: by.query, Start: by.start}
					check(t, d.Prepare(""))
					t.Cleanup(d.Close)
					check(t, d.Rewind(Position{}))
					tab.play(t, d, r)
				})
			}
		})
	}
}

func (tab *table) play(t *testing.T, d *Database, r [][]byte) {
	p := new(publisher)
	rnd := rand.New(rand.NewPCG(14, uint64(len(tab.source))))
	type pending struct {
		tx *sql.Tx
		n  int
	}
	var open []pending
	for n := 0; n < len(r) || len(open) > 0; {
		if n < len(r) && (!tab.serial || len(open) == 0) {
			at := longAgo.Add(time.Duration(n) * 1234 * time.Millisecond).Format("2006-01-02 15:04:05.000")
			mark := n
			if tab.serial { // where nothing can commit late, what comes late has an early mark
				mark = (n*37)%len(r) + 1
				at = longAgo.Add(time.Duration(mark) * 1234 * time.Millisecond).Format("2006-01-02 15:04:05.000")
			}
			tx, err := tab.db.Begin()
			check(t, err)
			_, err = tx.Exec(tab.insert, mark+1, r[n], at)
			check(t, err)
			open = append(open, pending{tx, n})
			n++
		}
		var committed [][]byte
		for len(open) > 0 && (tab.serial || n == len(r) || rnd.IntN(3) == 0) {
			i := rnd.IntN(len(open))
			check(t, open[i].tx.Commit())
			committed = append(committed, r[open[i].n])
			open = slices.Delete(open, i, i+1)
		}
		check(t, d.Read(t.Context(), p))
		p.wants(t, committed...)
	}
}

// The mark that is committed is the one from which to read on: after a restart what was
// behind it is not read, and what may have come late is.
func TestDatabaseReadsOn(t *testing.T) {
	tab := tables(t)["SQLite"](t)
	r := responses(t, 4)
	_, err := tab.db.Exec(tab.create)
	check(t, err)
	insert := func(id int) {
		t.Helper()
		_, err := tab.db.Exec(tab.insert, id, r[id-1], "2026-01-01")
		check(t, err)
	}
	newDatabase := func(mark string) *Database {
		t.Helper()
		d := &Database{Common: Common{Name: "ca"}, URL: tab.source, Query: tab.bySeq, Overlap: 1} // nanosecond
		check(t, d.Prepare(""))
		t.Cleanup(d.Close)
		check(t, d.Rewind(Position{Mark: mark}))
		return d
	}
	p := new(publisher)
	insert(2)
	d := newDatabase("")
	check(t, d.Read(t.Context(), p))
	p.wants(t, r[1])
	check(t, d.Read(t.Context(), p)) // the overlap has passed
	last := p.marks[len(p.marks)-1]
	if _, since, err := parseMark(last); err != nil || since != "2" {
		t.Fatalf("the mark is %q, %v; want 2 behind the comma", last, err)
	}
	insert(1)
	insert(3)
	d = newDatabase(last)
	check(t, d.Read(t.Context(), p))
	p.wants(t, r[2])
	check(t, d.sweep.Read(t.Context(), p)) // which is not due
	p.wants(t)
	d.sweep.dueBy(longAgo)
	check(t, d.sweep.Read(t.Context(), p))
	p.wants(t, r[0], r[1], r[2])
}

// A row that is no response is refused once, not in each round that reads it again.
func TestDatabaseRefusesOnce(t *testing.T) {
	tab := tables(t)["SQLite"](t)
	_, err := tab.db.Exec(tab.create + "; INSERT INTO ocsp VALUES (1, 'junk!', ''), (2, NULL, '')")
	check(t, err)
	d := &Database{Common: Common{Name: "ca"}, URL: tab.source, Query: tab.bySeq}
	check(t, d.Prepare(""))
	t.Cleanup(d.Close)
	check(t, d.Rewind(Position{}))
	p := new(publisher)
	for range 3 {
		check(t, d.Read(t.Context(), p))
	}
	if p.sequence != 1 {
		t.Errorf("%d changes, want one", p.sequence)
	}
}

func TestDatabaseConfiguration(t *testing.T) {
	for _, tt := range []struct {
		d    Database
		want string
	}{
		{Database{}, "want one of url and url_file: which database is read"},
		{Database{URL: "sqlite:x"}, "no query, as SELECT response, updated FROM ocsp WHERE updated > :since ORDER BY updated"},
		{Database{URL: "oracle://x", Query: bySeq}, "database oracle:…: want sqlite:FILE, postgres://… or mysql://…"},
		{Database{URL: "sqlite:x", Query: "SELECT a, b FROM t"}, "source of responses sqlite:/base/x: the query has no :since in it: want WHERE mark > :since, or everything is read each time"},
		{Database{URL: "sqlite:x", Query: "DELETE FROM t WHERE a > :since"}, `source of responses sqlite:/base/x: the query (--query) begins with "DELETE", want one that reads: SELECT, WITH, VALUES, TABLE`},
		{Database{URL: "sqlite:x", Query: bySeq, Overlap: -1}, "overlap = -1ns, sweep = 0s: neither can be negative"},
		{Database{URLFile: "none", Query: bySeq}, "url_file: open /base/none: no such file or directory"},
	} {
		if err := tt.d.Prepare("/base"); fmt.Sprint(err) != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}

// A sweep that a clock which was ahead has dated is due as if it had been just now.
func TestSweepDatedAhead(t *testing.T) {
	s := sweep{every: time.Hour}
	for _, tt := range []struct {
		swept time.Duration // from now
		due   time.Duration
	}{{-30 * time.Minute, 30 * time.Minute}, {0, time.Hour}, {24 * time.Hour, time.Hour}} {
		before := time.Now()
		s.rewind(before.Add(tt.swept))
		if late := s.due.Sub(before) - tt.due; late < 0 || late > time.Minute {
			t.Errorf("swept %s from now: due in %s, want %s", tt.swept, s.due.Sub(before), tt.due)
		}
	}
}
