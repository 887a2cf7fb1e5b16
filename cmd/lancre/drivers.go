package main

// The databases that --responses can name: pure Go, so that the program stays one
// static file.
import (
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // receives bytea as octets, not as hex text
	_ "modernc.org/sqlite"
)
