package main

import (
	"bytes"
	"strings"
	"testing"

	"lancre/pages"
)

// TestChooseLanguages knows three languages, of which a native reader has reviewed one.
func TestChooseLanguages(t *testing.T) {
	all := []*pages.Language{{Tag: "de"}, {Tag: "en"}, {Tag: "fr", Reviewed: true}}
	for _, tt := range []struct {
		tags, fallback string
		reviewedOnly   bool
		want           string // tags, the default first, or the error
	}{
		{"", "", false, "en de fr"},
		{"", "fr", false, "fr de en"},
		{"fr de", "", false, "fr de"},
		{"fr en", "", false, "fr en"},
		{"fr de fr", "de", false, "de fr"},
		{"", "", true, "fr"},
		{"de fr", "", true, "fr"},
		{"it", "", false, `language "it": there is no such translation; lancre pages --list lists those there are`},
		{"fr", "en", false, `default language "en" is not among those to be written: add it to --languages`},
		{"", "en", true, `default language "en" is not among those to be written: add it to --languages`},
		{"de en", "", true, "none of the 2 languages was reviewed by a native reader, so --reviewed-only leaves nothing: " +
			"have one reviewed (docs/TRANSLATIONS.md), or leave out the option"},
	} {
		j := pagesJob{tags: strings.Fields(tt.tags), fallback: tt.fallback, reviewedOnly: tt.reviewedOnly}
		var got []string
		if err := j.chooseLanguages(all); err != nil {
			got = []string{err.Error()}
		}
		for _, l := range j.site.Languages {
			got = append(got, l.Tag)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("--languages %q --default %q --reviewed-only=%v: %q, want %q", tt.tags, tt.fallback, tt.reviewedOnly, got, tt.want)
		}
	}
}

// TestUnreviewedAreListed wants whoever publishes a page to hear who has not read it.
func TestUnreviewedAreListed(t *testing.T) {
	j := pagesJob{out: "www", site: pages.Site{Domain: "example.org", Hosts: []string{"o"}}}
	j.site.Languages = []*pages.Language{{Tag: "fr", Reviewed: true}, {Tag: "de"}}
	for _, want := range []string{"not reviewed  de\n", ""} {
		var out bytes.Buffer
		if err := j.summarise(&out); err != nil {
			t.Fatal(err)
		}
		if _, after, _ := strings.Cut(out.String(), "languages     fr de\n"); want != "" && after != want {
			t.Errorf("after the languages %q, want %q", after, want)
		} else if want == "" && strings.Contains(out.String(), "not reviewed") {
			t.Errorf("%q, where all are reviewed", &out)
		}
		j.site.Languages = j.site.Languages[:1]
	}
}
