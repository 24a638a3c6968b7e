package redact

import (
	"bytes"
	"fmt"
	"strings"
)

// rules say by type how a value is told, and after what specification.
var rules = [typeCount]string{
	Phone:          "a national or international number of libphonenumber's metadata, where form or context says phone",
	IP:             "an IPv4 (RFC 791, inet_aton) or IPv6 address (RFC 4291, 5952), no version, section or time",
	MAC:            "a hardware address (IEEE 802) with colons, dashes or dots, neither zero nor broadcast",
	CreditCard:     "12 to 19 digits in an issuer's range with a right Luhn digit (ISO/IEC 7812-1)",
	NationalID:     "a number with right check digits beside a word of its country",
	SSN:            "an issued US social security number, or nine digits beside a word that says so",
	IBAN:           "a country's length and right check digits, mod 97-10 (ISO 13616, ISO 7064)",
	Email:          "an address (RFC 5321, 6531) at a known top-level domain",
	CryptoAddress:  "an address with a right checksum (Base58Check, BIP 173, BIP 350, EIP-55 and others)",
	Secret:         "what is assigned to or said after a word for a secret, an Authorization header (RFC 9110), or a token told by its structure",
	URLCredentials: "user and password of a URL (RFC 3986, 3.2.1)",
	JWT:            "a token whose header decodes (RFC 7519)",
	PrivateKey:     "a private key's block (RFC 7468, OpenSSH, PuTTY, OpenPGP)",
}

// Rule says which rule of its detector found a span of text.
func (e *Engine) Rule(text []byte, s Span) string {
	s2 := scratches.Get().(*scratch)
	defer s2.release()
	value := text[s.Start:s.End]
	s2.fold(value, nil)
	rule := e.detectorRule(s2.text, s.Type)
	if !bytes.Equal(s2.text, value) {
		rule += fmt.Sprintf("; seen through its disguise as %q", s2.text)
	}
	return rule
}

func (e *Engine) detectorRule(plain []byte, t Type) string {
	if t >= typeCount {
		return e.ownRules[t-typeCount]
	}
	if t == Secret {
		if v := vendorOf(plain); v != nil {
			return fmt.Sprintf("a token of %s: %s and %d to %d characters", v.vendor, v.prefix, v.min, v.max)
		}
	}
	return rules[t]
}

// vendorOf is the vendor's rule that a token keeps, nil for none.
func vendorOf(token []byte) *vendorRule {
	for i := range vendorRules {
		r := &vendorRules[i]
		body, ok := bytes.CutPrefix(token, []byte(r.prefix))
		if ok && len(body) >= r.min && len(body) <= r.max && !bytes.ContainsFunc(body, func(c rune) bool { return c >= 0x80 || !charsets[r.body][c] }) {
			return r
		}
	}
	return nil
}

// rule says how a user's own detector tells a value.
func (d Detector) rule() string {
	if d.Pattern != "" {
		return fmt.Sprintf("the pattern %s, in a text with %q", d.Pattern, d.Requires)
	}
	shown := d.Literals[:min(len(d.Literals), 3)]
	more := ""
	if n := len(d.Literals) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("one of the literals %q%s", strings.Join(shown, ", "), more)
}
