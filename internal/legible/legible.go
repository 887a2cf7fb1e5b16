// Package legible spells foreign text so that a person can read it and is not deceived.
// Names of CAs, of archive members and of files are whatever somebody wrote into them:
// control characters that steer a terminal, ends of lines that forge the next line of a
// report, marks that reverse the direction of what follows, octets that are no UTF-8.
// What cannot be printed is spelled as in Go: \n, \x1b, \u202e, \xff.
package legible

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Line is s in one line.
func Line(s string) string { return spell(s, func(rune) bool { return false }) }

// Text is s in its lines and columns.
func Text(s string) string { return spell(s, func(r rune) bool { return r == '\n' || r == '\t' }) }

// spell spells what cannot be printed in s and is not to be kept all the same.
func spell(s string, keep func(rune) bool) string {
	plain := func(r rune, size int) bool {
		return keep(r) || strconv.IsPrint(r) && !(r == utf8.RuneError && size == 1)
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if plain(r, size) {
			b.WriteString(s[i : i+size])
		} else {
			quoted := strconv.Quote(s[i : i+size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// Brief is Line of s, of at most max octets, of which the last three say where it was cut.
func Brief(s string, max int) string {
	cut := len(s) > max
	if cut {
		s = s[:max]
	}
	if s = Line(s); len(s) <= max && !cut {
		return s
	}
	const mark = "…"
	s = s[:min(len(s), max-len(mark))]
	for !utf8.ValidString(s) { // it was cut within a character: Line leaves no other fault
		s = s[:len(s)-1]
	}
	return s + mark
}

// JSON returns a writer that passes JSON on to w, with the same meaning: encoding/json
// leaves DEL, the controls beyond ASCII and the marks of direction as they are. Every
// Write must end where a value does.
func JSON(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ w io.Writer }

func (j jsonWriter) Write(p []byte) (int, error) {
	var out []byte
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		switch {
		case r == '\n' || strconv.IsPrint(r):
			out = append(out, p[i:i+size]...)
		default:
			out = append(out, escape(r)...)
		}
		i += size
	}
	if _, err := j.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// escape spells a character in a string of JSON (RFC 8259 section 7).
func escape(r rune) string {
	const hex = "0123456789abcdef"
	units := []rune{r}
	if r > 0xffff {
		r -= 0x10000
		units = []rune{0xd800 + r>>10, 0xdc00 + r&0x3ff}
	}
	var b strings.Builder
	for _, u := range units {
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(hex[u>>shift&0xf])
		}
	}
	return b.String()
}
