package search

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func same(t *testing.T, text []byte) {
	t.Helper()
	got, want := Append(nil, text), reference(text)
	if !bytes.Equal(got, want) {
		t.Errorf("%+q: got %+q, want %+q", text, got, want)
	}
}

// Every character alone, after a letter and before a mark, is what x/text makes of it.
func TestEveryCharacterIsAsTheReferenceHasIt(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0xD800 && r < 0xE000 || r > 0x3FFFF && r < 0xE0000 || r > 0xE0FFF {
			continue // surrogates, planes of which nothing is assigned, private use
		}
		if r > 0x3400 && r < 0x9F00 && r%7 > 0 || r > 0xB000 && r < 0xD700 && r%7 > 0 || r > 0x17000 && r < 0x1B000 && r%7 > 0 || r > 0x20000 && r < 0x3FFFF && r%31 > 0 {
			continue // more Han, hangul and Tangut of the same
		}
		same(t, []byte(string(r)))
		same(t, []byte("a"+string(r)+"\u0316\u0301b"))
		same(t, []byte("+"+string(r)+"\u0323\u0301"))
		if t.Failed() {
			t.FailNow()
		}
	}
}

// Each letter that does without marks, with each mark that might combine with it.
func TestLettersShedTheirMarks(t *testing.T) {
	var letters, marks []rune
	for r := rune(0); r < 0x20000; r++ {
		if r >= 0xD800 && r < 0xE000 {
			continue
		}
		switch e := lookup(r); {
		case e.is(sheds) && norm.NFKC.Properties([]byte(string(r))).BoundaryAfter():
		case e.is(sheds):
			letters = append(letters, r)
		case e.is(shed) && !e.is(borne):
			marks = append(marks, r)
		}
	}
	if len(letters) < 500 || len(marks) < 30 {
		t.Fatalf("%d letters, %d marks", len(letters), len(marks))
	}
	for _, l := range letters {
		for _, m := range marks {
			same(t, []byte(string(l)+string(m)))
		}
	}
}

// What a segment begins with must not combine backward after folding either: then a text's form is that of its segments.
func TestASegmentBeginsAtABoundaryForGood(t *testing.T) {
	f := folders.New().(*folder)
	for r := rune(0x80); r < 0x30000; r++ {
		if r >= 0xD800 && r < 0xE000 || !lookup(r).is(begins) {
			continue
		}
		if p := norm.NFKC.Properties(f.fold(utf8.AppendRune(nil, r))); !p.BoundaryBefore() {
			t.Errorf("%U", r)
		}
	}
}

// Texts of a few characters that lie near one another, of characters that combine, and of bytes.
func TestAppendIsTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var combining []rune
	for c := rune(0x80); c < 0x20000; c++ {
		if e := lookup(c); (c < 0xD800 || c >= 0xE000) && (e.class > 0 || !e.is(begins) || e.is(several)) {
			combining = append(combining, c)
		}
	}
	n := 60_000
	if testing.Short() {
		n = 10_000
	}
	for range n {
		var text []byte
		near := []rune{0x41, 0xE0, 0x170, 0x370, 0x410, 0x5D0, 0x620, 0x920, 0xE20, 0x1100, 0x1EA0, 0x1F00, 0x3060, 0x4E00, 0xAC00, 0xFB10, 0xFF70, 0x1D400, 0x1F469}[r.IntN(19)]
		for range 1 + r.IntN(12) {
			switch r.IntN(8) {
			case 0, 1:
				text = utf8.AppendRune(text, combining[r.IntN(len(combining))])
			case 2:
				text = append(text, " ,aZ9ıs\u0301\u0345"[r.IntN(11)])
			case 3:
				text = utf8.AppendRune(text, []rune{0x301, 0x308, 0x323, 0x345, 0x3099, 0x200D, 0x30FC, 0x1161, 0x11A8}[r.IntN(9)])
			default:
				text = utf8.AppendRune(text, near+rune(r.IntN(60)))
			}
		}
		if r.IntN(50) == 0 {
			text = append(text, byte(r.IntN(256)))
		}
		same(t, text)
	}
}

func TestLongRowsOfMarks(t *testing.T) {
	for _, mark := range []string{"\u0301", "\u0316", "\u05b4", "\u0e48", "\u064e", "\u093f"} {
		for _, letter := range []string{"e", "é", "ב", "ก", "ي", "क", "й", ""} {
			for _, n := range []int{1, maxMarks, maxMarks + 1, 29, 30, 31, 65} {
				same(t, append([]byte(letter), bytes.Repeat([]byte(mark), n)...))
			}
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	texts := [][]byte{
		[]byte("Alle Menschen sind frei und gleich an Würde — die Straße"), []byte("人人生而自由，在尊严和权利上一律平等。"), []byte("e\u0301te\u0301 cafe\u0301"),
		[]byte("כָּל בְּנֵי הָאָדָם"), []byte("สระอิ อิสระ"), []byte("🎉👍🏽"),
	}
	var dst []byte
	for _, text := range texts {
		dst = Append(dst[:0], text)
		if n := testing.AllocsPerRun(100, func() { dst = Append(dst[:0], text) }); n >= 1 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func FuzzAppendIsTheReference(f *testing.F) {
	for _, text := range []string{"Straße Ännchen", "Все ещё", "すべて ｺｰﾋｰ", "कि नमस्ते", "각\u11a8", "e\u0301\u0323\u0345", "\xffa\u0301"} {
		f.Add([]byte(text))
	}
	f.Fuzz(same)
}
