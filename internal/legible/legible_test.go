package legible_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"lancre/internal/legible"
)

func TestLine(t *testing.T) {
	for s, want := range map[string]string{
		"":                         "",
		`CN=Example CA\, "x"`:      `CN=Example CA\, "x"`,
		"Ünïcode 日本 עברית":         "Ünïcode 日本 עברית",
		"a\nrejected\tnothing\r\n": `a\nrejected\tnothing\r\n`,
		"\x1b[2J\x00\a\x7f":        `\x1b[2J\x00\a\x7f`,
		"\u009b31m\u0085":          `\u009b31m\u0085`,
		"\u202egnp.exe\u2066":      `\u202egnp.exe\u2066`,
		"\u2028\u2029\ufeff":       `\u2028\u2029\ufeff`,
		"\u200b\u00a0\U000e0041":   `\u200b\u00a0\U000e0041`,
		"\xff\xc3(\xe2\x82":        `\xff\xc3(\xe2\x82`,
		"\ufffd":                   "\ufffd",
	} {
		got := legible.Line(s)
		if got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
		if again := legible.Line(got); again != got {
			t.Errorf("%q: %s is not left alone but made %s", s, got, again)
		}
	}
	if got := legible.Text("a\n\tb\x1b\r"); got != "a\n\tb\\x1b\\r" {
		t.Errorf("text is %q", got)
	}
}

func FuzzBrief(f *testing.F) {
	f.Add("日本\n\xff", 7)
	f.Add(strings.Repeat("\x00", 40), 20)
	f.Fuzz(func(t *testing.T, s string, max int) {
		if max < 3 || max > 1000 {
			return
		}
		got := legible.Brief(s, max)
		if len(got) > max || !utf8.ValidString(got) || legible.Line(got) != got {
			t.Fatalf("%q is %q", s, got)
		}
		if line := legible.Line(s); len(line) <= max && got != line {
			t.Fatalf("%q is %q, though there is room for %q", s, got, line)
		}
		if legible.Brief(got, max) != got {
			t.Fatalf("%q is not left alone", got)
		}
	})
}

// What is written as JSON means the same, and has nothing in it that cannot be printed.
func FuzzJSON(f *testing.F) {
	f.Add("\x1b\x7f\u009b\u202e\U000e0041日本<&>\"\\\n")
	f.Fuzz(func(t *testing.T, s string) {
		var plain, safe bytes.Buffer
		if json.NewEncoder(&plain).Encode(s) != nil || json.NewEncoder(legible.JSON(&safe)).Encode(s) != nil {
			t.Fatal("cannot be encoded")
		}
		var a, b string
		if json.Unmarshal(plain.Bytes(), &a) != nil || json.Unmarshal(safe.Bytes(), &b) != nil || a != b {
			t.Fatalf("%q means %q, want %q", safe.Bytes(), b, a)
		}
		if line := strings.TrimSuffix(safe.String(), "\n"); legible.Line(line) != line {
			t.Fatalf("%q cannot be printed as it is", line)
		}
	})
}
