package plot

import (
	"strings"
	"unicode"
)

const (
	titleSize = 16
	textSize  = 12
)

// How much wider a text is than a regular one.
const (
	regular = 1
	bold    = 1.15
)

// width bounds what text takes at a size. The reader's font is not known: of those that common systems
// have for sans-serif DejaVu Sans is the widest, and this is a little more than its advances.
func width(text string, size, weight float64) (w float64) {
	for _, r := range text {
		w += advance(r)
	}
	return w * size * weight
}

// advance is in parts of the font's size.
func advance(r rune) float64 {
	switch {
	case strings.ContainsRune(" \u00a0!'(),-./:;I[]`fijlrt|·", r):
		return 0.42
	case strings.ContainsRune(`"*?^csz`, r):
		return 0.56
	case strings.ContainsRune("#%&+<=>@MW_mw~…×≤≥→", r) || r > 0x2fff:
		return 1
	case unicode.IsUpper(r):
		return 0.79
	}
	return 0.64
}

// cut shortens text to a room.
func cut(text string, size, weight, room float64) string {
	if width(text, size, weight) <= room+0.01 { // a sum may differ from itself in its last digit
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && width(string(runes)+"…", size, weight) > room {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}

// wrap breaks text into lines for a room. A word that is too long for one is cut.
func wrap(text string, size, weight, room float64) (lines []string) {
	for _, word := range strings.Fields(text) {
		word = cut(word, size, weight, room)
		if n := len(lines) - 1; n >= 0 && width(lines[n]+" "+word, size, weight) <= room {
			lines[n] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}
