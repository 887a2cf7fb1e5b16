package database

import (
	"strconv"
	"strings"
)

// Argument is a mark as the driver is to send it. PostgreSQL reads text as what it
// compares it with; the others compare a number only with a number.
func (s *Source) Argument(mark string) any {
	if n, err := strconv.ParseInt(mark, 10, 64); err == nil && s.Kind != Postgres && strconv.FormatInt(n, 10) == mark {
		return n
	}
	return mark
}

// Bind puts placeholders where a query has :name, and returns how many.
func (s *Source) Bind(query, name string) (bound string, count int, err error) {
	if bound, count, err = dialects[s.Kind].bind(query, name); err != nil {
		err = s.Failed(err)
	}
	return bound, count, err
}

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
