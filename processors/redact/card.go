package redact

// card finds the number that begins with the digit at start: ISO/IEC 7812-1
// (2017), 12 to 19 digits whose issuer range is in use at that length and whose
// check digit is right by Luhn's formula. Groups are as cards print them: fours,
// 4-6-5, 4-6-4 and the like, set apart by one kind of space or dash.
//
// An unbroken run that is part of something longer (a path, a mention, a
// decimal) is an id. Lengths that few issuers print and many systems use for
// ids need a word about cards nearby.
func (f *finder) card(start int) {
	if start < f.cardEnd || f.glued(start-1) || f.idBefore(start) {
		return
	}
	var c cardForm
	f.cardForm(start, &c)
	// What follows a card is often a date or a code: try with and without it.
	for ; c.n > 0; c.n-- {
		size := 0
		for _, g := range c.groups[:c.n] {
			size += g
		}
		end := c.ends[c.n-1]
		if size < 12 || !f.numberEnds(end, c.n == 1) || !luhn(c.digits[:size]) || !issued(c.digits[:size]) {
			continue
		}
		if f.plausible(c.groups[:c.n], size, start, end) {
			f.add(start, end, CreditCard)
			f.cardEnd = end
			return
		}
	}
}

// cardForm is digits in groups, with the end of each group.
type cardForm struct {
	digits       [20]byte
	groups, ends [8]int
	n            int // groups
}

// cardForm reads groups from start as long as they make at most 19 digits.
func (f *finder) cardForm(start int, c *cardForm) {
	n, sep := 0, byte(0)
	for i := start; ; i++ {
		from := i
		for i < len(f.t) && isDigit(f.t[i]) {
			if n < len(c.digits) {
				c.digits[n] = f.t[i] - '0'
			}
			n++
			i++
		}
		if n > 19 || i == from {
			return
		}
		c.groups[c.n], c.ends[c.n] = i-from, i
		c.n++
		s := f.at(i)
		if c.n == len(c.groups) || s != ' ' && s != '-' && s != '.' || sep != 0 && sep != s || i-from > 8 {
			return
		}
		sep = s
	}
}

// idBefore says whether what stands before a number makes it part of an id, a
// path, a mention or a decimal.
func (f *finder) idBefore(start int) bool {
	b, b2 := f.at(start-1), f.at(start-2)
	switch b {
	case '/', '@', '#', '&', '%', '$':
		return true
	case '.', ',', '-':
		return isAlnum(b2)
	case '!':
		return b2 == '@' // <@!id>
	case ':':
		return b2 != 0 && isAlnum(b2) && f.at(start-3) != 0 && f.inEmoji(start)
	case ' ':
		return isDigit(b2) && !f.listed(start)
	}
	return false
}

// inEmoji says whether a number at start is the id in "<:name:id>".
func (f *finder) inEmoji(start int) bool {
	for j := start - 2; j >= 0 && j > start-40; j-- {
		if !isAlnum(f.t[j]) && f.t[j] != '_' {
			return f.t[j] == ':' && (f.at(j-1) == '<' || f.at(j-1) == 'a')
		}
	}
	return false
}

// listed says whether the digits before a space are a short ordinal or count,
// such as the "2" of "2 4111…", or a whole number, and not a group of the same.
func (f *finder) listed(start int) bool {
	n := 0
	for j := start - 2; j >= 0 && isDigit(f.t[j]); j-- {
		n++
	}
	return n < 3 || n > 11
}

// numberEnds says whether a number can end before i; whole is for one in one
// piece, which another beside it does not make longer.
func (f *finder) numberEnds(i int, whole bool) bool {
	b := f.at(i)
	switch {
	case f.glued(i), b == '/', b == '@', b == '%':
		return false
	case b == '-' || b == '.' || b == ',' || b == ':':
		return !isAlnum(f.at(i + 1))
	case b == ' ' && !whole:
		// Another group of digits would make it a longer number.
		j := i + 1
		for j < len(f.t) && j < i+8 && isDigit(f.t[j]) {
			j++
		}
		return j-i-1 != 4 && j-i-1 != 5
	}
	return true
}

