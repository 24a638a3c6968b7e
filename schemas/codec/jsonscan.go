package codec

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/coldstream/coldstream/schemas"
)

// maxDepth bounds the nesting of a document; readers downstream stop at about a thousand.
const maxDepth = 512

type kind uint8

const (
	absent kind = iota
	null
	boolean
	number
	text
	array
	object
)

var kindNames = [...]string{"nothing", "null", "a boolean", "a number", "a string", "an array", "an object"}

// value is one JSON value: its bytes in the document, and whether a string has escapes.
type value struct {
	kind    kind
	escaped bool
	raw     []byte
}

// scanner reads RFC 8259 strictly, without allocating. Whether strings are UTF-8 is the caller's to check.
type scanner struct {
	data []byte
	pos  int
	wide uint64 // has one of the bits in tops if a string has a byte beyond ASCII, or perhaps if one does not
}

func (s *scanner) fail(want string) error {
	if s.pos >= len(s.data) {
		return schemas.Refusef("json", "the document ends at byte %d, where %s should be: was it cut?", s.pos, want)
	}
	return schemas.Refusef("json", "byte %d is %q, where %s should be", s.pos, s.data[s.pos], want)
}

func (s *scanner) space() {
	for s.pos < len(s.data) && s.data[s.pos] <= ' ' {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) peek() byte {
	s.space()
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) expect(c byte, what string) error {
	if s.peek() != c || s.pos >= len(s.data) {
		return s.fail(what)
	}
	s.pos++
	return nil
}

// object passes over the object at the position.
func (s *scanner) object(depth int) error {
	s.pos++ // the brace that the caller has seen
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		if s.peek() != '"' {
			return s.fail("a field's name in double quotes")
		}
		if _, err := s.string(); err != nil {
			return err
		}
		if err := s.expect(':', "a colon"); err != nil {
			return err
		}
		if _, err := s.value(depth + 1); err != nil {
			return err
		}
		if done, err := s.next('}'); done || err != nil {
			return err
		}
	}
}

// array calls element for each element of the array at the position.
func (s *scanner) array(depth int, element func(value) error) error {
	s.pos++ // the bracket that the caller has seen
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		v, err := s.value(depth + 1)
		if err != nil {
			return err
		}
		if element != nil {
			if err := element(v); err != nil {
				return err
			}
		}
		if done, err := s.next(']'); done || err != nil {
			return err
		}
	}
}

func (s *scanner) next(end byte) (done bool, err error) {
	switch s.peek() {
	case ',':
		s.pos++
		return false, nil
	case end:
		s.pos++
		return true, nil
	default:
		return false, s.fail("a comma or the end of the list")
	}
}

func (s *scanner) value(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, schemas.Refusef("json", "nested deeper than %d levels", maxDepth)
	}
	c := s.peek()
	start := s.pos
	var k kind
	var err error
	switch {
	case c == '"':
		return s.string()
	case c == '{':
		k, err = object, s.object(depth)
	case c == '[':
		k, err = array, s.array(depth, nil)
	case c == '-' || c >= '0' && c <= '9':
		k, err = number, s.number()
	case c == 't':
		k, err = boolean, s.word("true")
	case c == 'f':
		k, err = boolean, s.word("false")
	case c == 'n':
		k, err = null, s.word("null")
	default:
		err = s.fail("a value")
	}
	return value{kind: k, raw: s.data[start:s.pos]}, err
}

func (s *scanner) word(w string) error {
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return s.fail(w)
	}
	s.pos += len(w)
	return nil
}

