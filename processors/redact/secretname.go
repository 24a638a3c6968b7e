package redact

// keyBefore is the secret that the name before the sign at i says, or nil. The
// name of a "value" is the one that stands before it, as in XML attributes and
// lists of variables.
func (f *finder) keyBefore(i int) *secretKey {
	j := f.nameEnd(i)
	if j < 0 {
		return nil
	}
	if lower(f.t[j]) == 'e' && j >= 5 && equalFold(f.t[j-4:j+1], "value") && !isAlnum(f.t[j-5]) {
		k := j - 5
		for k > 0 && k > j-24 && bytesIn(f.t[k], " \t\r\n,\"'") {
			k--
		}
		j = k
	}
	if key := f.keyAt(j); key != nil {
		return key
	}
	short := f.withoutSuffix(j)
	if short == j || short < 0 {
		return nil
	}
	return f.keyAt(short)
}

// keyAt is the secret that the name whose last character is at j says, or nil.
func (f *finder) keyAt(j int) *secretKey {
	keys := secretKeys[lower(f.t[j])]
	for k := range keys {
		if f.endsWith(j, keys[k].name) {
			return &keys[k]
		}
	}
	if lower(f.t[j]) == 'y' && j > 3 && equalFold(f.t[j-2:j+1], "key") && f.isSecretKey(j-3) {
		return &someKey
	}
	return nil
}

// someKey is what a name such as "stripe_key" says: the value has to look drawn
// at random.
var someKey = secretKey{"key", 20, false}

// isSecretKey says whether the name that goes on with "key" after j is that of a
// secret: it says whose, and not that it is public or one of a table's.
func (f *finder) isSecretKey(j int) bool {
	if b := f.t[j]; b == '_' || b == '-' {
		j--
	} else if f.t[j+1] != 'K' || b-'a' >= 26 {
		return false
	}
	from := j + 1
	for from > 0 && j-from < 14 && isAlpha(f.t[from-1]) && !(from <= j && f.t[from]-'A' < 26 && f.t[from-1]-'a' < 26) {
		from--
	}
	var buf [16]byte
	return j+1-from > 1 && !openKeys[string(lowerInto(buf[:], f.t[from:j+1]))]
}

// openKeys go before "key" in names that are no secret's.
var openKeys = map[string]bool{
	"public": true, "pub": true, "primary": true, "foreign": true, "sort": true, "partition": true, "cache": true, "idempotency": true, "publishable": true, "hash": true,
	"range": true, "object": true, "index": true, "unique": true, "routing": true, "shard": true, "message": true, "search": true, "lookup": true, "translation": true,
	"file": true, "row": true, "composite": true, "group": true, "join": true, "map": true, "dict": true, "hot": true, "turn": true, "don": true, "mon": true, "whis": true,
	"site": true, "the": true, "a": true, "this": true, "item": true, "record": true, "s": true, "ssh": true, "host": true, "registry": true, "press": true, "hockey": true,
}

// withoutSuffix is where the name that ends at j ends without a number and
// without what says which of several it is, as in "api_key_2" and "tokenProd".
func (f *finder) withoutSuffix(j int) int {
	end := j
	for end > 0 && j-end < 5 && (isDigit(f.t[end]) || f.t[end] == '_') {
		end--
	}
	if end < j && !isAlpha(f.t[end]) && f.t[end] < 0x80 {
		return j
	}
	from := end + 1
	for from > 0 && end-from < 11 && f.t[from-1]-'a' < 26 {
		from--
	}
	if from > 1 && f.t[from-1]-'A' < 26 && f.t[from-2]-'a' < 26 {
		from--
	} else if from > 1 && (f.t[from-1] == '_' || f.t[from-1] == '-') {
		if nameSuffixes[string(f.t[from:end+1])] {
			return from - 2
		}
		return end
	} else {
		for from = end + 1; from > 0 && end-from < 11 && f.t[from-1]-'A' < 26; {
			from--
		}
		if from < 2 || f.t[from-1] != '_' {
			return end
		}
	}
	var buf [12]byte
	if nameSuffixes[string(lowerInto(buf[:], f.t[from:end+1]))] {
		if f.t[from-1] == '_' {
			from--
		}
		return from - 1
	}
	return end
}

var nameSuffixes = map[string]bool{
	"value": true, "prod": true, "production": true, "dev": true, "test": true, "staging": true, "live": true, "str": true, "string": true, "old": true, "new": true, "confirm": true,
	"confirmation": true, "plain": true, "plaintext": true, "raw": true, "default": true,
}

// nameEnd is the last character of the name before the sign at i, -1 for none.
func (f *finder) nameEnd(i int) int {
	j := i - 1
	for j >= 0 && j > i-5 && bytesIn(f.t[j], " \"'`:]\\") {
		j--
	}
	return j
}

// endsWith says whether the name that ends at j ends with name, - and _ apart,
// at the beginning of a word of it.
func (f *finder) endsWith(j int, name string) bool {
	for k := len(name) - 1; k >= 0; k-- {
		for j >= 0 && k < len(name)-1 && (f.t[j] == '_' || f.t[j] == '-' || f.t[j] == ' ' && len(name) > 5) {
			j--
		}
		if j < 0 || lower(f.t[j]) != name[k] {
			return false
		}
		j--
	}
	// "DB_PASSWORD", "dbPassword" and "mypassword" name one; "compass" does not.
	if len(name) <= 5 && isAlnum(name[0]) && j >= 0 && isAlpha(f.t[j]) {
		return f.t[j+1]-'A' < 26 && f.t[j]-'a' < 26 || name == "token" || name[0] == 'p' && name != "parola" && f.beforePass(j)
	}
	return true
}

// beforePass says whether what ends at j goes before "pass" and its like in the
// name of a password, as in "dbpass", and not in a word such as "compass".
func (f *finder) beforePass(j int) bool {
	from := j + 1
	for from > 0 && j-from < 12 && isAlpha(f.t[from-1]) {
		from--
	}
	switch w := f.t[from : j+1]; {
	case len(w) > 8:
		return false
	default:
		var buf [8]byte
		return !notBeforePass[string(lowerInto(buf[:], w))]
	}
}

var notBeforePass = map[string]bool{"com": true, "encom": true, "by": true, "tres": true, "sur": true, "over": true, "under": true, "em": true, "im": true, "out": true, "hall": true, "multi": true, "single": true, "two": true, "render": true, "boarding": true, "low": true, "high": true, "band": true}
