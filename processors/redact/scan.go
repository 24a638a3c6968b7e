package redact

import "bytes"

// class says what a byte may begin or belong to.
type class uint16

const (
	cDigit class = 1 << iota
	cAlpha
	cUnder  // _
	cAt     // @
	cColon  // :
	cEquals // = and what else assigns
	cOpen   // ( [ { <, before "at" and "dot"; [ also before a mark; % and & of an escape
	cHigh   // not ASCII
	cPlus   // + and ( may begin a phone number
	cDash   // -
	cJoin   // . and $, which join the parts of some tokens
	cStar   // * ~ and |, which emphasize in pairs
	cClose  // >, after which an element's text begins

	cWord = cDigit | cAlpha | cUnder

	hasTrigger = cDigit | cAt | cColon | cEquals | cDash | cUnder | cClose
	hasFold    = cHigh | cOpen
	hasMark    = cOpen
)

var classes = func() (t [256]class) {
	for b := range t {
		switch c := byte(b); {
		case c >= '0' && c <= '9':
			t[b] = cDigit
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			t[b] = cAlpha
		case c >= 0x80:
			t[b] = cHigh
		}
	}
	t['_'] |= cUnder
	t['@'] |= cAt
	t[':'] |= cColon
	t['='] |= cEquals
	t['('] |= cOpen
	t['['] |= cOpen
	t['{'] |= cOpen
	t['<'] |= cOpen
	t['%'] |= cOpen
	t['&'] |= cOpen
	t['*'] |= cStar
	t['~'] |= cStar
	t['|'] |= cStar
	t['>'] |= cClose
	t['+'] |= cPlus
	t['-'] |= cDash
	t['.'] |= cJoin
	t['$'] |= cJoin
	return t
}()

// survey is every class that occurs in the text.
func survey(text []byte) class {
	var c class
	for _, b := range text {
		c |= classes[b]
	}
	if c&cOpen != 0 && !needsOpen(text) {
		c &^= cOpen
	}
	if c&cStar != 0 && !emphasized(text) {
		c &^= cStar
	}
	if c&hasTrigger == 0 && (bytes.Contains(text, dotWord) || bytes.Contains(text, dotWordUpper)) {
		c |= cAt
	}
	return c
}

// finder is one look at one text, plain or folded. Detectors are its methods;
// they read t and add to out.
type finder struct {
	e    *Engine
	t    []byte
	out  []Span
	base int

	blockEnd    int // the end of the latest private key; nothing begins inside it
	cardEnd     int // where the latest run of digit groups ends, tried as a whole
	phoneEnd    int
	lookups     int    // of phone numbers, which are dear
	region      string // of the latest phone number
	spokenEnd   int    // after the beginning of the latest value tried as said
	nationalEnd int    // the end of the latest national number
	hexEnd      int    // where the latest run of hex digits and colons ends
}

// longWord is the length from which a run of word characters may be a token by
// itself.
const longWord = 14

// scan is the one pass. It cuts the text into runs of word characters and hands
// those that could begin something to the detectors; so do '@' and ':' and '='.
func (f *finder) scan() {
	t := f.t
	for i := 0; i < len(t); {
		c := classes[t[i]]
		if c&cWord == 0 {
			if c&(cAt|cColon|cEquals|cDash|cClose) != 0 {
				f.mark(i)
			}
			i++
			continue
		}
		start, seen := i, c
		for i++; i < len(t); i++ {
			if c = classes[t[i]]; c&cWord == 0 {
				break
			}
			seen |= c
		}
		if seen&cDigit != 0 || i-start >= longWord {
			f.word(start, i, seen)
		} else if c&(cDash|cJoin|cColon|cEquals) != 0 {
			f.joined(start, i)
		} else if i-start == 3 && t[start]|0x20 == 'd' && f.e.on[Email] && isDot(t[start:i]) {
			f.spelled(start)
		}
	}
}

