package redact

import (
	"bytes"
	"math"
)

// isVariableOfEnv says whether the value [start, end) is a word without digits
// that is assigned as a shell does, to a name in capitals, and is no word that
// all use there.
func (f *finder) isVariableOfEnv(start, end int) bool {
	if f.at(start-1) != '=' || !(f.at(start-2)-'A' < 26) || end-start < 12 {
		return false
	}
	for _, b := range f.t[start:end] {
		if b-'a' >= 26 && b != '-' && b != '_' {
			return false
		}
	}
	v := f.t[start:end]
	return entropy(v) >= 3 && !placeholder(v) && !saysPlaceholder(v)
}

// isCredential says whether a value stands for credentials after a scheme:
// "user:password" in base64 after Basic (RFC 7617), else what is long enough
// and no word.
func isCredential(v []byte, scheme string) bool {
	if isVariable(v) || placeholder(v) || saysPlaceholder(v) {
		return false
	}
	if scheme == "basic" {
		var text [256]byte
		n, ok := decodeBase64(text[:], v)
		return ok && n > 2 && bytes.IndexByte(text[:n], ':') >= 0
	}
	n := countKinds(v)
	return len(v) >= 8 && n.others-n.symbols <= len(v)/2 && (n.digits > 0 && n.letters > 0 && len(v) >= 12 || len(v) >= 16 && n.upper > 1 && n.letters-n.upper > 1)
}

// kinds are how many characters of a value are of each kind.
type kinds struct{ letters, upper, digits, others, symbols int }

func countKinds(v []byte) (k kinds) {
	for _, b := range v {
		switch {
		case isDigit(b):
			k.digits++
		case isAlpha(b):
			k.letters++
			if b-'A' < 26 {
				k.upper++
			}
		default:
			k.others++
			if bytesIn(b, "!@#$%^&+=?~*") {
				k.symbols++
			}
		}
	}
	return k
}

// isSecretValue says whether a value could be a secret; what is quoted may have
// more signs in it.
func isSecretValue(v []byte, weak, quoted bool) bool {
	if isVariable(v) || placeholder(v) || saysPlaceholder(v) || bytesIn(v[0], "+,.)") || looksLikeURL(v) {
		return false
	}
	for i, b := range v {
		switch {
		case b >= 0x80, b == '(' && i > 0 && !quoted, b == '(' && v[len(v)-1] == ')', b == '[' && !quoted:
			return false // a call, an index, prose
		case !weak && !quoted && bytesIn(b, "()[]{}<>\\"):
			return false
		}
	}
	k := countKinds(v)
	if weak {
		return k.letters > 0 && k.digits > 0 || k.symbols > 0 && (k.digits > 0 || k.upper > 0 && k.upper < k.letters && v[0] != '&') || k.digits >= 8 ||
			quoted && k.letters >= 16 && k.others == 0 && k.upper == 0 && entropy(v) >= 3
	}
	lower := k.letters - k.upper
	return k.digits > 1 && k.letters > 3 || k.digits > 0 && k.upper > 2 && lower > 2 && len(v) >= 20 ||
		len(v) >= 16 && k.upper*3 >= k.letters && lower*3 >= k.letters && entropy(v) >= 3.5
}

// saysPlaceholder says whether a value says of itself that it is none.
func saysPlaceholder(v []byte) bool {
	for _, word := range [...]string{"hmac-sha", "changeme", "change-me", "change_me", "dummy", "process.env", "getenv", "secrets.", "insert_", "insert-", "replace_", "replace-", "your_", "your-", "_here", "-here", "undefined"} {
		if containsFold(v, word) {
			return true
		}
	}
	return len(v) > 3 && equalFold(v[:4], "your")
}

// entropy is Shannon's, in bits a character.
func entropy(v []byte) float64 {
	var count [256]int
	for _, b := range v {
		count[b]++
	}
	h, n := 0.0, float64(len(v))
	for _, b := range v {
		h -= math.Log2(float64(count[b])/n) / n
	}
	return h
}

func looksLikeURL(v []byte) bool {
	for i := 0; i+2 < len(v); i++ {
		if v[i] == ':' && v[i+1] == '/' && v[i+2] == '/' {
			return true
		}
	}
	return v[0] == '/' || v[0] == '~' || v[0] == '.'
}
