package generator

import (
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"math/big"
	"strconv"
	"strings"
)

// private adds a message that holds something to redact: right in form and check digits, and nobody's.
func (w *writer) private(dst []byte) []byte {
	kinds := []func() string{
		w.email, w.phone, w.card, w.iban, w.ipv4, w.ipv6, w.mac, w.ssn, w.nationalID, w.crypto, w.urlCredentials, w.secret, w.jwt, w.privateKey,
	}
	before := []string{"it is ", "here you go: ", "use ", "mine is ", "", "they wrote ", "can you check "}
	after := []string{"", " please", " ok?", " - do not share it", "."}
	dst = append(dst, pick(w.rng, before)...)
	dst = append(dst, kinds[w.rng.IntN(len(kinds))]()...)
	return append(dst, pick(w.rng, after)...)
}

func (w *writer) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + w.rng.IntN(10))
	}
	return string(b)
}

func (w *writer) letters(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[w.rng.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	hexDigits = "0123456789abcdef"
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func (w *writer) email() string {
	return pick(w.rng, adjectives) + "." + pick(w.rng, nouns) + w.digits(2) + pick(w.rng, []string{"@example.com", "@example.org", "@mail.example.net"})
}

// phone is from the ranges kept for fiction: 555-0100 to 0199 in North America, 020 7946 0xxx in London.
func (w *writer) phone() string {
	if w.rng.IntN(3) == 0 {
		return "call me on +44 20 7946 0" + w.digits(3)
	}
	return "call me on " + pick(w.rng, []string{"+1 212-555-01", "(415) 555-01", "+1-617-555-01"}) + w.digits(2)
}

func (w *writer) card() string {
	body := pick(w.rng, []string{"400000", "424242", "510510", "555555"}) + w.digits(9)
	body += strconv.Itoa(luhn(body))
	if w.rng.IntN(2) == 0 {
		return "card " + body[:4] + " " + body[4:8] + " " + body[8:12] + " " + body[12:]
	}
	return "card " + body
}

// luhn is the check digit of ISO/IEC 7812-1 for a number without it.
func luhn(body string) int {
	sum := 0
	for i := range len(body) {
		d := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return (10 - sum%10) % 10
}

// iban has the check digits of ISO 13616 (mod 97).
func (w *writer) iban() string {
	country, body := "DE", w.digits(18)
	if w.rng.IntN(2) == 0 {
		country, body = "GB", "NWBK"+w.digits(14)
	}
	var number strings.Builder
	for _, c := range body + country + "00" {
		if c >= 'A' {
			number.WriteString(strconv.Itoa(int(c-'A') + 10))
		} else {
			number.WriteRune(c)
		}
	}
	n, _ := new(big.Int).SetString(number.String(), 10)
	check := 98 - new(big.Int).Mod(n, big.NewInt(97)).Int64()
	return fmt.Sprintf("%s%02d%s", country, check, body)
}

func (w *writer) ipv4() string {
	return fmt.Sprintf("%s.%d", pick(w.rng, []string{"192.0.2", "198.51.100", "203.0.113"}), 1+w.rng.IntN(254))
}

func (w *writer) ipv6() string {
	return fmt.Sprintf("2001:db8:%x:%x::%x", w.rng.IntN(1<<16), w.rng.IntN(1<<16), 1+w.rng.IntN(1<<16-1))
}

func (w *writer) mac() string {
	return fmt.Sprintf("00:00:5e:00:53:%02x", w.rng.IntN(256))
}

func (w *writer) ssn() string {
	return fmt.Sprintf("my SSN is %03d-%02d-%04d", 1+w.rng.IntN(665), 1+w.rng.IntN(99), 1+w.rng.IntN(9999))
}

// nationalID is a Spanish DNI: its letter is the number modulo 23.
func (w *writer) nationalID() string {
	n := 10_000_000 + w.rng.IntN(89_999_999)
	return fmt.Sprintf("DNI %08d%c", n, "TRWAGMYFPDXBNJZSQVHLCKE"[n%23])
}

// crypto is the address of Bitcoin's first block, which can spend nothing, or a random one of Ethereum's form.
func (w *writer) crypto() string {
	if w.rng.IntN(2) == 0 {
		return "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
	}
	return "0x" + w.letters(40, hexDigits)
}

func (w *writer) urlCredentials() string {
	return "https://" + pick(w.rng, nouns) + ":" + w.letters(10, base62) + "@db.example.com/prod"
}

func (w *writer) secret() string {
	switch w.rng.IntN(3) {
	case 0:
		body := w.letters(30, base62)
		return "ghp" + "_" + body + checksum62(body)
	case 1:
		return "AKIA" + w.letters(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
	default:
		return "xoxb-" + w.digits(12) + "-" + w.digits(12) + "-" + w.letters(24, base62)
	}
}

// checksum62 is how a token of GitHub ends: the CRC-32 of the rest in six digits of base 62.
func checksum62(body string) string {
	sum, digits := crc32.ChecksumIEEE([]byte(body)), [6]byte{}
	for i := range digits {
		digits[5-i] = base62[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

func (w *writer) jwt() string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(`{"sub":"`+w.digits(10)+`","iat":1516239022}`) + "." + w.letters(43, base62)
}

func (w *writer) privateKey() string {
	return "-----BEGIN " + "PRIVATE KEY-----\n" + w.letters(64, base62) + "\n" + w.letters(64, base62) + "\n-----END " + "PRIVATE KEY-----"
}
