package database

import "testing"

func TestBind(t *testing.T) {
	for _, tt := range []struct {
		dialect dialect
		query   string
		want    string
		count   int
	}{
		{dialects[Postgres], "SELECT a, b FROM t WHERE b > :since ORDER BY b", "SELECT a, b FROM t WHERE b > $1 ORDER BY b", 1},
		{dialects[Postgres], "SELECT :since, a::since FROM t WHERE b>:since", "SELECT $1, a::since FROM t WHERE b>$2", 2},
		{dialects[MySQL], "SELECT a FROM t WHERE b > :since OR c > :since", "SELECT a FROM t WHERE b > ? OR c > ?", 2},
		{dialects[SQLite], "SELECT ':since', [:since], : since, :sinceb FROM t -- :since\nWHERE b >:since", "SELECT ':since', [:since], : since, :sinceb FROM t -- :since\nWHERE b >?", 1},
		{dialects[SQLite], ":since", "?", 1},
		{dialects[SQLite], "SELECT 1", "SELECT 1", 0},
	} {
		got, count, err := tt.dialect.bind(tt.query, "since")
		if err != nil || got != tt.want || count != tt.count {
			t.Errorf("%s: %q, %d, %v; want %q, %d", tt.query, got, count, err, tt.want, tt.count)
		}
	}
	if _, _, err := dialects[Postgres].bind("SELECT 'a", "since"); err == nil {
		t.Error("no error for a string without end")
	}
}
