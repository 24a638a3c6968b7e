package redact

// decodeBase64 decodes t (standard or URL alphabet, padding optional) into dst
// as far as that goes, and gives the number of bytes; false where a character
// belongs to neither alphabet.
func decodeBase64(dst, t []byte) (int, bool) {
	var acc, nbits uint
	n := 0
	for _, b := range t {
		v := base64Value[b]
		if v < 0 {
			return n, b == '='
		}
		acc = acc<<6 | uint(v)
		if nbits += 6; nbits >= 8 {
			nbits -= 8
			if n == len(dst) {
				return n, true
			}
			dst[n] = byte(acc >> nbits)
			n++
		}
	}
	return n, true
}

var base64Value = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = int8(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}()
