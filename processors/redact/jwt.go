package redact

import "bytes"

const (
	maxJWTHeader = 2 << 10  // bytes of base64
	maxJWTPart   = 32 << 10 // bytes of any other part
)

// jwt finds the JSON Web Token that begins at start: compact JWS (RFC 7515,
// three parts) or JWE (RFC 7516, five), whose header decodes to a JSON object
// that names an algorithm.
func (f *finder) jwt(start, end int) {
	t := f.t
	if end-start < 10 || t[start] != 'e' || t[start+1] != 'y' {
		return
	}
	if b := f.at(start - 1); b == '-' || b == '.' || b == barrier {
		return
	}
	i := start
	for i < len(t) && i-start < maxJWTHeader && charsets[csURL][t[i]] {
		i++
	}
	var header [maxJWTHeader]byte
	n, ok := decodeBase64(header[:], t[start:i])
	if !ok || f.at(i) != '.' || n < 8 || header[0] != '{' || header[n-1] != '}' || !bytes.Contains(header[:n], []byte(`"alg"`)) {
		return
	}
	parts := 1
	last := i
	for parts < 5 && f.at(i) == '.' {
		from := i + 1
		for i = from; i < len(t) && i-from < maxJWTPart && charsets[csURL][t[i]]; i++ {
		}
		if i == from && parts != 1 && parts != 2 {
			break // an unsecured token ends in a dot, a JWE may lack its key
		}
		parts++
		last = i
	}
	switch {
	case parts < 3:
		return
	case parts < 5 && !f.jsonAfter(start):
		return
	}
	if f.glued(last) {
		return
	}
	f.add(start, last, JWT)
}

// jsonAfter says whether the second part of the token at start decodes to what
// begins as a JSON object.
func (f *finder) jsonAfter(start int) bool {
	dot := start + bytes.IndexByte(f.t[start:], '.')
	var head [3]byte
	n, _ := decodeBase64(head[:], f.t[dot+1:min(len(f.t), dot+5)])
	return n > 1 && head[0] == '{'
}
