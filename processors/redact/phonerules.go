package redact

import "github.com/nyaruka/phonenumbers"

// isPhone decides on a candidate, see phone.
func (f *finder) isPhone(p *phoneForm) bool {
	if p.n > 3 && !p.plus && dotted(f.t[p.start:p.end]) > 6 {
		if _, quad := parseIPv4(f.t[p.start : p.start+dotted(f.t[p.start:p.end])]); quad {
			return false
		}
	}
	before := f.wordBefore(p.start)
	if p.plus {
		return p.digits >= 8 && (f.validPhone(p, "ZZ") || (p.n > 1 || before&ctxPhoneWord != 0) && f.possiblePhone(p))
	}
	if before&(ctxOrder|ctxIdentity|ctxSSN|ctxCard) != 0 && before&ctxPhoneWord == 0 {
		return false
	}
	if f.isNorthAmerican(p, before) || p.n > 1 && f.dialled(p) {
		return true
	}
	if p.digits < 2*p.n || f.isDate(p) || p.sep == '/' && (p.n > 3 || !p.one) || p.sep == '.' && p.one && !p.paren && (p.n == 2 || p.n == 4) {
		return false
	}
	if before&(ctxDial|ctxPhone) != 0 && p.n > 1 && p.digits >= 9 && !p.isThousands() && !p.wide {
		return true
	}
	if before&ctxPhoneWord != 0 && (p.n > 1 || p.digits >= 8 && !f.isStamp(p)) {
		return p.n == 1 || !p.isThousands() || f.validAnywhere(p)
	}
	if f.hasNationalForm(p) {
		return true
	}
	ctx := f.near(p.start, p.end)
	if ctx&ctxMine != 0 && ctx&ctxNumber != 0 && ctx&(ctxIdentity|ctxCard|ctxSSN|ctxOrder) == 0 {
		ctx |= ctxPhone // "my number is"
	}
	if ctx&ctxPhone == 0 || ctx&ctxPhoneWord == 0 && ctx&ctxOrder != 0 {
		return false
	}
	if ctx&ctxPhoneWord == 0 && (p.sep == '/' || p.isThousands() || p.n == 1 && (p.digits < 9 || !f.dials(p.start))) {
		return false
	}
	return f.validAnywhere(p)
}

// isNorthAmerican says whether the groups are 3-3-4, with brackets or one sign
// between, and the number valid there; one of the 555 numbers that people give
// as examples; or any beside a word that says phone.
func (f *finder) isNorthAmerican(p *phoneForm, before hint) bool {
	g := p.groups[:p.n]
	start := p.start
	if p.n == 4 && g[0] == 1 && f.t[p.start] == '1' {
		g = g[1:]
		for start++; !isDigit(f.at(start)); start++ {
		}
	}
	if len(g) != 3 || g[0] != 3 || g[1] != 3 || g[2] != 4 || !p.paren && (!p.one || p.sep == ' ') {
		return false
	}
	if bytesIn(f.at(start), "(") {
		start++
	}
	return f.validPhone(p, "US") || before&ctxPhoneWord != 0 || string(f.t[start:start+3]) == "555" && f.near(p.start, p.end)&ctxOrder == 0
}

// dialled says whether a number begins with an international prefix, 00 or
// North America's 011, and is valid after it.
func (f *finder) dialled(p *phoneForm) bool {
	text := f.t[p.start:p.end]
	switch {
	case p.paren, p.sep == '.' && p.one:
		return false
	case text[0] == '0' && text[1] == '0':
		text = text[2:]
	case string(text[:3]) == "011":
		text = text[3:]
	default:
		return false
	}
	plus := "+" + string(text)
	return f.valid(plus, "ZZ") || p.sep == '-' && p.one && p.n > 3 && f.possible(plus)
}

// dials says whether a word to dial, or that a number is somebody's, stands
// right before start.
func (f *finder) dials(start int) bool {
	if b := f.at(start - 1); b != ' ' && b != ':' && b < 0x80 {
		return false
	}
	if n := len(f.out); n > f.base && f.out[n-1].Type == Phone && f.out[n-1].End+6 > start {
		return true // one more of a list
	}
	c := f.words(max(0, start-24), start)
	return f.wordBefore(start)&ctxDial != 0 || c&ctxMine != 0 && c&(ctxPhone|ctxNumber) != 0
}

