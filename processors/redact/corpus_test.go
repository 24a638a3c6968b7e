package redact

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// corpus makes texts from the specifications: a value in a sentence, and what
// has to become of it.
type corpus struct {
	t *testing.T
	e *Engine
	r *rand.Rand
	n int
}

func newCorpus(t *testing.T) *corpus {
	return &corpus{t: t, e: newEngine(t), r: rand.New(rand.NewPCG(1, 2))}
}

var carriers = []string{"%s", "it is %s, ok?", "(%s)", "see %s.", "a \"%s\" b", "value:\n%s\nend", "<b>%s</b>"}

// found holds that value is found as a whole and as typ, whatever surrounds it;
// say is put before it.
func (c *corpus) found(typ Type, say, value string) {
	c.t.Helper()
	c.n++
	for _, carrier := range carriers {
		text := fmt.Sprintf(carrier, value)
		want := fmt.Sprintf(carrier, "[REDACTED:"+typ.String()+"]")
		if say != "" {
			text, want = say+" "+text, say+" "+want
		}
		if got := redacted(c.e, text); got != want {
			c.t.Errorf("%q became %q", text, got)
			return
		}
	}
}

// left holds that nothing of type typ is found.
func (c *corpus) left(typ Type, say, value, why string) {
	c.t.Helper()
	c.n++
	text := strings.TrimSpace(say + " " + value)
	for _, s := range c.e.Find(nil, []byte(text)) {
		if s.Type == typ {
			c.t.Errorf("%s: %q is found as %v in %q", why, text[s.Start:s.End], typ, text)
			return
		}
	}
}

func (c *corpus) digits(n int) []byte {
	d := make([]byte, n)
	for i := range d {
		d[i] = byte('0' + c.r.IntN(10))
	}
	return d
}

// group writes a number in groups.
func group(d []byte, sep string, sizes ...int) string {
	var parts []string
	for _, n := range sizes {
		if n = min(n, len(d)); n == 0 {
			break
		}
		parts = append(parts, string(d[:n]))
		d = d[n:]
	}
	if len(d) > 0 {
		parts = append(parts, string(d))
	}
	return strings.Join(parts, sep)
}

func withLuhn(d []byte) {
	for v := byte('0'); v <= '9'; v++ {
		if d[len(d)-1] = v; luhnID(d) {
			return
		}
	}
}

func TestCardCorpus(t *testing.T) {
	c := newCorpus(t)
	for _, r := range issuers {
		for n := 12; n <= 19; n++ {
			if r.lengths&(1<<n) == 0 {
				continue
			}
			for range 5 {
				d := c.digits(n)
				copy(d, fmt.Sprint(r.from+c.r.IntN(r.to-r.from+1)))
				withLuhn(d)
				c.found(CreditCard, "card", string(d))
				for _, sep := range []string{" ", "-"} {
					c.found(CreditCard, "card", group(d, sep, 4, 4, 4, 4))
				}
				if n == 15 {
					c.found(CreditCard, "", group(d, " ", 4, 6, 5))
				}
				bad := append([]byte(nil), d...)
				bad[n-1] = '0' + (bad[n-1]-'0'+1)%10
				c.left(CreditCard, "card", string(bad), "check digit")
				c.left(CreditCard, "card", "9"+string(d), "longer run")
				c.left(CreditCard, "see", "https://x.example/"+string(d)+"/y", "part of a path")
				c.left(CreditCard, "hi", "<@"+string(d)+">", "a mention")
				c.left(CreditCard, "card", "x"+string(d), "part of a word")
			}
		}
	}
	for range 200 {
		d := c.digits(16)
		d[0] = '1'
		withLuhn(d)
		if string(d[:4]) != "1946" {
			c.left(CreditCard, "card", string(d), "issuer range")
		}
	}
	t.Logf("%d cases", c.n)
}

