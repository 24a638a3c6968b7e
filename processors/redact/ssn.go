package redact

// ssn finds the United States social security number that begins with the
// digits [start, end): area, group and serial in ranges that were issued (SSA
// POMS RM 10201.030 and .035, randomised since 2011). With dashes the form
// speaks for itself; with spaces or in one piece a word has to.
func (f *finder) ssn(start, end int) {
	t, sep := f.t, f.at(end)
	stop := end
	switch {
	case end-start == 3 && (sep == '-' || sep == ' ' || sep == '.'):
		stop = start + 11
		if stop > len(t) || t[start+6] != sep {
			return
		}
	case end-start == 9:
		sep = 0
	default:
		return
	}
	var d [9]byte
	n := 0
	for i := start; i < stop; i++ {
		if sep != 0 && (i == start+3 || i == start+6) {
			continue
		}
		if !isDigit(t[i]) {
			return
		}
		d[n] = t[i] - '0'
		n++
	}
	if b := f.at(start - 1); f.glued(start-1) || bytesIn(b, "/-+.#$") && b != 0 {
		return
	}
	if f.glued(stop) || bytesIn(f.at(stop), "-./") && isAlnum(f.at(stop+1)) || !issuedSSN(d) {
		return
	}
	if sep != '-' && f.near(start, stop)&ctxSSN == 0 {
		return
	}
	f.add(start, stop, SSN)
}

// issuedSSN says whether a number can belong to a person.
func issuedSSN(d [9]byte) bool {
	area := int(d[0])*100 + int(d[1])*10 + int(d[2])
	group := int(d[3])*10 + int(d[4])
	serial := int(d[5])*1000 + int(d[6])*100 + int(d[7])*10 + int(d[8])
	if area == 0 || area == 666 || area >= 900 || group == 0 || serial == 0 {
		return false
	}
	// Withdrawn after they were printed in advertisements.
	return !(area == 78 && group == 5 && serial == 1120) && !(area == 219 && group == 9 && serial == 9999)
}