// joined tries what begins with a short word without digits when a sign goes on
// from it.
func (f *finder) joined(start, end int) {
	if f.e.on[Secret] && (longPrefix[f.t[start]] || f.at(end) == '-' && end-start > 2 && dashedBody[f.t[start]]) {
		f.token(start, end)
	}
	if n := end - start; (n == 2 || n == 4) && f.e.on[MAC] && isHex(f.t[start]) && isHex(f.t[start+1]) {
		f.mac(start, end)
	}
}

// mark hands a character that is not of a word to the detectors it matters to.
func (f *finder) mark(i int) {
	switch f.t[i] {
	case '@':
		if f.e.on[Email] {
			f.email(i)
		}
		if f.e.on[URLCredentials] {
			f.dsn(i)
		}
	case ':':
		f.colon(i)
	case '=':
		if f.e.on[Secret] {
			f.assignment(i)
		}
	case '>':
		if f.e.on[Secret] {
			f.element(i)
		}
	case '-':
		if f.e.on[Secret] && f.at(i+1) == '-' && isAlpha(f.at(i+2)) && f.at(i-1) != '-' {
			f.flag(i)
		}
		if f.e.on[Secret] && bytesIn(f.at(i+1), "pua") && f.at(i-1) == ' ' {
			f.option(i)
		}
		if f.e.on[PrivateKey] && i >= f.blockEnd {
			f.privateKey(i)
		}
	}
}

// colon tries what has a colon inside.
func (f *finder) colon(i int) {
	if f.e.on[URLCredentials] && i+2 < len(f.t) && f.t[i+1] == '/' && f.t[i+2] == '/' {
		f.urlCredentials(i)
	}
	if f.e.on[IP] {
		f.ipv6(i)
	}
	if f.e.on[Secret] {
		f.assignment(i)
	}
}

// word tries what begins with the word characters [start, end), of the classes
// seen.
func (f *finder) word(start, end int, seen class) {
	if f.e.on[Secret] {
		f.token(start, end)
		f.spoken(start)
	}
	if f.e.on[JWT] {
		f.jwt(start, end)
	}
	if end-start >= minCrypto && f.e.on[CryptoAddress] {
		f.crypto(start, end)
	}
	if seen&cDigit == 0 {
		return
	}
	if f.e.on[IBAN] {
		f.iban(start, end)
	}
	if f.e.on[MAC] {
		f.mac(start, end)
	}
	f.numbers(start, end, seen)
}

// numbers tries what is made of digits.
func (f *finder) numbers(start, end int, seen class) {
	if f.e.on[NationalID] {
		f.nationalID(start)
	}
	if classes[f.t[start]]&cDigit == 0 {
		return
	}
	if f.e.on[IP] {
		f.ipv4(start, end)
	}
	if seen&^cDigit != 0 {
		return
	}
	if f.e.on[CreditCard] {
		f.card(start)
	}
	if f.e.on[SSN] {
		f.ssn(start, end)
	}
	if f.e.on[Phone] {
		f.phone(start)
	}
}

// add records what was found.
func (f *finder) add(start, end int, t Type) {
	if f.e.allow == nil || !f.e.allow.has(f.t[start:end], t) {
		f.out = append(f.out, Span{start, end, t})
	}
}

// at is the byte at i, or 0 outside the text.
func (f *finder) at(i int) byte {
	if i < 0 || i >= len(f.t) {
		return 0
	}
	return f.t[i]
}

// glued says whether the byte at i would continue a word or a number, so that
// what ends or begins beside it is only a part of something.
func (f *finder) glued(i int) bool {
	b := f.at(i)
	return classes[b]&cWord != 0 || b == barrier
}

func isDigit(b byte) bool { return b-'0' < 10 }

func isAlpha(b byte) bool { return b|0x20-'a' < 26 && b < 0x80 && b >= 'A' }

func isAlnum(b byte) bool { return classes[b]&(cDigit|cAlpha) != 0 }

func isHex(b byte) bool { return b-'0' < 10 || b|0x20-'a' < 6 && b >= 'A' }

func lower(b byte) byte {
	if b-'A' < 26 {
		return b | 0x20
	}
	return b
}
