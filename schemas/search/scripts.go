package search

import (
	"unicode"

	"golang.org/x/text/unicode/rangetable"
)

// kind is what a character is to a search.
type kind uint8

const (
	separator kind = iota
	ignored
	mark
	accented // a letter of a script whose marks do not count
	slavic   // a Cyrillic letter
	other    // a letter or digit of another script with spaces
	unspaced // a letter of a script that is indexed by neighbours
	joining  // a sign that is one where it stands among them
	symbol   // an emoji and the like
)

// spaceless are the letters of scripts that are indexed by their neighbours.
var spaceless = rangetable.Merge(
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
)

// kindOf judges one character of normalised text.
func kindOf(r rune) kind {
	switch {
	case ignorable(r):
		return ignored
	case unicode.Is(unicode.M, r):
		return mark
	case r == 'ー':
		return joining
	case unicode.Is(spaceless, r) && (unicode.IsLetter(r) || unicode.Is(unicode.N, r)):
		return unspaced
	case !unicode.IsLetter(r) && !unicode.Is(unicode.N, r):
		if unicode.Is(unicode.So, r) {
			return symbol
		}
		return separator
	case unicode.In(r, unicode.Latin, unicode.Greek, unicode.Hebrew, unicode.Arabic):
		return accented
	case unicode.Is(unicode.Cyrillic, r):
		return slavic
	default:
		return other
	}
}

// ignorable characters are not there for a reader: joiners, soft hyphens, direction marks, variation selectors, the Arabic
// stroke that makes a word longer, and the skin colours of emoji.
func ignorable(r rune) bool {
	switch {
	case r == '\u0640', r >= 0x1F3FB && r <= 0x1F3FF, r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0100 && r <= 0xE01EF:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}
