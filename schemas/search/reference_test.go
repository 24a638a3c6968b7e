package search

import (
	"sync"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// reference is what Append must do, written plainly: the whole text through NFKC, case folding and NFKC, then one character
// after another. It was Append itself until the tables came.
func reference(text []byte) []byte {
	w := refWriter{}
	return w.unicode(text)
}

// refWriter appends words.
type refWriter struct {
	dst   []byte
	start int  // where the text begins
	word  int  // where the open word begins; 0: none is open
	full  bool // the open word takes no more
	run   []byte
	units []int // where each unit of the open run of a script without spaces begins
}

func (w *refWriter) open() {
	if w.word == 0 {
		if len(w.dst) == w.start {
			w.dst = append(w.dst, ' ')
		}
		w.word, w.full = len(w.dst), false
	}
}

func (w *refWriter) letter(c byte) {
	w.open()
	if w.full = w.full || len(w.dst)-w.word >= maxWord; !w.full {
		w.dst = append(w.dst, c)
	}
}

func (w *refWriter) rune(r rune) {
	w.open()
	if w.full = w.full || len(w.dst)-w.word+utf8.RuneLen(r) > maxWord; !w.full {
		w.dst = utf8.AppendRune(w.dst, r)
	}
}

// end closes the open word and the open run.
func (w *refWriter) end() {
	if w.word != 0 {
		w.dst = append(w.dst, ' ')
		w.word = 0
	}
	if len(w.units) > 0 {
		w.grams()
	}
}

// unit begins a new unit of a run.
func (w *refWriter) unit(r rune) {
	if w.word != 0 {
		w.end()
	}
	w.units = append(w.units, len(w.run))
	w.run = utf8.AppendRune(w.run, r)
}

// grams writes a run: its first unit, then each two neighbours and the second of them.
func (w *refWriter) grams() {
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

var refFolders = sync.Pool{New: func() any { c := cases.Fold(); return &c }}

// fold is NFKC of the full case folding of NFKC.
func refFold(text []byte) []byte {
	c := refFolders.Get().(*cases.Caser)
	defer refFolders.Put(c)
	folded := c.Bytes(norm.NFKC.Bytes(text))
	if norm.NFKC.IsNormal(folded) {
		return folded
	}
	return norm.NFKC.Bytes(folded)
}

// unicode writes a whole text of any script, anew.
func (w *refWriter) unicode(text []byte) []byte {
	*w = refWriter{dst: w.dst[:w.start], start: w.start}
	folded := refFold(text)
	marks := refDropped // what becomes of a mark
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
			marks = refDropped
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

// refFate is what becomes of a mark after a letter.
type refFate int

const (
	refDropped  refFate = iota // the letter does without
	refKept                    // it is part of the letter
	refCyrillic                // stress is refDropped, other marks are refKept
)

// add takes one character that is not ASCII, and says what becomes of marks after it.
func (w *refWriter) add(r rune, marks refFate) refFate {
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
		return refKept
	case unspaced:
		w.unit(r)
		return refKept
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
	return refDropped
}

func (w *refWriter) mark(r rune, marks refFate) {
	if marks == refDropped || marks == refCyrillic && (r == '\u0300' || r == '\u0301') {
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
func (w *refWriter) spaced(r rune, of kind) refFate {
	switch of {
	case accented:
		w.bare(r)
		return refDropped
	case slavic:
		switch r {
		case 'ё', 'ѐ':
			r = 'е'
		case 'ѝ':
			r = 'и'
		}
		w.rune(r)
		return refCyrillic
	}
	w.rune(r)
	return refKept
}

// bare writes a letter without its marks.
func (w *refWriter) bare(r rune) {
	var buf [utf8.UTFMax]byte
	d := norm.NFD.Properties(buf[:utf8.EncodeRune(buf[:], r)]).Decomposition()
	if d != nil {
		r, _ = utf8.DecodeRune(d)
	}
	text, ok := ligatures[r], ligatures[r] != nil
	if l, plain := plainLetters[r]; plain {
		text, ok = []byte{byte(l)}, true
	}
	if ok {
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
