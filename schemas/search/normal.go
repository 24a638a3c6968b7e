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

import (
	"sync"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxWord bounds a word in bytes: a longer one is cut, in the index and in a query alike.
const maxWord = 64

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
// no word. Bytes that are not UTF-8 separate words.
func Append(dst, text []byte) []byte {
	w := writer{dst: dst, start: len(dst)}
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return w.unicode(text)
		}
		if folded := ascii[c]; folded != 0 {
			w.letter(folded)
		} else {
			w.end()
		}
	}
	w.end()
	return w.dst
}

// writer appends words.
type writer struct {
	dst   []byte
	start int  // where the text begins
	word  int  // where the open word begins; 0: none is open
	full  bool // the open word takes no more
	run   []byte
	units []int // where each unit of the open run of a script without spaces begins
}

func (w *writer) open() {
	if w.word == 0 {
		if len(w.dst) == w.start {
			w.dst = append(w.dst, ' ')
		}
		w.word, w.full = len(w.dst), false
	}
}

func (w *writer) letter(c byte) {
	w.open()
	if w.full = w.full || len(w.dst)-w.word >= maxWord; !w.full {
		w.dst = append(w.dst, c)
	}
}

func (w *writer) rune(r rune) {
	w.open()
	if w.full = w.full || len(w.dst)-w.word+utf8.RuneLen(r) > maxWord; !w.full {
		w.dst = utf8.AppendRune(w.dst, r)
	}
}

// end closes the open word and the open run.
func (w *writer) end() {
	if w.word != 0 {
		w.dst = append(w.dst, ' ')
		w.word = 0
	}
	if len(w.units) > 0 {
		w.grams()
	}
}

// unit begins a new unit of a run.
func (w *writer) unit(r rune) {
	if w.word != 0 {
		w.end()
	}
	w.units = append(w.units, len(w.run))
	w.run = utf8.AppendRune(w.run, r)
}

// grams writes a run: its first unit, then each two neighbours and the second of them.
func (w *writer) grams() {
	if len(w.dst) == w.start {
		w.dst = append(w.dst, ' ')
	}
	at := func(i int) int {
		if i == len(w.units) {
			return len(w.run)
		}
		return w.units[i]
	}
	for i := range w.units {
		if i > 0 {
			w.dst = append(append(w.dst, w.run[at(i-1):at(i+1)]...), ' ')
		}
		w.dst = append(append(w.dst, w.run[at(i):at(i+1)]...), ' ')
	}
	w.run, w.units = w.run[:0], w.units[:0]
}

var folders = sync.Pool{New: func() any { c := cases.Fold(); return &c }}

// fold is NFKC of the full case folding of NFKC.
func fold(text []byte) []byte {
	c := folders.Get().(*cases.Caser)
	defer folders.Put(c)
	folded := c.Bytes(norm.NFKC.Bytes(text))
	if norm.NFKC.IsNormal(folded) {
		return folded
	}
	return norm.NFKC.Bytes(folded)
}

// unicode writes a whole text of any script, anew.
func (w *writer) unicode(text []byte) []byte {
	*w = writer{dst: w.dst[:w.start], start: w.start}
	folded := fold(text)
	marks := dropped // what becomes of a mark
	for i := 0; i < len(folded); {
		c := folded[i]
		if c < utf8.RuneSelf {
			i++
			if ascii[c] == 0 || len(w.units) > 0 {
				w.end()
			}
			if ascii[c] != 0 {
				w.letter(ascii[c])
			}
			marks = dropped
			continue
		}
		r, n := utf8.DecodeRune(folded[i:])
		i += n
		if r == utf8.RuneError && n == 1 {
			w.end()
			continue
		}
		marks = w.add(r, marks)
	}
	w.end()
	return w.dst
}

// fate is what becomes of a mark after a letter.
type fate int

const (
	dropped  fate = iota // the letter does without
	kept                 // it is part of the letter
	cyrillic             // stress is dropped, other marks are kept
)

// add takes one character that is not ASCII, and says what becomes of marks after it.
func (w *writer) add(r rune, marks fate) fate {
	switch kind := kindOf(r); kind {
	case ignored:
		return marks
	case mark:
		w.mark(r, marks)
		return marks
	case joining:
		if len(w.units) == 0 {
			return w.spaced(r, other)
		}
		w.unit(r)
		return kept
	case unspaced:
		w.unit(r)
		return kept
	case accented, slavic, other:
		if len(w.units) > 0 {
			w.end()
		}
		return w.spaced(r, kind)
	case symbol:
		w.end()
		w.rune(r)
	}
	w.end()
	return dropped
}

func (w *writer) mark(r rune, marks fate) {
	if marks == dropped || marks == cyrillic && (r == '\u0300' || r == '\u0301') {
		return
	}
	switch {
	case len(w.units) > 0:
		w.run = utf8.AppendRune(w.run, r)
	case w.word != 0:
		w.rune(r)
	}
}

// spaced writes a letter or digit of a script with spaces between words, without its accents.
func (w *writer) spaced(r rune, of kind) fate {
	switch of {
	case accented:
		w.bare(r)
		return dropped
	case slavic:
		switch r {
		case 'ё', 'ѐ':
			r = 'е'
		case 'ѝ':
			r = 'и'
		}
		w.rune(r)
		return cyrillic
	}
	w.rune(r)
	return kept
}

// plain are Latin letters that have no decomposition and that people type without.
var plain = map[rune]string{'ø': "o", 'ł': "l", 'đ': "d", 'ı': "i", 'æ': "ae", 'œ': "oe", 'þ': "th", 'ð': "d", 'ħ': "h", 'ŧ': "t", 'ŋ': "n"}

// bare writes a letter without its marks.
func (w *writer) bare(r rune) {
	var buf [utf8.UTFMax]byte
	d := norm.NFD.Properties(buf[:utf8.EncodeRune(buf[:], r)]).Decomposition()
	if d != nil {
		r, _ = utf8.DecodeRune(d)
	}
	if text, ok := plain[r]; ok {
		for i := range len(text) {
			w.letter(text[i])
		}
		return
	}
	if r < utf8.RuneSelf {
		w.letter(byte(r))
		return
	}
	w.rune(r)
}
