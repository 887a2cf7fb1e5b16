package database

import (
	"strconv"
	"strings"
)

// Bind is query with the placeholders of its database where it has :name, and how many
// there are.
func (s *Source) Bind(query, name string) (bound string, count int, err error) {
	if bound, count, err = dialects[s.Kind].bind(query, name); err != nil {
		err = s.Failed(err)
	}
	return bound, count, err
}

// Argument is text that was read from the database as its driver is to send it back.
func (s *Source) Argument(text string) any { return dialects[s.Kind].argument(text) }

// argument is text as the driver is to send it. PostgreSQL reads text as what it
// compares it with; the others compare a number only with a number.
func (d dialect) argument(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && !d.dollar && strconv.FormatInt(n, 10) == text {
		return n
	}
	return text
}

// bind puts the placeholders of the dialect where a query has :name, and returns how many.
func (d dialect) bind(query, name string) (bound string, count int, err error) {
	var b strings.Builder
	rest, before := query, ""
	for {
		at := rest
		token, next, err := d.next(at)
		if err != nil || token == "" {
			b.WriteString(at)
			return b.String(), count, err
		}
		end := len(at) - len(next)
		word, behind, err := d.next(next)
		if err == nil && token == ":" && before != ":" && word == name && len(next)-len(behind) == len(name) {
			count++
			b.WriteString(at[:end-1] + d.placeholder(count))
			rest, before = behind, word
			continue
		}
		b.WriteString(at[:end])
		rest, before = next, token
	}
}

// placeholder stands for argument n, from 1.
func (d dialect) placeholder(n int) string {
	if d.dollar {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}
