package search

import (
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// entry is what a search must know of one character. It has two halves: what becomes of the character as it stands in a
// text, and what is written for it where it stands in a text that is normalised and folded already.
type entry struct {
	folded rune // what is written for the character; where it becomes several, their place in the page's text: offset<<8 | length
	bare   rune // what is written for it in folded text, unless it is a ligature
	kind   kind // of folded
	own    kind // of the character itself
	class  uint8
	traits trait
}

// trait says where the table may answer.
type trait uint8

const (
	begins   trait = 1 << iota // nothing before it combines with it: a segment may begin here
	bears                      // marks after it that are borne leave it as it is
	borne                      // a mark that normal forms leave where it stands, if the classes of the marks do not fall
	sheds                      // it does without marks: combined with one that is shed it is written as it is alone
	shed                       // a mark that is its own normal form
	several                    // it becomes several characters
	ligature                   // in folded text it is written as several letters: ligatureOf
)

func (e *entry) is(t trait) bool { return e.traits&t != 0 }

// pages hold entries, 256 a page, made when the first character of a page comes: 3 KiB each, some 0.1 ms. A writing system
// has one to three pages, Han and hangul some 80 and 40.
var pages [(utf8.MaxRune + 1) >> 8]atomic.Pointer[page]

type page struct {
	entries [256]entry
	text    []byte // folded texts of several characters
}

func lookup(r rune) *entry { return &pageOf(r).entries[r&0xff] }

func pageOf(r rune) *page {
	if p := pages[r>>8].Load(); p != nil {
		return p
	}
	return makePage(r >> 8)
}

func makePage(n rune) *page {
	p := new(page)
	f := folders.Get().(*folder)
	for i := range p.entries {
		e, folded := f.entry(n<<8 + rune(i))
		if e.is(several) {
			e.folded = rune(len(p.text)<<8 | len(folded))
			p.text = append(p.text, folded...)
		}
		p.entries[i] = e
	}
	folders.Put(f)
	pages[n].Store(p)
	return p
}

// severalOf is the folded text of a character that becomes several.
func severalOf(r rune, e *entry) []byte {
	from := int(e.folded >> 8)
	return pageOf(r).text[from : from+int(e.folded&0xff)]
}

// entry judges a character; the text is its folded form, good until the folder's next use.
func (f *folder) entry(r rune) (entry, []byte) {
	own := kindOf(r)
	e := entry{bare: bare(r, own), own: own}
	if e.bare == 0 {
		e.traits |= ligature
	}
	text := utf8.AppendRune(nil, r)
	p := norm.NFKC.Properties(text)
	e.class = p.CCC()
	folded := f.fold(text)
	first, size := utf8.DecodeRune(folded)
	if p.BoundaryBefore() && norm.NFKC.Properties(folded).BoundaryBefore() {
		e.traits |= begins
	}
	e.kind = kindOf(first)
	e.folded = bare(first, e.kind)
	if size < len(folded) || e.folded == 0 {
		e.traits |= several
	} else if e.is(begins) && stands(text) && stands(folded) && norm.NFKC.Properties(folded).CCC() == 0 {
		e.traits |= bears
	}
	if e.is(begins) && !e.is(several) && (r < utf8.RuneSelf || e.kind == accented) {
		e.traits |= sheds
	}
	if e.class > 0 && string(folded) == string(text) {
		e.traits |= shed
		if stands(text) {
			e.traits |= borne
		}
	}
	return e, folded
}

// stands reports a character that is in NFKC wherever it stands (the quick check of UAX 15 says Yes, not Maybe).
func stands(text []byte) bool {
	after := append([]byte{'x'}, text...)
	return norm.NFKC.QuickSpan(after) == len(after)
}
