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
	minNational = 7  // characters
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
func (f *finder) nationalID(start int) {
	if from := f.lettersBefore(start); from == start || !f.nationalFrom(from) {
		f.nationalFrom(start)
	}
}

// lettersBefore is where the groups of letters begin that a space sets apart
// from the digits at start, as in "AB 12 34 56 C".
func (f *finder) lettersBefore(start int) int {
	from := start
	for range 2 {
		i := from - 1
		if f.at(i) != ' ' {
			break
		}
		j := i
		for j > 0 && i-j < 4 && isAlpha(f.t[j-1]) && (f.t[j-1]^f.t[i-1])&0x20 == 0 {
			j--
		}
		if j == i || f.glued(j-1) || i-j > 2 && f.t[j]-'a' < 26 {
			break
		}
		from = j
	}
	return from
}

func (f *finder) nationalFrom(start int) bool {
	if start < f.nationalEnd || f.glued(start-1) || bytesIn(f.at(start-1), "/-.+#$@") && isAlnum(f.at(start-2)) {
		return false
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
				return f.nationalFound(start) // a name in code
			}
			chars[n] = upperOf(b)
			n++
			i++
			if n >= minNational && !f.glued(i) && n <= maxNational && f.nationalAt(chars[:n], start, i, seps) {
				f.nationalEnd = i // unless a longer one follows
			}
			continue
		case b == '(' && n == 7 && f.at(i+2) == ')' && isAlnum(f.at(i+1)) && isAlpha(chars[0]): // Hong Kong's
			chars[n] = upperOf(f.t[i+1])
			if f.nationalAt(chars[:n+1], start, i+3, seps) {
				f.nationalEnd = i + 3
			}
			return f.nationalFound(start)
		case n == 0 || seps > 6 || !bytesIn(b, " -./+"), !isAlnum(f.at(i + 1)):
			return f.nationalFound(start)
		}
		seps++
		i++
	}
	return f.nationalFound(start)
}

// nationalFound adds the longest number that begins at start, if there is one.
func (f *finder) nationalFound(start int) bool {
	if f.nationalEnd <= start {
		return false
	}
	f.add(start, f.nationalEnd, NationalID)
	return true
}

// nationalAt tries the rules of one length on the characters of [start, end).
func (f *finder) nationalAt(c []byte, start, end, seps int) bool {
	if b := f.at(end); bytesIn(b, "-./@") && isAlnum(f.at(end+1)) {
		return false
	}
	general := hint(0)
	looked := false
	if f.wordBefore(start)&ctxPhoneWord != 0 {
		return false
	}
	for _, r := range nationalByLength[len(c)] {
		if !hasShape(c, r.shape) || !r.right(c) {
			continue
		}
		if len(r.words) == 0 {
			if seps > 0 {
				continue
			}
			return true
		}
		if !looked {
			general, looked = f.near(start, end), true
		}
		if general&ctxIdentity != 0 && general&(ctxNumber|ctxIDWord) != 0 && seps < 5 || f.says(start, end, r.words) {
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
