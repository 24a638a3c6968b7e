package redact

import "unicode"

// isIDNLetter says whether a rune can be part of an internationalised name:
// a letter, a mark or a digit of any script (RFC 5892, roughly its PVALID).
func isIDNLetter(r rune) bool {
	return r >= 0x80 && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
}
