package redact

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	markOpen = "[REDACTED:"
	// barrier stands in folded text for what is taken out. It is never valid in
	// UTF-8, belongs to no word, and nothing begins or ends right beside it.
	barrier = 0xFF
	// maxKept is the capacity in bytes up to which a scratch is kept.
	maxKept = 2 << 20
)

// scratch holds a folded text and the way back to the original.
type scratch struct {
	text  []byte
	from  []int32 // original offset of each folded byte, and of the end
	upto  []int32 // original offset after each folded byte
	spans []Span
	marks bool // whether "**", "~~" and "||" are left out, as emphasis
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) release() {
	if cap(s.text) <= maxKept {
		scratches.Put(s)
	}
}

func (s *scratch) start(i int) int { return int(s.from[i]) }
func (s *scratch) end(i int) int   { return int(s.upto[i-1]) }

// put adds a folded byte that stands for the original [from, to).
func (s *scratch) put(b byte, from, to int) {
	s.text = append(s.text, b)
	s.from = append(s.from, int32(from))
	s.upto = append(s.upto, int32(to))
}

// fold writes the plain form of text: known spans and earlier marks become
// barriers, compatibility digits, letters and punctuation their ASCII forms,
// unusual spaces a space; what is invisible goes, and "(at)", "%40" and "&#64;"
// become "@".
func (s *scratch) fold(text []byte, known []Span) {
	s.text, s.from, s.upto = s.text[:0], s.from[:0], s.upto[:0]
	for i := 0; i < len(text); {
		if len(known) > 0 && known[0].Start <= i {
			s.put(barrier, i, known[0].End)
			i = known[0].End
			known = known[1:]
			continue
		}
		limit := len(text)
		if len(known) > 0 {
			limit = known[0].Start
		}
		b := text[i]
		switch c := classes[b]; {
		case c&cHigh != 0:
			i += s.foldRune(text[i:limit], i)
		case c&cOpen != 0:
			i += s.foldOpen(text[:limit], i)
		case s.marks && i+1 < limit && emphasis(text[:limit], i):
			i += 2
		default:
			s.put(b, i, i+1)
			i++
		}
	}
}

// foldRune folds one character that is not ASCII and returns its length.
func (s *scratch) foldRune(t []byte, at int) int {
	r, n := utf8.DecodeRune(t)
	if r == utf8.RuneError && n <= 1 {
		s.put(barrier, at, at+1)
		return 1
	}
	switch b := plain(r); b {
	case invisible:
		if len(s.upto) > 0 && s.text[len(s.text)-1] != barrier {
			return n // the byte before ends where it did
		}
	case keep:
		for j := range n {
			// Spans must not cut a rune: all its bytes stand for all of it.
			s.put(t[j], at, at+n)
		}
	default:
		s.put(b, at, at+n)
	}
	return n
}

// foldOpen folds what begins with a bracket at i: an earlier mark, "(at)",
// "[dot]". It returns how many bytes of text it took.
func (s *scratch) foldOpen(text []byte, i int) int {
	if n := markLen(text[i:]); n > 0 {
		s.put(barrier, i, i+n)
		return n
	}
	if b, n := escaped(text, i); n > 0 {
		s.put(b, i, i+n)
		return n
	}
	b, n := bracketed(text[i:])
	if n == 0 {
		s.put(text[i], i, i+1)
		return 1
	}
	from, end := i, i+n
	for len(s.text) > 0 && s.text[len(s.text)-1] == ' ' && i-from < 3 {
		from = int(s.from[len(s.from)-1])
		k := len(s.text) - 1
		s.text, s.from, s.upto = s.text[:k], s.from[:k], s.upto[:k]
	}
	for end < len(text) && text[end] == ' ' && end-(i+n) < 3 {
		end++
	}
	s.put(b, from, end)
	return end - i
}

// bracketed reads "(at)", "[at]", "{at}", "<at>" and the same with "dot", spaces
// allowed inside, and gives what they stand for.
func bracketed(t []byte) (byte, int) {
	i := 1
	for i < len(t) && i < 3 && t[i] == ' ' {
		i++
	}
	var b byte
	switch rest := t[i:]; {
	case len(rest) > 2 && lower(rest[0]) == 'a' && lower(rest[1]) == 't':
		b, i = '@', i+2
	case len(rest) > 3 && lower(rest[0]) == 'd' && lower(rest[1]) == 'o' && lower(rest[2]) == 't':
		b, i = '.', i+3
	case len(rest) > 1 && (rest[0] == '@' || rest[0] == '.'):
		b, i = rest[0], i+1
	default:
		return 0, 0
	}
	for j := 0; j < 2 && i < len(t) && t[i] == ' '; j++ {
		i++
	}
	if i >= len(t) || t[i] != closing(t[0]) {
		return 0, 0
	}
	return b, i + 1
}

