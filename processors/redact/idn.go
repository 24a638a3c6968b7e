package redact

import "unicode"

// isIDNLetter says whether a rune can be part of an internationalised name:
// a letter, a mark or a digit of any script (RFC 5892, roughly its PVALID).
func isIDNLetter(r rune) bool {
	return r >= 0x80 && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
}

// isUnspaced says whether a rune is of a script that writes words without
// spaces, or that puts endings right after a foreign word, as Korean does.
func isUnspaced(r rune) bool {
	return r >= 0xE00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) || r == 0x30FC
}
