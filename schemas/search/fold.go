package search

import (
	"sync"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// folder folds texts; what it returns is good until its next use.
type folder struct {
	caser         cases.Caser
	normal, cased []byte
}

var folders = sync.Pool{New: func() any { return &folder{caser: cases.Fold()} }}

// fold is NFKC of the full case folding of NFKC.
func (f *folder) fold(text []byte) []byte {
	f.normal = norm.NFKC.Append(f.normal[:0], text...)
	f.cased = f.caseFold(f.cased[:0], f.normal)
	if norm.NFKC.IsNormal(f.cased) {
		return f.cased
	}
	f.normal = norm.NFKC.Append(f.normal[:0], f.cased...)
	return f.normal
}

// caseFold appends the full case folding of text to dst: at most thrice as many bytes.
func (f *folder) caseFold(dst, text []byte) []byte {
	if need := 3*len(text) + utf8.UTFMax; cap(dst) < need {
		dst = make([]byte, 0, need)
	}
	f.caser.Reset()
	n, _, err := f.caser.Transform(dst[:cap(dst)], text, true)
	if err != nil { // cannot be: the folding of Unicode at most triples a text
		return append(dst, text...)
	}
	return dst[:n]
}

// plainLetters are Latin letters that have no decomposition and that people type without; ligatures become several.
var (
	plainLetters = map[rune]rune{'ø': 'o', 'ł': 'l', 'đ': 'd', 'ı': 'i', 'ð': 'd', 'ħ': 'h', 'ŧ': 't', 'ŋ': 'n'}
	ligatures    = map[rune][]byte{'æ': []byte("ae"), 'œ': []byte("oe"), 'þ': []byte("th")}
)

// bare is a letter without the marks that do not count in its script; 0: it is one of the ligatures.
func bare(r rune, of kind) rune {
	switch of {
	case accented:
		r = withoutMarks(r)
		if plain, ok := plainLetters[r]; ok {
			return plain
		}
		if ligatures[r] != nil {
			return 0
		}
	case slavic:
		switch r {
		case 'ё', 'ѐ':
			return 'е'
		case 'ѝ':
			return 'и'
		}
	}
	return r
}

func ligatureOf(r rune) []byte { return ligatures[withoutMarks(r)] }

func withoutMarks(r rune) rune {
	if d := norm.NFD.PropertiesString(string(r)).Decomposition(); d != nil {
		r, _ = utf8.DecodeRune(d)
	}
	return r
}
