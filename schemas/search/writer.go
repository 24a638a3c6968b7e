package search

import "unicode/utf8"

// fate is what becomes of a mark after a letter.
type fate uint8

const (
	dropped  fate = iota // the letter does without
	kept                 // it is part of the letter
	cyrillic             // stress is dropped, other marks are kept
)

// writer appends words to dst. A run of a script without spaces is written as its first unit, then each two neighbours and
// the second of them; what was written last is read again from dst for that.
type writer struct {
	dst   []byte
	start int  // where the text begins
	word  int  // where the open word begins; 0: none is open
	full  bool // the open word takes no more
	marks fate // of marks that come now

	unit     int // where the open unit begins; 0: none is open
	unitEnd  int // where it ends, once it is closed
	previous int // how long the copy of the unit before it is that stands before the open one
}

// ascii takes one character of normalised text.
func (w *writer) ascii(c byte) {
	folded := ascii[c]
	if folded == 0 {
		w.end()
	} else {
		w.letter(rune(folded), 1)
	}
	w.marks = dropped
}

// asciis takes many.
func (w *writer) asciis(text []byte) {
	if w.unit != 0 {
		w.end()
	}
	dst, word, full := w.dst, w.word, w.full
	for _, c := range text {
		folded := ascii[c&(utf8.RuneSelf-1)]
		switch {
		case folded != 0 && word != 0:
			if full = full || len(dst)-word >= maxWord; !full {
				dst = append(dst, folded)
			}
		case folded != 0:
			if len(dst) == w.start {
				dst = append(dst, ' ')
			}
			word, full = len(dst), false
			dst = append(dst, folded)
		case word != 0:
			dst = append(dst, ' ')
			word = 0
		}
	}
	w.dst, w.word, w.full, w.marks = dst, word, full, dropped
}

// add takes one character of normalised text, of a kind, without its accents.
func (w *writer) add(r rune, of kind) {
	switch of {
	case ignored:
	case mark:
		w.mark(r)
	case joining:
		if w.unit == 0 {
			w.letter(r, utf8.RuneLen(r))
		} else {
			w.neighbour(r)
		}
		w.marks = kept
	case unspaced:
		w.neighbour(r)
		w.marks = kept
	case accented:
		w.letter(r, utf8.RuneLen(r))
		w.marks = dropped
	case slavic:
		w.letter(r, utf8.RuneLen(r))
		w.marks = cyrillic
	case other:
		w.letter(r, utf8.RuneLen(r))
		w.marks = kept
	case symbol:
		w.end()
		w.letter(r, utf8.RuneLen(r))
		w.end()
		w.marks = dropped
	default:
		w.end()
		w.marks = dropped
	}
}

// letter adds to the open word, n bytes.
func (w *writer) letter(r rune, n int) {
	if w.unit != 0 {
		w.end()
	}
	if w.word == 0 {
		w.space()
		w.word, w.full = len(w.dst), false
	}
	if w.full = w.full || len(w.dst)-w.word+n > maxWord; w.full {
		return
	}
	if n == 1 {
		w.dst = append(w.dst, byte(r))
	} else {
		w.dst = utf8.AppendRune(w.dst, r)
	}
}

// space writes the one that the first word has before it.
func (w *writer) space() {
	if len(w.dst) == w.start {
		w.dst = append(w.dst, ' ')
	}
}

func (w *writer) mark(r rune) {
	switch {
	case w.marks == dropped || w.marks == cyrillic && (r == '\u0300' || r == '\u0301'):
	case w.unit != 0:
		w.dst = utf8.AppendRune(w.dst, r)
	case w.word != 0:
		w.letter(r, utf8.RuneLen(r))
	}
}

// neighbour begins the next unit of a run.
func (w *writer) neighbour(r rune) {
	if w.unit == 0 {
		w.end()
		w.space()
	} else {
		w.closeUnit()
		w.dst = append(w.dst, w.dst[w.unit:w.unitEnd]...)
		w.previous = w.unitEnd - w.unit
	}
	w.unit = len(w.dst)
	w.dst = utf8.AppendRune(w.dst, r)
}

// closeUnit ends the open unit, and writes it once more alone if it stands behind its neighbour.
func (w *writer) closeUnit() {
	w.unitEnd = len(w.dst)
	w.dst = append(w.dst, ' ')
	if w.previous > 0 {
		w.dst = append(append(w.dst, w.dst[w.unit:w.unitEnd]...), ' ')
	}
}

// end closes the open word or run.
func (w *writer) end() {
	if w.word != 0 {
		w.dst = append(w.dst, ' ')
		w.word = 0
	}
	if w.unit != 0 {
		w.closeUnit()
		w.unit, w.previous = 0, 0
	}
}
