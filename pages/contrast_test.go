package pages

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var palette = regexp.MustCompile(`(?s):root \{(.*?)\}`)

var colour = regexp.MustCompile(`--(\w+): #([0-9a-f]{3,6});`)

// TestContrast computes the contrast of every pair of text and ground in each colour
// scheme: WCAG 2.2 success criterion 1.4.3 asks for 4.5:1.
func TestContrast(t *testing.T) {
	css := parse(t, render(t, example(t))["index.html"]).one(t, "style").FirstChild.Data
	palettes := palette.FindAllString(css, -1)
	names := []string{"light", "dark", "print"}
	if len(palettes) != len(names) {
		t.Fatalf("%d palettes, want one each for %q", len(palettes), names)
	}
	for i, name := range names {
		colours := make(map[string]float64)
		for _, c := range colour.FindAllStringSubmatch(palettes[i], -1) {
			colours[c[1]] = luminance(t, c[2])
		}
		for _, text := range []string{"ink", "muted", "accent"} {
			for _, ground := range []string{"paper", "panel"} {
				if ratio := contrast(colours[text], colours[ground]); ratio < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want 4.5", name, text, ground, ratio)
				}
			}
		}
	}
}

// luminance is the relative luminance of a colour in hexadecimal digits (WCAG 2.2,
// "relative luminance").
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = strings.Join([]string{hex[:1], hex[:1], hex[1:2], hex[1:2], hex[2:], hex[2:]}, "")
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		octet, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(octet) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(a, b float64) float64 {
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func TestContrastOfKnownColours(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want float64
	}{{"000", "fff", 21}, {"fff", "ffffff", 1}, {"777", "fff", 4.48}} {
		if got := contrast(luminance(t, tt.a), luminance(t, tt.b)); math.Abs(got-tt.want) > 0.005 {
			t.Errorf("%s on %s: %.3f, want %.2f", tt.a, tt.b, got, tt.want)
		}
	}
}
