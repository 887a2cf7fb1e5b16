package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"lancre/index/store"
)

// weights are the elements of a header that have one.
func weights(header string) map[string]int {
	all := make(map[string]int)
	for rest := []byte(header); len(rest) > 0; {
		var value []byte
		var weight int
		if value, weight, rest = cutElement(rest); weight > 0 {
			all[string(value)] = weight
		}
	}
	return all
}

func TestWeights(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{"a", "map[a:1000]"},
		{"a;q=0.5,b;q=0.125;x=y , c;x=\"y\";Q=1.000", "map[a:500 b:125 c:1000]"},
		{"a;q=0,b;q=0.,c;q=0.000", "map[]"},
		{"a;q=0.001\t,\tb ; q=1.", "map[a:1 b:1000]"},
		{"a;q=,b;q=2,c;q=1.001,d;q=-1,e;q=.5,f;q=0.1234,g;q=0.1x,h;q=00.1,i;q= 1", "map[]"},
		{"a;quality=0;q", "map[a:1000]"},
	} {
		if got := fmt.Sprint(weights(c.header)); got != c.want {
			t.Errorf("%s: %s, want %s", c.header, got, c.want)
		}
	}
}

// Of a header without fault x/text reads the same.
func TestWeightsAreThoseOfTheLibrary(t *testing.T) {
	for _, header := range []string{"fr", "fr, de;q=0.5", "de;q=0.125,fr;q=1.000,en;q=0.3", "fr ; q=0.2 , de", "fr;q=0,de;q=0.001", "fr;q=1.,de;q=0."} {
		tags, theirs, err := language.ParseAcceptLanguage(header)
		if err != nil {
			t.Fatalf("%s: %v", header, err)
		}
		want := make(map[string]int)
		for i, tag := range tags {
			want[tag.String()] = int(theirs[i]*1000 + 0.5)
		}
		if got := weights(header); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", header, got, want)
		}
	}
}

// FuzzAccept checks that whatever a client sends, weights are in range, elements are
// of the header, and a variant is chosen.
func FuzzAccept(f *testing.F) {
	f.Add("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	f.Add("de;q=0.5, fr;Q=1.000 ,, x;q=;q=2")
	var variants []variant
	for _, tag := range []language.Tag{language.German, language.French, language.TraditionalChinese} {
		line := store.FileLine{SHA256: tag.String()}
		variants = append(variants, variant{file: &file{File: store.File{FileLine: line}}, tag: tag})
	}
	p := newPage(variants[0].file, variants)
	f.Fuzz(func(t *testing.T, header string) {
		for value, weight := range weights(header) {
			if weight > 1000 || !strings.Contains(header, value) {
				t.Errorf("%q has weight %d", value, weight)
			}
		}
		if namesHTML([]byte(header)) && !bytes.Contains(bytes.ToLower([]byte(header)), []byte(store.TypeHTML)) {
			t.Error("it names HTML without saying so")
		}
		if p.choose([]byte(header)) == nil {
			t.Error("nothing is chosen")
		}
	})
}