func TestIBANCorpus(t *testing.T) {
	c := newCorpus(t)
	for country, pattern := range ibanPatterns {
		length := len(pattern) + 4
		for range 5 {
			b := append([]byte{country[0], country[1], '0', '0'}, c.digits(length-4)...)
			for i, kind := range []byte(pattern) {
				if kind == 'a' || kind == 'c' && c.r.IntN(3) == 0 {
					b[i+4] = byte('A' + c.r.IntN(26))
				}
			}
			for v := 2; v <= 98 && !mod97(b); v++ {
				copy(b[2:], fmt.Sprintf("%02d", v))
			}
			c.found(IBAN, "", string(b))
			c.found(IBAN, "iban", group(b, " ", 4, 4, 4, 4, 4, 4, 4, 4))
			c.found(IBAN, "", strings.ToLower(string(b)))
			bad := append([]byte(nil), b...)
			bad[2] = '0' + (bad[2]-'0'+1)%10
			c.left(IBAN, "iban", string(bad), "check digits")
			if at := strings.IndexByte(pattern, 'n'); at >= 0 {
				bad = append([]byte(nil), b...)
				bad[at+4] = 'Q'
				for v := 2; v <= 98 && !mod97(bad); v++ {
					copy(bad[2:], fmt.Sprintf("%02d", v))
				}
				c.left(IBAN, "iban", string(bad), "structure")
			}
			c.left(IBAN, "iban", string(b)+"1", "too long")
			c.left(IBAN, "iban", string(b[:length-1]), "too short")
			c.left(IBAN, "iban", "A"+string(b), "part of a word")
		}
	}
	t.Logf("%d cases", c.n)
}

func TestIPCorpus(t *testing.T) {
	c := newCorpus(t)
	for range 500 {
		a := netip.AddrFrom4([4]byte{byte(31 + c.r.IntN(90)), byte(c.r.IntN(256)), byte(c.r.IntN(256)), byte(c.r.IntN(256))}).String()
		c.found(IP, "", a)
		c.found(IP, "host", a)
		c.left(IP, "", a+".1", "five parts")
		c.left(IP, "", "1."+a, "five parts")
		c.left(IP, "", a+"-rc1", "a version")
		c.left(IP, "version", a, "a version")
		c.left(IP, "", strings.Replace(a, ".", ".9999.", 1), "a part too large")
	}
	for range 500 {
		var b [16]byte
		for i := range b {
			b[i] = byte(c.r.IntN(256))
			if c.r.IntN(3) == 0 {
				b[i&^1] = 0
			}
		}
		b[0], b[1] = 0x20, byte(c.r.IntN(0x40))
		a := netip.AddrFrom16(b)
		c.found(IP, "", a.String())
		c.found(IP, "", a.StringExpanded())
		c.found(IP, "", strings.ToUpper(a.String()))
		c.left(IP, "", a.StringExpanded()+":1", "nine groups")
		c.left(IP, "", "x"+a.StringExpanded(), "part of a word")
	}
	for _, a := range []string{"127.0.0.1", "127.1.2.3", "0.0.0.0", "255.255.255.255", "255.255.240.0", "::1", "::", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"} {
		c.left(IP, "ip", a, "left alone")
	}
	expect(t, [][2]string{
		{"fe80::1%eth0 and 192.0.2.7:8080, 198.51.100.0/24", "[REDACTED:ip] and [REDACTED:ip]:8080, [REDACTED:ip]/24"},
		{"[2001:db8::1]:443 ::ffff:192.0.2.1 64:ff9b::192.0.2.33", "[[REDACTED:ip]]:443 [REDACTED:ip] [REDACTED:ip]"},
		{"http://3232235777/ and 0xC0.0xA8.0x01.0x05", "http://[REDACTED:ip]/ and [REDACTED:ip]"},
		{"std::string dead::beef a::b 10:20:30 12:34:56:78", ""},
		{"section 4.3.2.1 and 1.2.3 and v1.2.3.4 and linux-2.6.32.11", ""},
	})
	t.Logf("%d cases", c.n)
}

