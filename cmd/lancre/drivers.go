package main

// The databases that --responses and [[database]] can name: pure Go, so that the program
// stays one static file.
import (
	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // receives bytea as octets, not as hex text
	_ "modernc.org/sqlite"
)

func init() {
	must(mysql.SetLogger(new(mysql.NopLogger))) // what it would write to standard error it returns, too
}