// string reads the string at the position; raw is what stands between the quotes.
func (s *scanner) string() (value, error) {
	s.pos++
	start, escaped := s.pos, false
	for {
		n, wide := plain(s.data[s.pos:])
		s.pos += n
		s.wide |= wide
		if s.pos == len(s.data) {
			return value{}, s.fail("the string's closing quote")
		}
		switch c := s.data[s.pos]; {
		case c == '"':
			v := value{kind: text, escaped: escaped, raw: s.data[start:s.pos]}
			s.pos++
			return v, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return value{}, err
			}
		case c >= 0x20: // plain stopped at its bound
		default:
			return value{}, schemas.Refusef("json", "control character %#02x at byte %d in a string: write it as \\u%04x", c, s.pos, c)
		}
	}
}

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// plain is how many bytes p begins with that stand for themselves in a string: no quote, backslash or control character.
// It may stop earlier, after some hundreds. wide has a bit of tops if one is beyond ASCII.
//
// It looks at eight at a time. The top bit of a byte of m marks one that ends the run; a borrow can only add false marks
// above a true one (https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord), so the lowest mark is true.
func plain(p []byte) (n int, wide uint64) {
	i := 0
	for ; len(p)-i >= 8; i += 8 {
		if i == wordsFirst*8 {
			n, more := plainLong(p[i:min(len(p), i+longRun)])
			return i + n, wide | more
		}
		w := binary.LittleEndian.Uint64(p[i:])
		wide |= w
		quote, backslash := w^ones*'"', w^ones*'\\'
		m := ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-ones*0x20)&^w) & tops
		if m != 0 {
			return i + bits.TrailingZeros64(m)/8, wide
		}
	}
	for i < len(p) && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' {
		wide |= uint64(p[i])
		i++
	}
	return i, wide
}

const (
	wordsFirst = 4   // words after which a string counts as long
	longRun    = 512 // bytes of a long one looked at in one go: an escape far away must not make every search go there
)

// plainLong is plain for longer runs: the ends are looked for with the machine's vectors, and what remains to be seen is
// whether a control character stands before.
func plainLong(p []byte) (n int, wide uint64) {
	if q := bytes.IndexByte(p, '"'); q >= 0 {
		p = p[:q]
	}
	if q := bytes.IndexByte(p, '\\'); q >= 0 {
		p = p[:q]
	}
	i := 0
	for ; len(p)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(p[i:])
		wide |= w
		if m := (w - ones*0x20) &^ w & tops; m != 0 {
			return i + bits.TrailingZeros64(m)/8, wide
		}
	}
	for i < len(p) && p[i] >= 0x20 {
		wide |= uint64(p[i])
		i++
	}
	return i, wide
}

func (s *scanner) escape() error {
	s.pos++
	if s.pos >= len(s.data) {
		return s.fail("an escape")
	}
	switch s.data[s.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return nil
	case 'u':
		s.pos++
		for range 4 {
			if s.pos >= len(s.data) || unhex(s.data[s.pos]) < 0 {
				return s.fail("four hexadecimal digits")
			}
			s.pos++
		}
		return nil
	default:
		return s.fail("an escape")
	}
}

func (s *scanner) number() error {
	if s.data[s.pos] == '-' {
		s.pos++
	}
	if s.pos < len(s.data) && s.data[s.pos] == '0' {
		s.pos++
	} else if !s.digits() {
		return s.fail("a digit")
	}
	if s.pos < len(s.data) && s.data[s.pos] == '.' {
		s.pos++
		if !s.digits() {
			return s.fail("a digit")
		}
	}
	if s.pos < len(s.data) && s.data[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.data) && (s.data[s.pos] == '+' || s.data[s.pos] == '-') {
			s.pos++
		}
		if !s.digits() {
			return s.fail("a digit")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

func unhex(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	default:
		return -1
	}
}

func hex4(s []byte) rune { return unhex(s[0])<<12 | unhex(s[1])<<8 | unhex(s[2])<<4 | unhex(s[3]) }

// appendUnescaped appends the value of a string that the scanner has passed. A surrogate without its other half
// becomes U+FFFD: no UTF-8 text can hold it.
func appendUnescaped(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			i++
			continue
		}
		switch c := raw[i+1]; c {
		case 'u':
			r := hex4(raw[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				low := rune(0)
				if len(raw)-i >= 6 && raw[i] == '\\' && raw[i+1] == 'u' {
					low = hex4(raw[i+2:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
			continue
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		default:
			dst = append(dst, c)
		}
		i += 2
	}
	return dst
}
