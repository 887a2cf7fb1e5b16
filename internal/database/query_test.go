package database

import (
	"strings"
	"testing"
)

// A query is one statement that reads, by the rules of its database.
func TestQueries(t *testing.T) {
	all := map[string]dialect{"sqlite": dialects[SQLite], "postgres": dialects[Postgres], "mysql": dialects[MySQL]}
	for _, tt := range []struct {
		query string
		in    string // the dialects in which it reads
	}{
		{"SELECT body FROM ocsp_responses WHERE expiry > CURRENT_TIMESTAMP ORDER BY serial_number", "sqlite postgres mysql"},
		{" \n\tselect 1 ; \n -- the end", "sqlite postgres mysql"},
		{"((SELECT 1) UNION SELECT 2)", "sqlite postgres mysql"},
		{"WITH a AS (SELECT 1) SELECT * FROM a", "sqlite postgres mysql"},
		{"VALUES (x'3000')", "sqlite postgres mysql"},
		{"TABLE responses", "sqlite postgres mysql"},
		{"/* a;b */ -- INTO\nSELECT 1", "sqlite postgres mysql"},
		{`SELECT ';' || "a;b" || 'it''s; INTO', 5-1 FROM "x"";DELETE"`, "sqlite postgres mysql"},
		{"SELECT into_x, xinto, 1into FROM t", "sqlite postgres mysql"},
		{"", ""},
		{";", ""},
		{"-- SELECT", ""},
		{"(((", ""},
		{"SELECT 1; SELECT 2", ""},
		{"SELECT 1;;", ""},
		{"SELECT 1 INTO x", ""},
		{"SELECTED", ""},
		{"'SELECT'", ""},
		{"SELECT 'open", ""},
		{"SELECT \"open", ""},
		{"SELECT /* open", ""},
		{"/*! DROP TABLE t */ SELECT 1", ""},
		{"/*M!100100 DROP TABLE t */ SELECT 1", ""},
		{"/* /* */ SELECT */ COPY t TO 'x'", ""},
		{"SELECT 1 /*; DROP TABLE t", ""},
		{"# no comment\nSELECT 1", "mysql"},
		{"SELECT 2--1 INTO x\n", "sqlite postgres"},
		{`SELECT '\' ; DROP TABLE t -- '`, "mysql"},
		{`SELECT '\', '; \'`, "sqlite postgres"},
		{`SELECT E'\';' `, "postgres mysql"},
		{"SELECT $$;$$, $a$ ; $$ INTO $a$", "postgres"},
		{"SELECT $a$ ; $$ ; $A$", ""},
		{"SELECT a$1 , $ FROM t", "sqlite postgres mysql"},
		{"SELECT [;] FROM [a INTO b]", "sqlite"},
		{"SELECT `;`", "sqlite postgres mysql"},
	} {
		for name, d := range all {
			want := strings.Contains(tt.in, name)
			if err := d.check(tt.query); (err == nil) != want {
				t.Errorf("%s: %s: %v, want it to read: %v", name, tt.query, err, want)
			}
		}
	}
}

// Whatever it is given, the reader of queries comes to an end, inside of the query.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"SELECT body FROM ocsp_responses WHERE expiry > CURRENT_TIMESTAMP ORDER BY serial_number", "SELECT E'\\'';", "$$;$$", "/* */--\n#", "[`\"'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, d := range dialects {
			for rest := query; ; {
				token, next, err := d.next(rest)
				if err != nil || token == "" {
					break
				}
				if !strings.HasSuffix(rest, token+next) {
					t.Fatalf("%q: token %q, then %q", rest, token, next)
				}
				rest = next
			}
			d.check(query)
		}
	})
}