func TestMACAndSSNCorpus(t *testing.T) {
	c := newCorpus(t)
	for range 200 {
		b := make([]byte, 6)
		for i := range b {
			b[i] = byte(c.r.IntN(256))
		}
		for _, f := range []string{"%02x:%02x:%02x:%02x:%02x:%02x", "%02X-%02X-%02X-%02X-%02X-%02X", "%02x%02x.%02x%02x.%02x%02x"} {
			m := fmt.Sprintf(f, b[0], b[1], b[2], b[3], b[4], b[5])
			c.found(MAC, "", m)
			c.left(MAC, "", m+m[2:3]+m[:2], "seven groups")
			c.left(MAC, "", m[:len(m)-1], "too short")
		}
		d := c.digits(9)
		if issuedSSN([9]byte(minus(d))) {
			c.found(SSN, "", group(d, "-", 3, 2, 4))
			c.found(SSN, "ssn", group(d, " ", 3, 2, 4))
			c.found(SSN, "my social security number is", string(d))
			c.left(SSN, "order", string(d), "no word for it")
			c.left(SSN, "ssn", group(d, "-", 3, 2, 4)+"-1", "longer")
		}
		for _, bad := range []string{"000" + string(d[3:]), "666" + string(d[3:]), "9" + string(d[1:]), string(d[:3]) + "00" + string(d[5:]), string(d[:5]) + "0000"} {
			c.left(SSN, "ssn", group([]byte(bad), "-", 3, 2, 4), "never issued")
		}
	}
	for _, m := range []string{"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "FFFF.FFFF.FFFF"} {
		c.left(MAC, "mac", m, "left alone")
	}
	t.Logf("%d cases", c.n)
}

func minus(d []byte) []byte {
	out := make([]byte, len(d))
	for i := range d {
		out[i] = d[i] - '0'
	}
	return out
}

// body draws n characters of a rule's set, digits and both cases among them.
func (c *corpus) body(set charset, n int) string {
	var all []byte
	for i := range 256 {
		if b := byte(i); charsets[set][b] && (isAlnum(b) || n > 60 && (b == '-' || b == '_')) {
			all = append(all, b)
		}
	}
	for {
		b := make([]byte, n)
		for i := range b {
			b[i] = all[c.r.IntN(len(all))]
		}
		if isAlnum(b[0]) && isAlnum(b[n-1]) && !placeholder(b) && (mixed(b) || set == csDigits) && hasDigit(b, 0) {
			return string(b)
		}
	}
}

func TestVendorCorpus(t *testing.T) {
	c := newCorpus(t)
	vendors := map[string]bool{}
	for _, r := range vendorRules {
		vendors[r.vendor] = true
		say := "new"
		if r.needs != 0 {
			say = "api key"
		}
		for _, n := range []int{r.min, r.max} {
			token := r.prefix + c.body(r.body, n)
			if r.check != nil && !r.check([]byte(token), len(r.prefix)) {
				continue // a checksum, which other tests hold
			}
			c.found(Secret, say, token)
			if r.needs == 0 && !strings.ContainsAny(r.prefix, ".=:") { // what follows these can be a secret by itself
				c.left(Secret, say, "x"+token, "part of a word")
			}
		}
		c.left(Secret, "new", r.prefix+strings.Repeat("x", r.min), "an example")
		if r.min == r.max {
			c.left(Secret, "new", r.prefix+c.body(r.body, r.min)[:r.min/2], "too short")
		}
	}
	if len(vendors) < 80 {
		t.Errorf("%d vendors", len(vendors))
	}
	t.Logf("%d vendors, %d kinds, %d cases", len(vendors), len(vendorRules)+len(webhooks)+2, c.n)
}

