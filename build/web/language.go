package web

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/language"
)

// ParseTag reads a language tag (RFC 5646) and returns its canonical spelling.
func ParseTag(s string) (string, error) {
	tag, err := language.Parse(s)
	if err != nil {
		return "", err
	}
	if tag == language.Und {
		return "", errors.New("it names no language")
	}
	return tag.String(), nil
}

// rightToLeft are the scripts that are written so, of languages that people use
// computers in.
var rightToLeft = map[string]bool{
	"Adlm": true, "Arab": true, "Hebr": true, "Mand": true, "Nkoo": true, "Rohg": true, "Syrc": true, "Thaa": true,
}

// Direction is that of a language whose tag ParseTag has read, as the attribute dir
// says it: by the script that the tag names, or that is usual.
func Direction(tag string) string {
	if script, _ := language.Make(tag).Script(); rightToLeft[script.String()] {
		return "rtl"
	}
	return "ltr"
}

// CheckLang says why the element html of d does not say that it is in the language
// tag; nil if it does.
func (d *Document) CheckLang(tag string) error {
	if d.Lang == "" {
		return fmt.Errorf("element html has no lang: want %q", tag)
	}
	if lang, err := ParseTag(d.Lang); err != nil || lang != tag {
		return fmt.Errorf("lang of the element html is %q: want %q", d.Lang, tag)
	}
	return nil
}

// CheckDir says why the element html of d does not say how the language tag is
// written; nil if it does.
func (d *Document) CheckDir(tag string) error {
	dir, want := strings.ToLower(d.Dir), Direction(tag)
	if dir == "" {
		dir = "ltr" // what browsers take it for
	}
	if dir != want {
		return fmt.Errorf("dir of the element html is %q: want %q for %s", dir, want, tag)
	}
	return nil
}
