package pages

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

//go:embed languages/*.toml
var languageFiles embed.FS

// A Language is what the page says in one language: a file languages/TAG.toml.
//
// Every string is there and none is empty; the tag "has" names the placeholders,
// such as {domain}, that are in it and no others. See docs/TRANSLATIONS.md.
type Language struct {
	Tag      string `toml:"-"`        // BCP 47, in its canonical form: the name of the file
	Name     string `toml:"name"`     // of the language, in the language
	Dir      string `toml:"dir"`      // of its script: "ltr" or "rtl"
	Reviewed bool   `toml:"reviewed"` // by a native reader

	Title     string `toml:"title" has:"domain"`
	Lead      string `toml:"lead" has:"domain ca"`
	Languages string `toml:"languages"` // names the menu for screen readers
	Updated   string `toml:"updated" has:"date"`

	What struct {
		Heading string `toml:"heading"`
		Text    string `toml:"text" has:"ca domain"`
	} `toml:"what"`

	Safe struct {
		Heading  string `toml:"heading"`
		No       string `toml:"no"`
		Text     string `toml:"text"`
		Blocking string `toml:"blocking"`
	} `toml:"safe"`

	Odd struct {
		Heading string `toml:"heading"`
		Many    string `toml:"many"`
		Short   string `toml:"short"`
		Plain   string `toml:"plain"`
		Times   string `toml:"times"`
		Address string `toml:"address"`
		Process string `toml:"process" has:"windows macos"`
	} `toml:"odd"`

	Hosts struct {
		Heading string `toml:"heading"`
		O       string `toml:"o"`
		C       string `toml:"c"`
		I       string `toml:"i"`
	} `toml:"hosts"`

	HTTP struct {
		Heading  string `toml:"heading"`
		Signed   string `toml:"signed"`
		Circular string `toml:"circular"`
	} `toml:"http"`

	Check struct {
		Heading string `toml:"heading"`
		Intro   string `toml:"intro" has:"site"`
		Get     string `toml:"get"`
		OCSP    string `toml:"ocsp" has:"good revoked"`
		CRL     string `toml:"crl" has:"ok certificate_revoked"`
	} `toml:"check"`

	Ask struct {
		Heading string `toml:"heading"`
		Text    string `toml:"text" has:"contact"`
	} `toml:"ask"`
}

// Languages returns all languages there are, sorted by tag. An error means that
// one of the files in this program is wrong.
func Languages() ([]*Language, error) { return load(languageFiles) }

// load reads languages/*.toml of files. The error joins what is wrong with each.
func load(files fs.FS) ([]*Language, error) {
	names, err := fs.Glob(files, "languages/*.toml")
	if err != nil {
		return nil, err
	}
	var list []*Language
	var errs []error
	for _, name := range names { // sorted
		l, err := loadOne(files, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		list = append(list, l)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return list, nil
}

func loadOne(files fs.FS, name string) (*Language, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	l := &Language{Tag: strings.TrimSuffix(path.Base(name), ".toml")}
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(l); err != nil {
		if unknown := (*toml.StrictMissingError)(nil); errors.As(err, &unknown) {
			return nil, fmt.Errorf("keys that no page has: remove them:\n%s", unknown)
		}
		return nil, err
	}
	if l.Dir != "ltr" && l.Dir != "rtl" {
		return nil, fmt.Errorf(`dir = %q: want "ltr" or "rtl"`, l.Dir)
	}
	return l, checkStrings(reflect.ValueOf(l).Elem(), "")
}

// checkStrings checks the strings of a Language or of one of its tables, which table
// names.
func checkStrings(v reflect.Value, table string) error {
	var errs []error
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := table + f.Tag.Get("toml")
		switch f.Type.Kind() {
		case reflect.Struct:
			errs = append(errs, checkStrings(v.Field(i), key+"."))
		case reflect.String:
			errs = append(errs, checkString(key, v.Field(i).String(), strings.Fields(f.Tag.Get("has"))))
		}
	}
	return errors.Join(errs...)
}

// checkString checks that the string at key has the placeholders want and no others.
func checkString(key, s string, want []string) error {
	if strings.TrimSpace(s) == "" {
		return fmt.Errorf("%s is missing or empty: write it", key)
	}
	var has []string
	for _, p := range split(s) {
		if p.placeholder {
			has = append(has, p.text)
		} else if strings.ContainsAny(p.text, "{}") {
			return fmt.Errorf("%s: a brace that is no part of a placeholder in %q: remove it", key, p.text)
		}
	}
	for _, name := range want {
		if !slices.Contains(has, name) {
			return fmt.Errorf("%s lacks the placeholder {%s}: put it where it belongs in the sentence", key, name)
		}
	}
	for _, name := range has {
		if !slices.Contains(want, name) {
			return fmt.Errorf("%s has the placeholder {%s}, want only %q: remove it", key, name, want)
		}
	}
	return nil
}

// A piece is a part of a string: words, or the name of a placeholder.
type piece struct {
	text        string
	placeholder bool
}

// split cuts s at its placeholders.
func split(s string) (pieces []piece) {
	for {
		before, rest, open := strings.Cut(s, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			return append(pieces, piece{text: s})
		}
		pieces = append(pieces, piece{text: before}, piece{text: name, placeholder: true})
		s = after
	}
}
