package redact

// ibanLengths are the registered countries of the IBAN Registry (SWIFT, release
// 99 of 2024, with those that use IBANs by ISO 13616 alone) and their lengths.
var ibanLengths = map[[2]byte]int{
	{'A', 'D'}: 24, {'A', 'E'}: 23, {'A', 'L'}: 28, {'A', 'T'}: 20, {'A', 'Z'}: 28, {'B', 'A'}: 20, {'B', 'E'}: 16, {'B', 'G'}: 22,
	{'B', 'H'}: 22, {'B', 'I'}: 27, {'B', 'R'}: 29, {'B', 'Y'}: 28, {'C', 'H'}: 21, {'C', 'R'}: 22, {'C', 'Y'}: 28, {'C', 'Z'}: 24,
	{'D', 'E'}: 22, {'D', 'J'}: 27, {'D', 'K'}: 18, {'D', 'O'}: 28, {'E', 'E'}: 20, {'E', 'G'}: 29, {'E', 'S'}: 24, {'F', 'I'}: 18,
	{'F', 'K'}: 18, {'F', 'O'}: 18, {'F', 'R'}: 27, {'G', 'B'}: 22, {'G', 'E'}: 22, {'G', 'I'}: 23, {'G', 'L'}: 18, {'G', 'R'}: 27,
	{'G', 'T'}: 28, {'H', 'N'}: 28, {'H', 'R'}: 21, {'H', 'U'}: 28, {'I', 'E'}: 22, {'I', 'L'}: 23, {'I', 'Q'}: 23, {'I', 'S'}: 26,
	{'I', 'T'}: 27, {'J', 'O'}: 30, {'K', 'W'}: 30, {'K', 'Z'}: 20, {'L', 'B'}: 28, {'L', 'C'}: 32, {'L', 'I'}: 21, {'L', 'T'}: 20,
	{'L', 'U'}: 20, {'L', 'V'}: 21, {'L', 'Y'}: 25, {'M', 'C'}: 27, {'M', 'D'}: 24, {'M', 'E'}: 22, {'M', 'K'}: 19, {'M', 'N'}: 20,
	{'M', 'R'}: 27, {'M', 'T'}: 31, {'M', 'U'}: 30, {'N', 'I'}: 28, {'N', 'L'}: 18, {'N', 'O'}: 15, {'O', 'M'}: 23, {'P', 'K'}: 24,
	{'P', 'L'}: 28, {'P', 'S'}: 29, {'P', 'T'}: 25, {'Q', 'A'}: 29, {'R', 'O'}: 24, {'R', 'S'}: 22, {'R', 'U'}: 33, {'S', 'A'}: 24,
	{'S', 'C'}: 31, {'S', 'D'}: 18, {'S', 'E'}: 24, {'S', 'I'}: 19, {'S', 'K'}: 24, {'S', 'M'}: 27, {'S', 'O'}: 23, {'S', 'T'}: 25,
	{'S', 'V'}: 28, {'T', 'L'}: 23, {'T', 'N'}: 24, {'T', 'R'}: 26, {'U', 'A'}: 29, {'V', 'A'}: 22, {'V', 'G'}: 24, {'X', 'K'}: 20,
	{'Y', 'E'}: 30,
}

// iban finds the account number that begins with the word [start, end): ISO
// 13616-1 (2020), at the length its country registered and with check digits
// right by ISO 7064 mod 97-10; in one piece, or in fours set apart by spaces or
// dashes. Letters are of one case.
func (f *finder) iban(start, end int) {
	t := f.t
	if end-start < 4 || !isAlpha(t[start]) || !isAlpha(t[start+1]) || !isDigit(t[start+2]) || !isDigit(t[start+3]) || f.glued(start-1) {
		return
	}
	small := t[start] | t[start+1]&0x20
	length := ibanLengths[[2]byte{t[start] &^ 0x20, t[start+1] &^ 0x20}]
	if length == 0 || (t[start]^t[start+1])&0x20 != 0 {
		return
	}
	var chars [34]byte
	i, n, sep := start, 0, byte(0)
	for n < length && i < len(t) {
		b := t[i]
		if n%4 == 0 && n > 0 && (b == ' ' || b == '-') && (sep == 0 && n == 4 || sep == b) {
			sep = b
			i++
			continue
		}
		if sep != 0 && n%4 == 0 && n > 0 && t[i-1] != sep || !isAlnum(b) || isAlpha(b) && b&0x20 != small&0x20 {
			return
		}
		chars[n] = b
		n++
		i++
	}
	if n < length || f.glued(i) || f.at(i) == '-' && isAlnum(f.at(i+1)) || !mod97(chars[:n]) {
		return
	}
	f.add(start, i, IBAN)
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