// closing is the bracket that closes one.
func closing(open byte) byte {
	switch open {
	case '(':
		return ')'
	case '[':
		return ']'
	case '{':
		return '}'
	}
	return '>'
}

// escaped reads an "@" at i as URLs and HTML write it, or the plus that begins a
// value in a URL's query.
func escaped(text []byte, i int) (byte, int) {
	t := text[i:]
	if len(t) > 3 && string(t[:3]) == "%2B" && isDigit(t[3]) && i > 0 && text[i-1] == '=' {
		return '+', 3
	}
	for _, form := range [...]string{"%40", "&#64;", "&#x40;", "&commat;"} {
		if t[0] == form[0] && len(t) >= len(form) && string(t[:len(form)]) == form {
			return '@', len(form)
		}
	}
	return 0, 0
}

// emphasis says whether two equal signs of markdown's bold, struck or hidden
// text stand at i, beside a letter or digit.
func emphasis(t []byte, i int) bool {
	b := t[i]
	if b != '*' && b != '~' && b != '|' || t[i+1] != b || i > 0 && t[i-1] == b || i+2 < len(t) && t[i+2] == b {
		return false
	}
	return i > 0 && isAlnum(t[i-1]) || i+2 < len(t) && isAlnum(t[i+2])
}

// emphasized says whether text has such signs.
func emphasized(text []byte) bool {
	for i := 0; i+1 < len(text); i++ {
		if classes[text[i]]&cStar != 0 && emphasis(text, i) {
			return true
		}
	}
	return false
}

// needsOpen says whether an opening bracket in the text begins a mark or stands
// around "at", "dot" or their signs, or an escape stands for "@".
func needsOpen(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if classes[text[i]]&cOpen == 0 {
			continue
		}
		if _, n := bracketed(text[i:]); n > 0 {
			return true
		}
		if text[i] == '[' && markLen(text[i:]) > 0 {
			return true
		}
		if _, n := escaped(text, i); n > 0 {
			return true
		}
	}
	return false
}

const (
	keep      = 0
	invisible = 1
)

// plain is the ASCII character that people read a rune as: Unicode's
// compatibility forms (UAX #15) as far as addresses and numbers need them.
func plain(r rune) byte {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		return byte(r - 0xFF01 + '!') // full-width forms
	case r >= 0x2010 && r <= 0x2015, r == 0x2212, r == 0xFE63:
		return '-'
	case r == 0xA0, r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F, r == 0x3000:
		return ' '
	case r == 0x3002, r == 0xFF61, r == 0xFE52, r == 0x2024:
		return '.'
	case r == 0xFE6B:
		return '@'
	case r >= 0x200B && r <= 0x200F, r >= 0x2060 && r <= 0x2064, r == 0xFEFF, r == 0xAD, r >= 0x202A && r <= 0x202E:
		return invisible
	case r >= 0x660 && !(r >= 0x3400 && r <= 0x9FFF) && !(r >= 0xAC00 && r <= 0xD7A3) && unicode.IsDigit(r):
		return decimal(r)
	case r >= 0x1D400 && r <= 0x1D6A3:
		return mathLetter(r)
	}
	return keep
}

// decimal is the digit that a decimal digit of any script stands for: in every
// one they follow each other from zero (the Unicode Standard, 4.6).
func decimal(r rune) byte {
	for _, d := range unicode.Nd.R16 {
		if r <= rune(d.Hi) && r >= rune(d.Lo) {
			return byte('0' + (r-rune(d.Lo))%10)
		}
	}
	for _, d := range unicode.Nd.R32 {
		if r <= rune(d.Hi) && r >= rune(d.Lo) {
			return byte('0' + (r-rune(d.Lo))%10)
		}
	}
	return keep
}

// mathLetter is the letter of a mathematical alphanumeric symbol.
func mathLetter(r rune) byte {
	n := (r - 0x1D400) % 52
	if n < 26 {
		return byte('A' + n)
	}
	return byte('a' + n - 26)
}