func TestPhoneCorpus(t *testing.T) {
	c := newCorpus(t)
	regions := 0
	for region := range phonenumbers.GetSupportedRegions() {
		n := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if n == nil || len(phonenumbers.GetNationalSignificantNumber(n)) < 7 {
			continue
		}
		regions++
		c.found(Phone, "", phonenumbers.Format(n, phonenumbers.E164))
		c.found(Phone, "", phonenumbers.Format(n, phonenumbers.INTERNATIONAL))
	}
	for _, region := range phoneRegions {
		n := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		c.found(Phone, "phone", phonenumbers.Format(n, phonenumbers.NATIONAL))
		c.left(Phone, "order", strings.ReplaceAll(phonenumbers.Format(n, phonenumbers.NATIONAL), "-", ""), "an order")
	}
	for _, text := range []string{"1609459200", "2021-01-01 12:00:00", "123456789012", "C++11", "+100000", "1.234.567", "255.255.255.0", "12/25/2021"} {
		c.left(Phone, "number", text, "no phone")
	}
	t.Logf("%d regions with a code, %d without, %d cases", regions, len(phoneRegions), c.n)
}

func TestNationalIDCorpus(t *testing.T) {
	c := newCorpus(t)
	countries, alone := map[string]bool{}, map[string]bool{}
	for _, r := range nationalRules {
		alone[r.name] = alone[r.name] || len(r.words) == 0
	}
	for _, r := range nationalRules {
		countries[r.country] = true
		say := ""
		if len(r.words) > 0 {
			say = r.words[0]
		}
		for range 5 {
			id := c.nationalID(&r)
			if id == "" {
				t.Errorf("%s %s: no number with right check digits was drawn", r.country, r.name)
				break
			}
			c.found(NationalID, say, id)
			if !alone[r.name] {
				c.left(NationalID, "order", id, "no word for it")
			}
			c.left(NationalID, say, id+"7777777777777", "too long")
		}
	}
	if len(countries) < 20 {
		t.Errorf("%d countries", len(countries))
	}
	t.Logf("%d countries, %d numbers, %d cases", len(countries), len(nationalRules), c.n)
}

// nationalID draws characters of a rule's shape until the check holds.
func (c *corpus) nationalID(r *nationalRule) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	b := make([]byte, len(r.shape))
	for range 2_000_000 {
		for i, s := range []byte(r.shape) {
			switch {
			case s == 'A' || s == 'X' && i < len(b)-1 && r.country != "IT" && r.country != "FI" && r.country != "MX" && c.r.IntN(2) == 0:
				b[i] = letters[c.r.IntN(26)]
			default:
				b[i] = byte('0' + c.r.IntN(10))
			}
		}
		switch r.name {
		case "codice fiscale": // letters where the month and the place are
			b[8], b[11], b[15] = letters[c.r.IntN(26)], letters[c.r.IntN(26)], letters[c.r.IntN(26)]
		case "AHV":
			copy(b, "756")
		case "resident identity number":
			copy(b[6:], "1984")
		}
		if hasShape(b, r.shape) && r.check(b) {
			return string(b)
		}
	}
	return ""
}

// The examples that offices and encyclopaedias print.
func TestNationalIDExamples(t *testing.T) {
	expect(t, [][2]string{
		{"nhs 943 476 5919", "nhs [REDACTED:national_id]"},
		{"PESEL 44051401359", "PESEL [REDACTED:national_id]"},
		{"cpf 529.982.247-25", "cpf [REDACTED:national_id]"},
		{"dni 12345678Z", "dni [REDACTED:national_id]"},
		{"RSSMRA85T10A562S", "[REDACTED:national_id]"},
		{"BSN 111222333", "BSN [REDACTED:national_id]"},
		{"personnummer 811218-9876", "personnummer [REDACTED:national_id]"},
		{"hetu 131052-308T", "hetu [REDACTED:national_id]"},
		{"nir 2 55 08 14 168 025 38", "nir [REDACTED:national_id]"},
		{"rut 12.345.678-5", "rut [REDACTED:national_id]"},
		{"sin 130 692 544", "sin [REDACTED:national_id]"},
		{"tfn 123 456 782", "tfn [REDACTED:national_id]"},
		{"HEGG560427MVZRRL04", "[REDACTED:national_id]"},
		{"11010519491231002X", "[REDACTED:national_id]"},
	})
}
