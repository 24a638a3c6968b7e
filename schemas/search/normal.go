// Package search normalises text for searching: the sink does it to what is stored and every reader to what is asked for,
// so that the same word in another case, with or without accents, or in full-width letters, is the same word.
//
// The functions to know are [Append], which makes the text that is indexed, and [Parse], which reads what a person typed.
// The rules, for every script at once:
//
//   - Unicode's NFKC and full case folding: ﬁ is fi, ß is ss, Ａ is a, ｶﾞ is ガ.
//   - Marks go from Latin, Greek, Hebrew and Arabic letters (é is e, ά is α, أ is ا, niqqud and harakat do not count); from
//     Cyrillic ones only stress marks and the dots of ё, because й and ї are letters. ø, ł, đ, ı, æ, œ and þ become o, l, d,
//     i, ae, oe and th. Marks of other scripts stay: in Hindi or Thai they are vowels.
//   - A word is a run of letters, digits and marks; everything else separates words, and an emoji is a word of its own.
//   - Han, kana, hangul, bopomofo, Thai, Lao, Khmer and Burmese are written without spaces between words, or with endings
//     that stick to them: a run of these is indexed by each character and each two neighbours, so that any part of it is found.
//
// The same is said in SQL by the functions searchText, searchTokens and searchPhrases (schemas/clickhouse/functions.sql); a
// test holds the two together. The package does not stem and knows no synonyms.
package search

import "unicode/utf8"

// maxWord bounds a word in bytes: a longer one is cut, in the index and in a query alike.
const maxWord = 64

// maxMarks bounds the marks after one letter that are taken as they stand: x/text breaks longer rows of them.
const maxMarks = 8

// ascii maps a byte to its folded form, or to 0 where it separates words.
var ascii = func() (t [utf8.RuneSelf]byte) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'z':
			t[c] = byte(c)
		case c >= 'A' && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		}
	}
	return t
}()

// Append appends the normalised form of text to dst: a space, then each word with a space after it; nothing if text has
// no word. Bytes that are not UTF-8 separate words. It allocates nothing once the tables of the scripts that come are made.
//
// Normalising is done segment by segment, a segment being a character with what may combine with it. Most are one
// character, or one with marks that already stand in normal order: the table of characters answers these. Only the others
// go through x/text, which costs ten times as much.
func Append(dst, text []byte) []byte {
	w := writer{dst: dst, start: len(dst)}
	for i := 0; i < len(text); {
		if n := asciiRun(text[i:]); n > 0 {
			w.asciis(text[i : i+n])
			i += n
			continue
		}
		if n := w.characters(text[i:]); n > 0 {
			i += n
			continue
		}
		n, plain, ok := segment(text[i:])
		switch {
		case !ok: // not UTF-8: x/text has its own view of what stands around
			w = writer{dst: w.dst[:w.start], start: w.start}
			n = len(text) - i
			w.thorough(text)
		case plain:
			w.plain(text[i : i+n])
		default:
			w.thorough(text[i : i+n])
		}
		i += n
	}
	w.end()
	return w.dst
}

// asciiRun is how many bytes of ASCII text begins with, less one that combines with what follows.
func asciiRun(text []byte) int {
	for i, c := range text {
		if c >= utf8.RuneSelf {
			if r, _ := utf8.DecodeRune(text[i:]); i > 0 && !lookup(r).is(begins) {
				i--
			}
			return i
		}
	}
	return len(text)
}

// characters writes the characters beyond ASCII that are segments of their own, up to one that is not, and says how many
// bytes they are.
func (w *writer) characters(text []byte) (n int) {
	r, size := utf8.DecodeRune(text)
	e := lookup(r)
	for size > 1 && e.is(begins) {
		next := n + size
		if next == len(text) || text[next] < utf8.RuneSelf {
			w.character(r, e)
			return next
		}
		r2, size2 := utf8.DecodeRune(text[next:])
		e2 := lookup(r2)
		if !e2.is(begins) {
			return n
		}
		w.character(r, e)
		n, r, size, e = next, r2, size2, e2
	}
	return n
}

// segment measures the segment that text begins with, and says whether the table knows all about it. ok is false where
// text is not UTF-8.
func segment(text []byte) (n int, plain, ok bool) {
	r, n := utf8.DecodeRune(text)
	first := lookup(r)
	if r == utf8.RuneError && n == 1 {
		return 0, false, false
	}
	plain = first.is(begins)
	class, marks := uint8(0), 0
	for n < len(text) {
		r, size := rune(text[n]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[n:])
		}
		next := lookup(r)
		if next.is(begins) {
			break
		}
		if r == utf8.RuneError && size == 1 {
			return 0, false, false
		}
		marks++
		asItStands := first.is(bears) && next.is(borne) && next.class >= class || first.is(sheds) && next.is(shed)
		plain = plain && asItStands && marks <= maxMarks
		class = next.class
		n += size
	}
	return n, plain, true
}

// plain writes a segment of which the table knows all.
func (w *writer) plain(text []byte) {
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(text[i:])
		}
		i += n
		w.character(r, lookup(r))
	}
}

// character writes one character as it stands in a text.
func (w *writer) character(r rune, e *entry) {
	switch {
	case e.is(several):
		w.folded(severalOf(r, e))
	case e.folded < utf8.RuneSelf:
		w.ascii(byte(e.folded))
	default:
		w.add(e.folded, e.kind)
	}
}

// thorough writes a text by way of x/text.
func (w *writer) thorough(text []byte) {
	f := folders.Get().(*folder)
	w.folded(f.fold(text))
	folders.Put(f)
}

// folded writes text that is normalised and case-folded.
func (w *writer) folded(text []byte) {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			w.ascii(c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		i += n
		if r == utf8.RuneError && n == 1 {
			w.end()
			continue
		}
		if e := lookup(r); e.is(ligature) {
			w.folded(ligatureOf(r))
		} else {
			w.add(e.bare, e.own)
		}
	}
}
