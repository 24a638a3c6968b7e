package redact

// mac finds the hardware address that begins with the word [start, end): EUI-48
// as IEEE 802 writes it, six pairs with colons or dashes, or as three fours with
// dots. Zero and broadcast are left alone.
func (f *finder) mac(start, end int) {
	t, width := f.t, end-start
	sep := f.at(end)
	switch {
	case width == 2 && (sep == ':' || sep == '-'):
	case width == 4 && sep == '.':
	default:
		return
	}
	if f.glued(start-1) || f.at(start-1) == sep && f.groupBefore(start-1, width) {
		return
	}
	stop := start + 12 + 12/width - 1
	if stop > len(t) {
		return
	}
	or, and := 0, 0xf
	for i := start; i < stop; i++ {
		if (i-start)%(width+1) == width {
			if t[i] != sep {
				return
			}
			continue
		}
		if !isHex(t[i]) {
			return
		}
		or |= hexValue(t[i])
		and &= hexValue(t[i])
	}
	if f.glued(stop) || f.at(stop) == sep && isAlnum(f.at(stop+1)) || or == 0 || and == 0xf {
		return
	}
	f.add(start, stop, MAC)
}

// groupBefore says whether a group of the same width ends before i.
func (f *finder) groupBefore(i, width int) bool {
	for k := 1; k <= width; k++ {
		if !isHex(f.at(i - k)) {
			return false
		}
	}
	return !isAlnum(f.at(i - width - 1))
}
