package redact

import "strings"

// ibanStructures are the countries of the IBAN Registry (SWIFT, release 99 of
// 2024) and the structure of their account numbers, as the registry writes it:
// lengths of n digits, a capitals and c either.
var ibanStructures = map[string]string{
	"AD": "8n12c", "AE": "19n", "AL": "8n16c", "AT": "16n", "AZ": "4a20c", "BA": "16n", "BE": "12n", "BG": "4a6n8c", "BH": "4a14c",
	"BI": "23n", "BR": "23n1a1c", "BY": "4c4n16c", "CH": "5n12c", "CR": "18n", "CY": "8n16c", "CZ": "20n", "DE": "18n", "DJ": "23n",
	"DK": "14n", "DO": "4c20n", "EE": "16n", "EG": "25n", "ES": "20n", "FI": "14n", "FK": "2a12n", "FO": "14n", "FR": "10n11c2n",
	"GB": "4a14n", "GE": "2a16n", "GI": "4a15c", "GL": "14n", "GR": "7n16c", "GT": "4c20c", "HN": "4a20n", "HR": "17n", "HU": "24n",
	"IE": "4a14n", "IL": "19n", "IQ": "4a15n", "IS": "22n", "IT": "1a10n12c", "JO": "4a4n18c", "KW": "4a22c", "KZ": "3n13c", "LB": "4n20c",
	"LC": "4a24c", "LI": "5n12c", "LT": "16n", "LU": "3n13c", "LV": "4a13c", "LY": "21n", "MC": "10n11c2n", "MD": "2c18c", "ME": "18n",
	"MK": "3n10c2n", "MN": "16n", "MR": "23n", "MT": "4a5n18c", "MU": "4a19n3a", "NI": "4a20n", "NL": "4a10n", "NO": "11n", "OM": "3n16c",
	"PK": "4a16c", "PL": "24n", "PS": "4a21c", "PT": "21n", "QA": "4a21c", "RO": "4a16c", "RS": "18n", "RU": "14n15c", "SA": "2n18c",
	"SC": "4a20n3a", "SD": "14n", "SE": "20n", "SI": "15n", "SK": "20n", "SM": "1a10n12c", "SO": "19n", "ST": "21n", "SV": "4a20n",
	"TL": "19n", "TN": "20n", "TR": "6n16c", "UA": "6n19c", "VA": "18n", "VG": "4a16n", "XK": "16n", "YE": "4a4n18c",
}

// ibanPatterns are the structures spelled out, a letter a character.
var ibanPatterns = func() map[[2]byte]string {
	m := map[[2]byte]string{}
	for country, structure := range ibanStructures {
		pattern, n := "", 0
		for _, b := range []byte(structure) {
			if isDigit(b) {
				n = n*10 + int(b-'0')
			} else {
				pattern, n = pattern+strings.Repeat(string(b), n), 0
			}
		}
		m[[2]byte{country[0], country[1]}] = pattern
	}
	return m
}()

// iban finds the account number that begins with the word [start, end): ISO
// 13616-1 (2020), of its country's length and structure and with check digits
// right by ISO 7064 mod 97-10; in one piece, or in groups set apart by single
// spaces or dashes. Letters are of one case.
func (f *finder) iban(start, end int) {
	t := f.t
	if end-start > 8 && equalFold(t[start:start+4], "iban") {
		start += 4
	}
	if end-start < 4 || !isAlpha(t[start]) || !isAlpha(t[start+1]) || !isDigit(t[start+2]) || !isDigit(t[start+3]) || f.glued(start-1) && !isAlpha(f.at(start-1)) {
		return
	}
	small := t[start]&0x20 != 0
	pattern := ibanPatterns[[2]byte{t[start] &^ 0x20, t[start+1] &^ 0x20}]
	if pattern == "" || (t[start]^t[start+1])&0x20 != 0 || f.at(start-1) == '-' && isAlnum(f.at(start-2)) {
		return
	}
	var chars [34]byte
	n := copy(chars[:], t[start:start+4])
	i, sep, groups := start+4, byte(0), 0
	for n < len(pattern)+4 && i < len(t) {
		b := t[i]
		if (b == ' ' || b == '-') && (sep == 0 && n == 4 || sep == b) && isAlnum(t[i-1]) {
			sep = b
			groups++
			i++
			continue
		}
		if groups > 9 || !ibanChar(b, pattern[n-4], small) {
			return
		}
		chars[n] = b
		n++
		i++
	}
	if n < len(pattern)+4 || f.glued(i) || f.at(i) == '-' && isAlnum(f.at(i+1)) || !mod97(chars[:n]) {
		return
	}
	f.add(start, i, IBAN)
}

// ibanChar says whether a character is of a kind, and a letter of the case.
func ibanChar(b, kind byte, small bool) bool {
	switch {
	case isDigit(b):
		return kind != 'a'
	case !isAlpha(b):
		return false
	}
	return kind != 'n' && (b&0x20 != 0) == small
}

// mod97 checks the check digits: the first four characters moved to the end,
// letters as 10 to 35, the whole leaves 1.
func mod97(c []byte) bool {
	rest := 0
	for i := range c {
		b := c[(i+4)%len(c)]
		if isDigit(b) {
			rest = (rest*10 + int(b-'0')) % 97
		} else {
			rest = (rest*100 + int(lower(b)-'a') + 10) % 97
		}
	}
	return rest == 1
}
