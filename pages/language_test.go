package pages

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

func TestEveryLanguageIsThere(t *testing.T) {
	var tags []string
	for _, l := range example(t).Languages {
		tags = append(tags, l.Tag)
	}
	slices.Sort(tags)
	want := strings.Fields("ar cs de el en es fa fi fr he hi id it ja ko nl pl pt ru sv tr uk vi zh-Hans zh-Hant")
	for _, tag := range want {
		if !slices.Contains(tags, tag) {
			t.Errorf("no language %s among %q", tag, tags)
		}
	}
}

// allStrings are all strings of a language, by key.
func allStrings(v reflect.Value, table string, into map[string]string) map[string]string {
	for i := range v.NumField() {
		key := table + v.Type().Field(i).Tag.Get("toml")
		switch v.Field(i).Kind() {
		case reflect.Struct:
			allStrings(v.Field(i), key+".", into)
		case reflect.String:
			into[key] = v.Field(i).String()
		}
	}
	return into
}

// TestNothingIsLeftInEnglish compares each translation with the English one, and
// wants letters of the language's own script where it has one.
func TestNothingIsLeftInEnglish(t *testing.T) {
	same := map[string][]string{ // words that are the same in both languages
		"safe.no": {"it", "es"},
	}
	scripts := map[string]*unicode.RangeTable{
		"ar": unicode.Arabic, "fa": unicode.Arabic, "he": unicode.Hebrew, "hi": unicode.Devanagari, "el": unicode.Greek,
		"ru": unicode.Cyrillic, "uk": unicode.Cyrillic, "ja": unicode.Han, "ko": unicode.Hangul, "zh-Hans": unicode.Han, "zh-Hant": unicode.Han,
	}
	all := example(t).Languages
	english := allStrings(reflect.ValueOf(all[0]).Elem(), "", make(map[string]string))
	for _, l := range all[1:] {
		for key, s := range allStrings(reflect.ValueOf(l).Elem(), "", make(map[string]string)) {
			if s == english[key] && key != "dir" && !slices.Contains(same[key], l.Tag) {
				t.Errorf("%s: %s is the English text", l.Tag, key)
			}
			own := func(r rune) bool {
				return unicode.Is(scripts[l.Tag], r) || l.Tag == "ja" && unicode.In(r, unicode.Hiragana, unicode.Katakana)
			}
			if scripts[l.Tag] != nil && key != "-" && key != "dir" && !strings.ContainsFunc(s, own) {
				t.Errorf("%s: %s has no letter of its script: %q", l.Tag, key, s)
			}
		}
	}
}

// TestStandardsAreNamed wants the facts that must be the same in all languages.
func TestStandardsAreNamed(t *testing.T) {
	facts := map[string][]string{
		"http.circular": {"HTTPS", "HTTP ", "RFC 5280", "RFC 9919"},
		"hosts.o":       {"OCSP"},
		"hosts.c":       {"CRL"},
		"check.intro":   {"OpenSSL", "1.1.1", "curl", "Linux", "macOS"},
		"odd.address":   {"IP"},
		"odd.process":   {"Windows", "macOS"},
	}
	for _, l := range example(t).Languages {
		all := allStrings(reflect.ValueOf(l).Elem(), "", make(map[string]string))
		for key, words := range facts {
			for _, word := range words {
				if !strings.Contains(all[key], strings.TrimSpace(word)) {
					t.Errorf("%s: %s does not say %s", l.Tag, key, word)
				}
			}
		}
	}
}

// TestFaultsOfTranslations spoils the English file and wants the place and the remedy.
func TestFaultsOfTranslations(t *testing.T) {
	english, err := languageFiles.ReadFile("languages/en.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ old, new, want string }{
		{`no = "No."`, ``, "languages/xx.toml: safe.no is missing or empty: write it"},
		{`no = "No."`, `no = " "`, "languages/xx.toml: safe.no is missing or empty: write it"},
		{`no = "No."`, "no = \"No.\"\nnope = \"No.\"", "languages/xx.toml: keys that no page has: remove them:\n"},
		{`no = "No."`, `no = "No, {ca}."`, `languages/xx.toml: safe.no has the placeholder {ca}, want only []: remove it`},
		{`no = "No."`, `no = "No {."`, `languages/xx.toml: safe.no: a brace that is no part of a placeholder in "No {.": remove it`},
		{`no = "No."`, `no = "No }."`, `languages/xx.toml: safe.no: a brace that is no part of a placeholder in "No }.": remove it`},
		{`no = "No."`, `no = No.`, "languages/xx.toml: toml: "},
		{`no = "No."`, `no = 0`, "languages/xx.toml: toml: "},
		{`updated: {date}`, `updated.`, "languages/xx.toml: updated lacks the placeholder {date}: put it where it belongs in the sentence"},
		{`contact {domain}?"`, `contact {domane}?"`, "languages/xx.toml: title lacks the placeholder {domain}"},
		{`dir = "ltr"`, `dir = "left"`, `languages/xx.toml: dir = "left": want "ltr" or "rtl"`},
		{`dir = "ltr"`, ``, `languages/xx.toml: dir = "": want "ltr" or "rtl"`},
	} {
		spoilt := strings.Replace(string(english), tt.old, tt.new, 1)
		if spoilt == string(english) {
			t.Fatalf("%q is not in the English file", tt.old)
		}
		_, err := load(fstest.MapFS{"languages/xx.toml": {Data: []byte(spoilt)}})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q for %q: %v, want %q", tt.new, tt.old, err, tt.want)
		}
	}
}
