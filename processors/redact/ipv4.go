package redact

// ipv4 finds the dotted address whose first part is the word [start, end): four
// parts as RFC 791 and inet_aton write them, decimal or each with 0x or leading
// zeros. Port and prefix may follow and are left standing.
//
// What has more parts, letters or a dash behind, or a word about versions
// nearby, is no address; neither are loopback (RFC 1122), "this network" and
// masks. Where every part is small, as in versions and section numbers, a word
// or form that says address has to be there.
func (f *finder) ipv4(start, end int) {
	if prev := f.at(start - 1); f.glued(start-1) || (prev == '.' || prev == '-') && isAlnum(f.at(start-2)) {
		return
	}
	stop, dots := end, 0
	for dots < 3 && f.at(stop) == '.' && isDigit(f.at(stop+1)) {
		dots++
		for stop++; stop < len(f.t) && classes[f.t[stop]]&cWord != 0 && stop-start < 50; {
			stop++
		}
	}
	if dots != 3 || !f.addressEnds(stop) {
		return
	}
	a, ok := parseIPv4(f.t[start:stop])
	if !ok || leftAlone(a) || !f.isAddress(a, start, stop) {
		return
	}
	f.add(start, stop, IP)
}

// addressEnds says whether a dotted address can end before i.
func (f *finder) addressEnds(i int) bool {
	b, b2 := f.at(i), f.at(i+1)
	switch {
	case f.glued(i):
		return false
	case b == '.' || b == '-' || b == '+' || b == '~':
		// A range "192.0.2.1-192.0.2.9" is two addresses, "1.2.3.4-5" a version.
		return !isAlnum(b2) || b == '-' && (f.rangeAfter(i+1) || f.lastPartAfter(i+1))
	case b == ',':
		return !isDigit(b2) || f.rangeAfter(i+1)
	}
	return true
}

// rangeAfter says whether four dotted parts begin at i.
func (f *finder) rangeAfter(i int) bool {
	dots := 0
	for j := i; j < len(f.t) && j < i+16; j++ {
		switch b := f.t[j]; {
		case b == '.':
			dots++
		case !isDigit(b):
			return dots == 3
		}
	}
	return dots == 3
}

// lastPartAfter says whether what stands at i is the end of a range, as in
// "192.0.2.1-254": a number of three digits or one that ends a word.
func (f *finder) lastPartAfter(i int) bool {
	n := 0
	for isDigit(f.at(i + n)) {
		n++
	}
	return n >= 2 && n <= 3 && !f.glued(i+n) && !bytesIn(f.at(i+n), ".-") && f.t[i] != '0'
}

// isAddress weighs an address that could also be a version.
func (f *finder) isAddress(a [4]byte, start, end int) bool {
	ctx := f.near(start, end)
	if ctx&ctxVersion != 0 && ctx&ctxIP == 0 && !unversioned(a) || f.lastWord(start)&ctxVersion != 0 {
		return false
	}
	if f.at(start-1) == '/' && f.at(start-2) != '/' || f.at(end) == '/' && !isDigit(f.at(end+1)) && f.at(start-1) != '/' {
		return ctx&ctxIP != 0 || a[0] >= 30 || a[0] == 10
	}
	if a[0] == 10 || a[0] == a[1] && (a[2] == a[3] || a[1] == a[2]) {
		return true
	}
	if a[0] < 30 && a[1] < 30 && a[2] < 100 && a[3] < 100 {
		return ctx&ctxIP != 0 || f.at(end) == ':' && isDigit(f.at(end+1)) || f.at(end) == '/' && isDigit(f.at(end+1)) ||
			f.at(start-1) == '/' || f.at(start-1) == '@'
	}
	return true
}

// unversioned says whether no version would have these numbers.
func unversioned(a [4]byte) bool {
	large := 0
	for _, v := range a {
		if v >= 100 {
			large++
		}
	}
	return large >= 2
}

// leftAlone are addresses that say nothing about anyone.
func leftAlone(a [4]byte) bool {
	v := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	mask := ^v&(^v+1) == 0 && a[0] == 255
	return a[0] == 127 || a[0] == 0 || mask
}

// parseIPv4 reads four dotted parts that fill t.
func parseIPv4(t []byte) (a [4]byte, ok bool) {
	part, i := 0, 0
	for ; part < 4; part++ {
		v, n := ipv4Part(t[i:])
		if n == 0 || v > 255 {
			return a, false
		}
		a[part] = byte(v)
		i += n
		if part < 3 {
			if i >= len(t) || t[i] != '.' {
				return a, false
			}
			i++
		}
	}
	return a, i == len(t)
}

// ipv4Part reads a decimal part of up to three digits, an octal one of four, or
// a hexadecimal one after 0x, and gives its length.
func ipv4Part(t []byte) (v, n int) {
	if len(t) > 2 && t[0] == '0' && lower(t[1]) == 'x' {
		for n = 2; n < len(t) && n < 5 && isHex(t[n]); n++ {
			v = v<<4 | hexValue(t[n])
		}
		if n == 2 {
			return 0, 0
		}
		return v, n
	}
	base := 10
	digits := 0
	for digits < len(t) && isDigit(t[digits]) {
		digits++
	}
	if digits == 4 && t[0] == '0' {
		base = 8
	} else if digits > 3 {
		return 0, 0
	}
	for n = 0; n < digits; n++ {
		d := int(t[n] - '0')
		if d >= base {
			return 0, 0
		}
		v = v*base + d
	}
	return v, n
}

func hexValue(b byte) int {
	if isDigit(b) {
		return int(b - '0')
	}
	return int(lower(b)-'a') + 10
}
