package redact

import "sync"

// nationalRule is one country's number: its shape, its check, and the words
// that people put beside it.
type nationalRule struct {
	country string
	name    string
	shape   string // d a digit, A a letter, X either; without separators
	check   func(c []byte) bool
	words   []string // lower case; none: the shape and the check speak for themselves
}

const (
	minNational = 8  // characters
	maxNational = 20 // characters
)

// nationalByLength are the rules by the length of their shapes.
var nationalByLength = func() (t [maxNational + 1][]*nationalRule) {
	for i := range nationalRules {
		r := &nationalRules[i]
		t[len(r.shape)] = append(t[len(r.shape)], r)
	}
	return t
}()

// nationalID finds the identity, tax, social-security or health number that
// begins with the word [start, end). Its check digits have to be right; a word
// for it has to stand nearby unless the shape is as telling as an Italian tax
// code. Groups may be set apart by a space, dash, dot or slash.
func (f *finder) nationalID(start, end int) {
	if start < f.nationalEnd || f.glued(start-1) || bytesIn(f.at(start-1), "/-.+#$@") && isAlnum(f.at(start-2)) {
		return
	}
	var chars [maxNational + 1]byte
	n, seps, i := 0, 0, start
	var up, lo bool
	for i < len(f.t) && n <= maxNational {
		b := f.t[i]
		switch {
		case isAlnum(b):
			up, lo = up || b-'A' < 26, lo || b-'a' < 26
			if up && lo {
				return // a name in code
			}
			chars[n] = upperOf(b)
			n++
			i++
			if n >= minNational && !f.glued(i) && n <= maxNational && f.nationalAt(chars[:n], start, i, seps) {
				f.nationalEnd = i
				return
			}
			continue
		case n == 0 || seps > 6 || !bytesIn(b, " -./+"), !isAlnum(f.at(i + 1)):
			return
		}
		seps++
		i++
	}
}

// nationalAt tries the rules of one length on the characters of [start, end).
func (f *finder) nationalAt(c []byte, start, end, seps int) bool {
	if b := f.at(end); bytesIn(b, "-./@") && isAlnum(f.at(end+1)) {
		return false
	}
	general := hint(0)
	looked := false
	for _, r := range nationalByLength[len(c)] {
		if !hasShape(c, r.shape) || !r.right(c) {
			continue
		}
		if len(r.words) == 0 {
			if seps > 0 {
				continue
			}
			f.add(start, end, NationalID)
			return true
		}
		if !looked {
			general, looked = f.near(start, end), true
		}
		if general&ctxIdentity != 0 && seps < 5 || f.says(start, end, r.words) {
			f.add(start, end, NationalID)
			return true
		}
	}
	return false
}

// nationalChars lends room for a check's argument, which escapes because the
// check is called by a pointer.
var nationalChars = sync.Pool{New: func() any { return new([maxNational]byte) }}

// right says whether the check digits are.
func (r *nationalRule) right(c []byte) bool {
	room := nationalChars.Get().(*[maxNational]byte)
	defer nationalChars.Put(room)
	return r.check(room[:copy(room[:], c)])
}

func hasShape(c []byte, shape string) bool {
	varied := false
	for i, b := range c {
		switch shape[i] {
		case 'd':
			if !isDigit(b) {
				return false
			}
		case 'A':
			if !isAlpha(b) {
				return false
			}
		}
		varied = varied || b != c[0]
	}
	return varied
}
