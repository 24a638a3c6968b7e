package redact

// ipv6 finds the address around the colon at i: the text forms of RFC 4291
// (2006), 2.2, with an IPv4 tail, and the zone of RFC 4007, 11. Brackets, port
// and prefix are left standing.
//
// Of short forms with "::" only those in ranges that are assigned are taken
// (global unicast, unique and link local, multicast, NAT64, mapped), so that
// "std::" and "dead::beef" are not; loopback and unspecified are left alone.
func (f *finder) ipv6(i int) {
	if i < f.hexEnd {
		return
	}
	start, end := i, i
	for start > 0 && start > i-5 && isHex(f.t[start-1]) {
		start--
	}
	colons := 0
	for end < len(f.t) && (isHex(f.t[end]) || f.t[end] == ':') {
		if f.t[end] == ':' {
			colons++
		}
		end++
	}
	f.hexEnd = end
	if (start == i && isAlnum(f.at(i-1)) || start < i && f.glued(start-1)) && f.at(i+1) != ':' {
		start = i + 1 // "ip:2001:db8::1"
		colons--
	}
	if colons < 2 || end-start > 60 || f.glued(start-1) {
		return
	}
	if b := f.at(start - 1); b == '.' || b == '-' || b == '/' && isAlnum(f.at(start-2)) {
		return
	}
	a, n := parseIPv6(f.t[start:min(len(f.t), start+60)])
	if n == 0 || start+n < end && f.t[start+n] != ':' {
		return
	}
	end = start + n
	if f.glued(end) || f.at(end) == ':' && (f.at(end+1) == ':' || isAlnum(f.at(end+1))) || f.at(end) == '-' && isAlnum(f.at(end+1)) || f.at(end) == '.' && isDigit(f.at(end+1)) {
		return
	}
	if !assigned(a) && !f.wholeIPv6(a, start, end, colons) {
		return
	}
	f.add(start, f.zone(end), IP)
}

// wholeIPv6 says whether an address outside the ranges that are assigned was
// written as one: in eight groups that are not those of an EUI-64, or beside a
// word that says so.
func (f *finder) wholeIPv6(a [8]uint16, start, end, colons int) bool {
	if a[0]|a[1]|a[2]|a[3]|a[4] == 0 {
		return false
	}
	pairs := end-start == 23
	for _, v := range a {
		pairs = pairs && v < 0x100
	}
	return colons == 7 && !pairs || f.near(start, end)&ctxIP != 0 && colons > 3
}

// zone is the end of a zone such as "%eth0" that begins at i, else i.
func (f *finder) zone(i int) int {
	if f.at(i) != '%' || !isAlnum(f.at(i+1)) {
		return i
	}
	j := i + 1
	if f.at(j) == '2' && f.at(j+1) == '5' && isAlnum(f.at(j+2)) {
		j += 2 // RFC 6874 in URLs
	}
	for j < len(f.t) && j < i+20 && (isAlnum(f.t[j]) || bytesIn(f.t[j], "._-")) {
		j++
	}
	for bytesIn(f.t[j-1], ".-") {
		j--
	}
	return j
}

func bytesIn(b byte, set string) bool {
	for i := range len(set) {
		if set[i] == b {
			return true
		}
	}
	return false
}

// assigned says whether an address lies in a range that IANA has given a use
// and that names a host or group (registry of 2024), loopback and mapped
// loopback apart.
func assigned(a [8]uint16) bool {
	switch {
	case a[0]&0xe000 == 0x2000, a[0]&0xfe00 == 0xfc00, a[0]&0xffc0 == 0xfe80, a[0]&0xff00 == 0xff00:
		return true
	case a[0] == 0x64 && a[1] == 0xff9b, a[0] == 0x100 && a[1] == 0, a[0] == 0x5f00:
		return true
	case a[0]|a[1]|a[2]|a[3] == 0 && (a[4] == 0 || a[4] == 0xffff && a[5] == 0):
		if a[5] != 0xffff && a[4] != 0xffff {
			return false
		}
		return !leftAlone([4]byte{byte(a[6] >> 8), byte(a[6]), byte(a[7] >> 8), byte(a[7])})
	}
	return false
}

// parseIPv6 reads an address at the start of t and gives its length, 0 for
// none.
func parseIPv6(t []byte) (a [8]uint16, n int) {
	groups, gap, i := 0, -1, 0
	if len(t) > 1 && t[0] == ':' {
		if t[1] != ':' {
			return a, 0
		}
		gap, i = 0, 2
	}
	for groups < 8 && i < len(t) && isHex(t[i]) {
		v, d := hexGroup(t[i:])
		if d > 4 {
			return a, 0
		}
		if v4, size := ipv4Tail(t[i:], d); size > 0 && groups <= 6 {
			a[groups], a[groups+1] = uint16(v4[0])<<8|uint16(v4[1]), uint16(v4[2])<<8|uint16(v4[3])
			groups, i = groups+2, i+size
			break
		}
		a[groups] = v
		groups, i = groups+1, i+d
		if i+1 >= len(t) || t[i] != ':' || t[i+1] != ':' && (!isHex(t[i+1]) || groups == 8) {
			break
		}
		if i++; t[i] == ':' {
			if gap >= 0 {
				return a, 0
			}
			gap, i = groups, i+1
		}
	}
	if gap < 0 && groups != 8 || gap >= 0 && groups == 8 {
		return a, 0
	}
	if gap >= 0 {
		tail := groups - gap
		copy(a[8-tail:], a[gap:groups])
		clear(a[gap : 8-tail])
	}
	return a, i
}

// hexGroup reads up to five hex digits; five are too many for a group.
func hexGroup(t []byte) (v uint16, n int) {
	for n < len(t) && n < 5 && isHex(t[n]) {
		v = v<<4 | uint16(hexValue(t[n]))
		n++
	}
	return v, n
}

// ipv4Tail reads the dotted IPv4 address at the start of t, whose first part
// has d digits.
func ipv4Tail(t []byte, d int) (a [4]byte, n int) {
	if d >= len(t) || t[d] != '.' {
		return a, 0
	}
	n = dotted(t)
	a, ok := parseIPv4(t[:n])
	if !ok {
		return a, 0
	}
	return a, n
}

// dotted is the length of the digits and dots at the start of t.
func dotted(t []byte) int {
	n := 0
	for n < len(t) && n < 16 && (isDigit(t[n]) || t[n] == '.') {
		n++
	}
	for n > 0 && t[n-1] == '.' {
		n--
	}
	return n
}