// isStamp says whether one group of digits reads as a day, with a time or
// without, or as seconds since 1970.
func (f *finder) isStamp(p *phoneForm) bool {
	d := f.t[p.start:p.end]
	if len(d) != 8 && len(d) != 12 && len(d) != 14 || string(d[:2]) != "19" && string(d[:2]) != "20" {
		return false
	}
	return isDay(num(d[4:6]), num(d[6:8]))
}

// nationalForms are the ways to group a number by which countries write their
// own, with trunk prefix, from libphonenumber's formats: a form says phone where
// the number is valid in one of its countries.
var nationalForms = map[string][]string{
	"2-2-2-2-2": {"FR"},
	"2-3-2-2":   {"BE", "FI"},
	"2-3-4":     {"KR", "IL", "TH"},
	"2-4-4":     {"JP", "KR", "AU", "TW", "ID", "BR"},
	"2-5-4":     {"BR"},
	"2-2-3-4":   {"HU"},
	"3-2-2-2":   {"BE", "ES"},
	"3-3-2-2":   {"CH", "SE", "VN", "NO"},
	"3-3-3":     {"HR", "RS"},
	"3-3-4":     {"IL", "ZA", "KR", "TH", "MY", "UA", "AE", "SA", "NZ", "IE", "BG", "EG", "CO", "MX"},
	"3-4-4":     {"GB", "JP", "KR", "CN"},
	"4-2-2-2":   {"BE"},
	"4-2-4":     {"JP"},
	"4-3-2-2":   {"TR"},
	"4-3-3":     {"AU", "TW", "RO", "JP", "VN"},
	"4-3-4":     {"GB", "NG", "PH", "ID"},
	"4-4-3":     {"ID"},
	"4-4-4":     {"ID"},
}

// hasNationalForm says whether a number is written just as a country writes its
// own: with the trunk prefix or brackets, in its groups.
func (f *finder) hasNationalForm(p *phoneForm) bool {
	if p.digits < 9 || p.digits > 12 || p.sep == '/' || p.sep == '.' && !p.paren || p.wide || !p.paren && (p.n < 3 || f.t[p.start] != '0' || f.t[p.start+1] == '0') {
		return false
	}
	var shape [16]byte
	form := shape[:0]
	for i, g := range p.groups[:p.n] {
		if i > 0 {
			form = append(form, '-')
		}
		form = append(form, byte('0'+g%10))
	}
	text := string(f.t[p.start:p.end])
	for _, region := range nationalForms[string(form)] {
		if f.valid(text, region) {
			return true
		}
	}
	return false
}

// validAnywhere says whether a number is valid in one of the countries tried,
// first in that of the number before: a text is mostly about one.
func (f *finder) validAnywhere(p *phoneForm) bool {
	text := string(f.t[p.start:p.end])
	if f.region != "" && f.valid(text, f.region) {
		return true
	}
	for _, region := range phoneRegions {
		if f.valid(text, region) {
			f.region = region
			return true
		}
	}
	return false
}

func (f *finder) validPhone(p *phoneForm, region string) bool {
	return f.valid(string(f.t[p.start:p.end]), region)
}

// budget is how many look-ups a text has: they cost tens of microseconds.
func (f *finder) budget() int { return 120 + len(f.t)/32 }

// valid asks libphonenumber.
func (f *finder) valid(text, region string) bool {
	if f.lookups++; f.lookups > f.budget() {
		return false
	}
	number, err := phonenumbers.Parse(text, region)
	return err == nil && phonenumbers.IsValidNumber(number)
}

// possiblePhone says whether a number with a plus has a country's code and a
// length in use there.
func (f *finder) possiblePhone(p *phoneForm) bool {
	return f.possible(string(f.t[p.start:p.end]))
}

func (f *finder) possible(text string) bool {
	if f.lookups++; f.lookups > f.budget() {
		return false
	}
	number, err := phonenumbers.Parse(text, "ZZ")
	return err == nil && phonenumbers.IsPossibleNumber(number)
}