// plausible says whether a number with a right check digit is written as cards
// are.
func (f *finder) plausible(groups []int, n, start, end int) bool {
	if len(groups) == 1 {
		rare := n == 12 || n > 16 || n == 15 && f.t[start+1] != '4' && f.t[start+1] != '7'
		return !rare && f.at(start-1) != '=' || f.near(start, end)&ctxCard != 0
	}
	fours := true
	for i, g := range groups {
		if g != 4 && (i < len(groups)-1 || g > 4) {
			fours = false
		}
	}
	if fours || f.t[start+groups[0]] == '.' {
		return fours
	}
	switch len(groups) {
	case 2:
		return groups[0] == 6 || groups[0] == 4 || groups[0] == 8 && f.near(start, end)&ctxCard != 0
	case 3:
		return groups[0] == 4 && groups[1] == 6 || groups[0] == 6 && groups[1] == 4
	}
	return n == 19 && groups[0] == 6 || f.near(start, end)&ctxCard != 0
}

// luhn checks the check digit of ISO/IEC 7812-1, annex B.
func luhn(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		v := int(d)
		if (len(digits)-i)%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// issuer is one range of issuer numbers by its first four digits, with the
// lengths in use as a bit set.
type issuer struct {
	from, to int
	lengths  uint32
}

func lengths(from, to int) uint32 { return 1<<(to+1) - 1<<from }

// issuers are the ranges that the networks publish.
var issuers = []issuer{
	{4000, 4999, 1<<13 | 1<<16 | 1<<19}, // Visa
	{5100, 5599, 1 << 16},               // Mastercard
	{2221, 2720, 1 << 16},               // Mastercard, since 2017
	{3400, 3499, 1 << 15},               // American Express
	{3700, 3799, 1 << 15},               //
	{3000, 3059, lengths(14, 19)},       // Diners Club
	{3095, 3095, lengths(14, 19)},       //
	{3600, 3699, lengths(14, 19)},       //
	{3800, 3999, lengths(14, 19)},       //
	{3528, 3589, lengths(16, 19)},       // JCB
	{6011, 6011, lengths(16, 19)},       // Discover
	{6440, 6599, lengths(16, 19)},       //
	{6221, 6229, lengths(16, 19)},       // Discover with UnionPay
	{6200, 6299, lengths(16, 19)},       // UnionPay
	{8100, 8171, lengths(16, 19)},       //
	{2200, 2204, lengths(16, 19)},       // Mir
	{2205, 2205, 1 << 16},               // Borica
	{5000, 5099, lengths(12, 19)},       // Maestro
	{5600, 5899, lengths(12, 19)},       //
	{6000, 6010, lengths(12, 19)},       //
	{6012, 6199, lengths(12, 19)},       //
	{6300, 6399, lengths(12, 19)},       //
	{6700, 6799, lengths(12, 19)},       //
	{6600, 6699, lengths(12, 19)},       //
	{6800, 6999, lengths(12, 19)},       //
	{6521, 6522, 1 << 16},               // RuPay
	{8172, 8199, 1 << 16},               //
	{9792, 9792, 1 << 16},               // Troy
	{6360, 6369, lengths(16, 19)},       // InterPayment, InstaPayment
	{1946, 1946, 1 << 16},               // BankCard of Ukraine
}

// issued says whether an issuer uses the number's range at its length.
func issued(d []byte) bool {
	head := int(d[0])*1000 + int(d[1])*100 + int(d[2])*10 + int(d[3])
	same := true
	for _, v := range d[1:] {
		same = same && v == d[0]
	}
	if same {
		return false
	}
	for _, r := range issuers {
		if head >= r.from && head <= r.to && r.lengths&(1<<len(d)) != 0 {
			return true
		}
	}
	return false
}
