package database

import (
	"strings"
	"testing"
)

// A database is opened as it was named, and never named with its password.
func TestDatabaseNames(t *testing.T) {
	for source, want := range map[string]Source{
		"sqlite:certs.db":                      {"sqlite:certs.db", SQLite, "sqlite", "file:certs.db?mode=ro&_query_only=1&_busy_timeout=10000"},
		"sqlite:/a b/?x=%41#.db":               {"sqlite:/a b/?x=%41#.db", SQLite, "sqlite", "file:/a%20b/%3Fx=%2541%23.db?mode=ro&_query_only=1&_busy_timeout=10000"},
		"sqlite:a?mode=rwc&_query_only=0":      {"sqlite:a?mode=rwc&_query_only=0", SQLite, "sqlite", "file:a%3Fmode=rwc&_query_only=0?mode=ro&_query_only=1&_busy_timeout=10000"},
		"postgres://u:p@h:5/ocsp":              {"postgres://u:xxxxx@h:5/ocsp", Postgres, "pgx", "postgres://u:p@h:5/ocsp?default_query_exec_mode=cache_statement"},
		"postgresql:///ocsp?host=/run":         {"postgresql:///ocsp?host=/run", Postgres, "pgx", "postgresql:///ocsp?default_query_exec_mode=cache_statement&host=%2Frun"},
		"postgres://h/o?" + execMode + "=exec": {"postgres://h/o?default_query_exec_mode=exec", Postgres, "pgx", "postgres://h/o?default_query_exec_mode=exec"},
		"mysql://u:p%40@h:3/boulder?tls=true":  {"mysql://u:xxxxx@h:3/boulder?tls=true", MySQL, "mysql", "u:p@@tcp(h:3)/boulder?multiStatements=false&tls=true"},
		"mysql://u@/boulder?socket=/run/s":     {"mysql://u@/boulder?socket=/run/s", MySQL, "mysql", "u:@unix(/run/s)/boulder?multiStatements=false"},
		"mysql://u@h/b?multiStatements=true":   {"mysql://u@h/b?multiStatements=true", MySQL, "mysql", "u:@tcp(h)/b?multiStatements=false"},
	} {
		got, err := Parse(source)
		if err != nil || got != want || !Names(source) {
			t.Errorf("%s: %+v, %v, want %+v", source, got, err, want)
		}
	}
	for _, file := range []string{"-", "postgres", "mysql:x", "./sqlite:x", "http://x", "C:/x"} {
		if Names(file) {
			t.Errorf("%s is taken for a database", file)
		}
	}
	if _, err := Parse("postgres://u:secret@h/ocsp?" + execMode + "=simple_protocol"); err == nil ||
		!strings.Contains(err.Error(), "u:xxxxx@h") || !strings.Contains(err.Error(), "describe_exec") {
		t.Errorf("several statements in one query: %v, want an error that says what else to do", err)
	}
	if _, err := Parse("postgres://u:se%cret@h/ocsp"); err == nil || strings.Contains(err.Error(), "se%cret") {
		t.Errorf("not a URL: %v, want an error without the password", err)
	}
}
