package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"net/netip"
	"unicode/utf8"
)

// What stands in place of a value is "[REDACTED:type]", "[type:****last]" or
// "[type:key:pseudonym]", and markLen reads each: that is why a second pass
// finds nothing there. The forms leave no room to hide anything in one: four
// characters, or a key's id of at most eight and a pseudonym.
const (
	maxName   = 15 // bytes of a type's name
	maxKeyID  = 8
	maskSigns = 4 // always as many, so that they do not tell the length
	maskShown = 4
	minShown  = 8  // characters from which on a mask shows any
	pseudonym = 26 // characters of base32: 128 bits

	// maxMark is the longest mark: brackets, name, colons, id and pseudonym.
	maxMark = 1 + maxName + 1 + maxKeyID + 1 + pseudonym + 1
)

var pseudonymCode = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// replace appends what stands in place of a value.
func (e *Engine) replace(dst, value []byte, t Type) []byte {
	switch e.actions[t] {
	case Redact:
		return append(dst, e.marks[t]...)
	case Keep:
		return append(dst, value...)
	case Mask:
		dst = append(append(append(dst, '['), e.names[t]...), ":****"...)
		return append(appendLast(dst, value), ']')
	case Hash:
		dst = append(append(append(dst, '['), e.names[t]...), ':')
		dst = append(append(dst, e.key.ID...), ':')
		return append(e.appendPseudonym(dst, value, t), ']')
	default:
		return append(dst, e.marks[t]...)
	}
}

// appendLast appends the last four characters of a value's plain form, a star
// for each that is no letter, digit, dot, dash or underscore of ASCII.
func appendLast(dst, value []byte) []byte {
	s := scratches.Get().(*scratch)
	defer s.release()
	s.fold(value, nil)
	if utf8.RuneCount(s.text) < minShown {
		return dst
	}
	at := len(s.text)
	for range maskShown {
		_, n := utf8.DecodeLastRune(s.text[:at])
		at -= n
	}
	for _, r := range string(s.text[at:]) {
		if r < utf8.RuneSelf && isShown(byte(r)) {
			dst = append(dst, byte(r))
		} else {
			dst = append(dst, '*')
		}
	}
	return dst
}

func isShown(b byte) bool { return classes[b]&cWord != 0 || b == '.' || b == '-' }

// appendPseudonym appends HMAC-SHA-256 (RFC 2104) of the type's name, a zero
// byte and the canonical value, its first 128 bits in base32 (RFC 4648, 6) in
// lower case. Equal values of a type have equal pseudonyms under a key.
func (e *Engine) appendPseudonym(dst, value []byte, t Type) []byte {
	mac := hmac.New(sha256.New, e.key.Secret)
	mac.Write([]byte(e.names[t]))
	mac.Write([]byte{0})
	mac.Write(canonical(value, t))
	var sum [sha256.Size]byte
	return pseudonymCode.AppendEncode(dst, mac.Sum(sum[:0])[:16])
}

// canonical is the form in which the ways to write one value are equal: plain
// characters; of numbers the letters and digits alone, in lower case; addresses
// as RFC 5952 writes them. Secrets keep their case.
func canonical(value []byte, t Type) []byte {
	s := scratches.Get().(*scratch)
	defer s.release()
	s.fold(value, nil)
	out := append([]byte(nil), s.text...)
	switch t {
	case Email:
		return asciiLower(out)
	case IP:
		if a, err := netip.ParseAddr(string(out)); err == nil {
			return a.Unmap().AppendTo(out[:0])
		}
	case Phone, CreditCard, NationalID, SSN, IBAN, MAC:
		n := 0
		for _, b := range asciiLower(out) {
			if isAlnum(b) {
				out[n] = b
				n++
			}
		}
		return out[:n]
	}
	return out
}

// markLen is the length of what an earlier pass left at the start of t, else 0.
func markLen(t []byte) int {
	if len(t) < 4 || t[0] != '[' {
		return 0
	}
	if t[1] == 'R' {
		if len(t) < len(markOpen) || string(t[:len(markOpen)]) != markOpen {
			return 0
		}
		if n := nameLen(t[len(markOpen):]); n > 0 && at(t, len(markOpen)+n) == ']' {
			return len(markOpen) + n + 1
		}
		return 0
	}
	n := nameLen(t[1:])
	if n == 0 || at(t, 1+n) != ':' {
		return 0
	}
	from := n + 2
	if at(t, from) == '*' {
		return maskLen(t, from)
	}
	return hashLen(t, from)
}

// nameLen is the length of a type's name at the start of t, 0 for none.
func nameLen(t []byte) int {
	n := 0
	for n < len(t) && n <= maxName && (t[n]-'a' < 26 || t[n] == '_') {
		n++
	}
	if n > maxName {
		return 0
	}
	return n
}

// maskLen reads the stars of a mask from i, what it shows, and its bracket.
func maskLen(t []byte, i int) int {
	for range maskSigns {
		if at(t, i) != '*' {
			return 0
		}
		i++
	}
	for range maskShown + 1 {
		switch b := at(t, i); {
		case b == ']':
			return i + 1
		case b != '*' && !isShown(b):
			return 0
		}
		i++
	}
	return 0
}

// hashLen reads a key's id from i, its pseudonym, and the bracket.
func hashLen(t []byte, i int) int {
	start := i
	for i-start <= maxKeyID && (at(t, i)-'a' < 26 || isDigit(at(t, i))) {
		i++
	}
	if at(t, i) != ':' || !isKeyID(string(t[start:i])) {
		return 0
	}
	i++
	for range pseudonym {
		if b := at(t, i); b-'a' >= 26 && b-'2' >= 6 {
			return 0
		}
		i++
	}
	if at(t, i) != ']' {
		return 0
	}
	return i + 1
}

func isKeyID(id string) bool {
	for i := range len(id) {
		if b := id[i]; b-'a' >= 26 && (i == 0 || !isDigit(b)) {
			return false
		}
	}
	return id != "" && len(id) <= maxKeyID
}

// at is the byte of t at i, or 0 beyond its end.
func at(t []byte, i int) byte {
	if i >= len(t) {
		return 0
	}
	return t[i]
}
