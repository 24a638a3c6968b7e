package redact

const (
	minPhone = 7  // digits
	maxPhone = 15 // digits, ITU-T E.164 (2010)
)

// phoneRegions are the countries whose national formats are tried, beside a
// word that says phone, for a number without a country code.
var phoneRegions = [...]string{
	"US", "GB", "DE", "FR", "IT", "ES", "NL", "BE", "CH", "AT", "SE", "NO", "DK", "FI", "PL", "CZ", "PT", "IE", "GR", "HU", "RO", "BG", "HR",
	"SK", "SI", "RS", "RU", "UA", "TR", "IL", "SA", "AE", "EG", "IN", "PK", "BD", "CN", "JP", "KR", "TW", "HK", "SG", "MY", "TH", "VN", "ID",
	"PH", "AU", "NZ", "ZA", "NG", "KE", "BR", "MX", "AR", "CL", "CO", "PE",
}

// phoneForm is a candidate: its text and how it is grouped.
type phoneForm struct {
	start, end int
	digits     int
	groups     [8]int
	n          int // groups
	plus       bool
	paren      bool
	sep        byte // the last separator
	one        bool // one kind of separator
	wide       bool // more than one space somewhere
}

// phone finds the number whose first digit is at start. After a plus or an
// international prefix it has to be valid by libphonenumber's metadata for its
// country code, or possible there and in groups; as "(212) 555-0123" or
// "212-555-0123" valid in the North American plan; as "06 12 34 56 78" written
// just as one of the countries tried writes its own. Right after a word that
// says phone, its form is enough. Any other needs such a word nearby, none that
// says otherwise, and has to be valid in one of the countries. An extension
// belongs to it.
func (f *finder) phone(start int) {
	if start < f.phoneEnd {
		return
	}
	p, ok := f.phoneForm(start)
	if !ok {
		return
	}
	f.phoneEnd = p.end
	if p.digits < minPhone || p.digits > maxPhone || !f.isPhone(&p) {
		return
	}
	p.end = f.extension(p.end)
	f.phoneEnd = p.end
	f.add(p.start, p.end, Phone)
}

// phoneForm reads digits and the separators that people put between them.
func (f *finder) phoneForm(start int) (p phoneForm, ok bool) {
	p.start, p.one = start, true
	b := f.at(start - 1)
	switch {
	case b == '(':
		p.start, p.paren = start-1, true
	case b == '+':
	case f.glued(start - 1):
		return p, false
	case b == ',' && !isDigit(f.at(start-2)):
	case bytesIn(b, "/.,-#$%@&=_") && (b != '=' && b != '/' && b != '-' && b != '.' || isAlnum(f.at(start-2))):
		return p, false
	}
	if f.at(p.start-1) == '+' && !f.glued(p.start-2) && f.at(p.start-2) != '+' {
		p.start, p.plus = p.start-1, true
		if f.at(p.start-1) == '(' {
			p.start--
			p.paren = true
		}
	} else if b == '+' {
		return p, false
	}
	i, open := start, p.paren
	for p.n < len(p.groups) {
		from := i
		for i < len(f.t) && isDigit(f.t[i]) && i-from <= maxPhone {
			i++
		}
		p.groups[p.n] = i - from
		p.n++
		p.digits += i - from
		p.end = i
		next, closed := f.phoneGap(i, &p, &open)
		if next == i || p.digits > maxPhone {
			break
		}
		p.paren = p.paren || closed
		i = next
	}
	if open && f.t[p.start] == '(' {
		p.start, p.paren, open = p.start+1, false, false // brackets around the whole
	}
	return p, (!f.glued(p.end) || f.extension(p.end) > p.end) && !open && !(bytesIn(f.at(p.end), "-./:@%") && isAlnum(f.at(p.end+1)))
}

// phoneGap gives where the next group of digits begins after the separators at
// i, or i when there is none.
func (f *finder) phoneGap(i int, p *phoneForm, open *bool) (next int, closed bool) {
	j, in, sep, one := i, *open, p.sep, p.one
	for j < len(f.t) && j < i+3 && bytesIn(f.t[j], " -.()/") {
		switch f.t[j] {
		case '(':
			if in && p.n == 1 && f.t[p.start] == '(' {
				p.start++ // the first one is around the whole
			} else if in || p.n > 2 {
				return i, closed
			}
			in = true
		case ')':
			if !in {
				return i, closed
			}
			in, closed = false, true
		case ' ', '-', '.', '/':
			p.wide = p.wide || j > i && f.t[j-1] == ' '
			one = one && (sep == 0 || sep == f.t[j])
			sep = f.t[j]
		}
		j++
	}
	if j == i || j >= len(f.t) || !isDigit(f.t[j]) {
		return i, closed
	}
	*open, p.sep, p.one = in, sep, one
	return j, closed
}

// isDate says whether the groups read as a date, with a time or without.
func (f *finder) isDate(p *phoneForm) bool {
	g := p.groups[:p.n]
	if p.n < 3 || p.paren {
		return false
	}
	century := string(f.t[p.start : p.start+2])
	return g[0] == 4 && g[1] == 2 && g[2] == 2 && (century == "19" || century == "20") || p.n == 3 && p.one && g[0] <= 2 && g[1] <= 2 && g[2] == 4
}

// isThousands says whether the groups read as one number with dots.
func (p *phoneForm) isThousands() bool {
	if p.sep != '.' || !p.one || p.paren {
		return false
	}
	for _, g := range p.groups[1:p.n] {
		if g != 3 {
			return false
		}
	}
	return true
}

// extensionWords stand before an extension; "ext=" is RFC 3966's.
var extensionWords = map[string]bool{
	"ext": true, "extn": true, "extension": true, "доб": true, "poste": true, "ramal": true, "interno": true, "durchwahl": true, "toestel": true, "anknytning": true, "wew": true, "int": true,
}

// extension is the end of an extension such as " ext. 123" or "x12" at i, else
// i.
func (f *finder) extension(i int) int {
	j := i
	for j < len(f.t) && j < i+2 && bytesIn(f.t[j], " ,;") {
		j++
	}
	word := j
	for j < len(f.t) && j < word+10 && (isAlpha(f.t[j]) || f.t[j] == '#' || f.t[j] >= 0x80) {
		j++
	}
	switch w := f.t[word:j]; {
	case len(w) == 1 && (lower(w[0]) == 'x' || w[0] == '#'):
	case len(w) < 12 && extensionWords[lowerWord(w)]:
	default:
		return i
	}
	for j < len(f.t) && j < word+12 && bytesIn(f.t[j], " .:=") {
		j++
	}
	from := j
	for j < len(f.t) && j < from+7 && isDigit(f.t[j]) {
		j++
	}
	if j == from || f.glued(j) {
		return i
	}
	return j
}
