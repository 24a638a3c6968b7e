package codec

import "unicode/utf8"

// Value is one value of a JSON document (RFC 8259), where it stands.
type Value struct{ v value }

// Kind is what a value is.
type Kind = kind

// The kinds of values.
const (
	Null    Kind = null
	Boolean Kind = boolean
	Number  Kind = number
	String  Kind = text
	Array   Kind = array
	Object  Kind = object
)

// Kind says what the value is.
func (v Value) Kind() Kind { return v.v.kind }

// Raw is the value as it stands in the document; of a string, what stands between its quotes.
func (v Value) Raw() []byte { return v.v.raw }

// Plain says that Raw is the string's text: without escapes, and UTF-8.
func (v Value) Plain() bool { return !v.v.escaped && utf8.Valid(v.v.raw) }

// Is says whether the text of a string is s.
func (v Value) Is(s string) bool {
	if v.Plain() {
		return string(v.v.raw) == s
	}
	return string(v.AppendText(nil)) == s
}

// AppendText appends the text of a string. A surrogate without its other half and a byte that is no UTF-8 become U+FFFD.
func (v Value) AppendText(dst []byte) []byte {
	from := len(dst)
	if dst = appendUnescaped(dst, v.v.raw); utf8.Valid(dst[from:]) {
		return dst
	}
	runes := []rune(string(dst[from:])) // each byte that is no UTF-8 is U+FFFD
	return append(dst[:from], string(runes)...)
}

// Walk goes over the members of an object or the elements of an array, strictly and without allocating. The zero value
// has none; [WalkOver] begins.
type Walk struct {
	s       scanner
	begun   bool
	end     byte
	done    bool
	from    int // where the member begins
	name    Value
	value   Value
	refused error
}

// WalkOver begins at the first member or element of doc, which must hold one object or array and nothing else.
func WalkOver(doc []byte) Walk {
	w := Walk{s: scanner{data: doc}}
	switch w.s.peek() {
	case '{':
		w.end = '}'
	case '[':
		w.end = ']'
	default:
		w.refused = w.s.fail("an object or an array")
		return w
	}
	w.s.pos++
	return w
}

// Next goes to the next member or element. It returns false after the last, and where the document is not as RFC 8259
// says: see Err.
func (w *Walk) Next() bool {
	if w.done || w.refused != nil {
		return false
	}
	if more, err := w.more(); !more || err != nil {
		w.refused = err
		return false
	}
	w.refused = w.step()
	return w.refused == nil
}

// more passes what stands between two members.
func (w *Walk) more() (bool, error) {
	if w.begun {
		var err error
		if w.done, err = w.s.next(w.end); err != nil {
			return false, err
		}
	} else if w.begun = true; w.s.peek() == w.end {
		w.s.pos++
		w.done = true
	}
	if !w.done {
		return true, nil
	}
	if w.s.space(); w.s.pos < len(w.s.data) {
		return false, w.s.fail("the end of the document")
	}
	return false, nil
}

func (w *Walk) step() (err error) {
	w.s.space()
	w.from = w.s.pos
	if w.end == '}' {
		if w.s.peek() != '"' {
			return w.s.fail("a name in double quotes")
		}
		if w.name.v, err = w.s.string(); err != nil {
			return err
		}
		if err := w.s.expect(':', "a colon"); err != nil {
			return err
		}
	}
	w.value.v, err = w.s.value(1)
	return err
}

// Object says that the members of an object are walked over, and not the elements of an array.
func (w *Walk) Object() bool { return w.end == '}' }

// Name is the present member's name, a string; an element has none.
func (w *Walk) Name() Value { return w.name }

// Value is the present member's or element's.
func (w *Walk) Value() Value { return w.value }

// Member is the present member or element as it stands in the document, name and all.
func (w *Walk) Member() []byte { return w.s.data[w.from:w.s.pos] }

// Err says what is wrong with the document. Members that were seen before it may be right all the same.
func (w *Walk) Err() error { return w.refused }
