package database

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A query is the operator's, but the database is the CA's: it must be one statement, and
// one that reads. What begins otherwise can end the read-only transaction that it runs in,
// as ATTACH, TRUNCATE and COPY do in one database or another, and INTO has a server write
// a file. Functions that write are for the server to refuse.

// readers are the words that a statement which reads begins with.
var readers = []string{"SELECT", "WITH", "VALUES", "TABLE"}

// A dialect is what databases make of the characters of a query in which they differ.
type dialect struct {
	backslash bool // escapes a character of a string
	hash      bool // begins a comment; and two hyphens do so only before white space
	dollar    bool // $tag$ begins a string and ends it; E'…' has escapes
	bracket   bool // quotes a name
}

var dialects = map[Kind]dialect{
	SQLite:   {bracket: true},
	Postgres: {dollar: true},
	MySQL:    {backslash: true, hash: true},
}

// check says what is wrong with a query, nil if it is one statement that reads.
func (d dialect) check(query string) error {
	token, rest, err := d.next(query)
	for token == "(" && err == nil {
		token, rest, err = d.next(rest)
	}
	if err == nil && !slices.Contains(readers, strings.ToUpper(token)) {
		return fmt.Errorf("the query (--query) begins with %q, want one that reads: %s", token, strings.Join(readers, ", "))
	}
	for token != "" && err == nil {
		switch {
		case strings.EqualFold(token, "INTO"):
			return errors.New("the query (--query) has INTO in it, which writes: want one that reads")
		case token == ";":
			if token, _, err = d.next(rest); token != "" && err == nil {
				return fmt.Errorf("the query (--query) goes on with %q behind a semicolon: want one statement", token)
			}
			return err
		}
		token, rest, err = d.next(rest)
	}
	return err
}

// next cuts the first token off a query: a word, something quoted, or one character.
// It is empty at the end.
func (d dialect) next(query string) (token, rest string, err error) {
	for {
		query = strings.TrimLeft(query, " \t\r\n\v\f")
		n, err := d.comment(query)
		if err != nil {
			return "", "", err
		}
		if n == 0 {
			break
		}
		query = query[n:]
	}
	if query == "" {
		return "", "", nil
	}
	n := d.size(query)
	if n < 0 {
		return "", "", fmt.Errorf("the query (--query) has no end to what begins with %.20q", query)
	}
	return query[:n], query[n:], nil
}

// comment is the size of the comment that the query begins with, 0 if there is none.
func (d dialect) comment(query string) (int, error) {
	switch {
	case d.hash && strings.HasPrefix(query, "#"), strings.HasPrefix(query, "--") && !(d.hash && len(query) > 2 && query[2] > ' '):
		if end := strings.IndexByte(query, '\n'); end >= 0 {
			return end, nil
		}
		return len(query), nil
	case !strings.HasPrefix(query, "/*"):
		return 0, nil
	}
	text, _, ended := strings.Cut(query[2:], "*/")
	// One database executes /*! … */, and one nests comments, where others do not.
	if !ended || strings.HasPrefix(text, "!") || strings.HasPrefix(text, "M!") || strings.Contains(text, "/*") {
		return 0, fmt.Errorf("the query (--query) has the comment %.20q, which is not a comment everywhere: leave it out", query)
	}
	return len("/*") + len(text) + len("*/"), nil
}

// size is that of the token that the query begins with, negative if it has no end.
func (d dialect) size(query string) int {
	switch c := query[0]; {
	case c == '\'' || c == '"' || c == '`':
		return quoted(query, c, d.backslash && c != '`')
	case c == '[' && d.bracket:
		return quoted(query, ']', false)
	case c == '$' && d.dollar:
		return dollarQuoted(query)
	case !isWord(c):
		return 1
	}
	n := 1
	for n < len(query) && isWord(query[n]) {
		n++
	}
	if d.dollar && strings.EqualFold(query[:n], "E") && strings.HasPrefix(query[n:], "'") {
		if m := quoted(query[n:], '\'', true); m >= 0 {
			return n + m
		}
		return -1
	}
	return n
}

// quoted is the size of what begins with a quotation mark and ends with another one,
// which is no end where it is doubled.
func quoted(query string, end byte, backslash bool) int {
	for i := 1; i < len(query); i++ {
		switch {
		case backslash && query[i] == '\\':
			i++
		case query[i] != end:
		case i+1 < len(query) && query[i+1] == end:
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// dollarQuoted is the size of $tag$ … $tag$; 1 where the query begins with another dollar.
func dollarQuoted(query string) int {
	n := 1
	for n < len(query) && isWord(query[n]) && query[n] != '$' {
		n++
	}
	if n == len(query) || query[n] != '$' {
		return 1
	}
	tag := query[:n+1]
	end := strings.Index(query[len(tag):], tag)
	if end < 0 {
		return -1
	}
	return len(tag) + end + len(tag)
}

// isWord reports whether c can be in a word without quotes.
func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '$' || c >= 0x80
}
