package redact

// secretKey is how the name of an assigned secret ends, without - and _.
type secretKey struct {
	name string
	min  int  // shortest value taken
	weak bool // a password: people choose it, so any two kinds of character do
}

var secretKeys = [256][]secretKey{
	'd': {{"password", 6, true}, {"passwd", 6, true}, {"pwd", 6, true}},
	'e': {{"passphrase", 6, true}, {"passcode", 6, true}},
	's': {{"pass", 6, true}},
	'w': {{"pw", 6, true}},
	't': {{"secret", 10, false}},
	'y': {
		{"apikey", 12, false},
		{"secretkey", 12, false},
		{"accesskey", 12, false},
		{"privatekey", 16, false},
		{"authkey", 12, false},
		{"encryptionkey", 12, false},
		{"accountkey", 12, false},
		{"signingkey", 12, false},
		{"licensekey", 12, false},
		{"masterkey", 12, false},
	},
	'n': {{"token", 12, false}, {"authorization", 12, false}},
	'r': {{"bearer", 12, false}},
	'h': {{"auth", 12, false}},
	'g': {{"sig", 40, false}},
}

const maxValue = 512 // bytes of an assigned value

// assignment finds the value in "password=…", "api_key: …" and the like, with
// '=' or ':' at i, and that of an Authorization header (RFC 9110, 11.6.2). The
// name has to end in one that says secret; the value needs the length and the
// mixture of characters of one, and no sign of being an expression, a
// placeholder or prose.
func (f *finder) assignment(i int) {
	key := f.keyBefore(i)
	if key == nil {
		return
	}
	start := i + 1
	for start < len(f.t) && start < i+4 && bytesIn(f.t[start], "=> :") {
		start++
	}
	f.value(start, key)
}

// value takes the value of a key that begins at start, quoted or not.
func (f *finder) value(start int, key *secretKey) {
	t := f.t
	quote := byte(0)
	if b := f.at(start); b == '"' || b == '\'' || b == '`' {
		quote = b
		start++
	}
	if key.name == "authorization" {
		start = f.afterScheme(start)
	}
	end := start
	for end < len(t) && end-start < maxValue && t[end] > ' ' && t[end] != barrier {
		if b := t[end]; quote != 0 && b == quote || quote == 0 && (bytesIn(b, "\"'`,;<>)]}|") || b == '&' && f.parameter(end+1)) {
			break
		}
		end++
	}
	for end > start && quote == 0 && bytesIn(t[end-1], ".,;:!?") {
		end--
	}
	if end-start == maxValue || f.at(end) == barrier || f.at(start-1) == barrier {
		return
	}
	if end-start >= key.min && isSecretValue(t[start:end], key.weak) {
		f.add(start, end, Secret)
	}
}

// parameter says whether "name=" stands at i, as after "&" in a query.
func (f *finder) parameter(i int) bool {
	for j := i; j < len(f.t) && j < i+40; j++ {
		if classes[f.t[j]]&cWord == 0 && f.t[j] != '-' {
			return f.t[j] == '=' && j > i
		}
	}
	return false
}

// keyBefore is the secret that the name before the sign at i says, or nil.
func (f *finder) keyBefore(i int) *secretKey {
	j := i - 1
	for j >= 0 && j > i-4 && bytesIn(f.t[j], " \"'`:]") {
		j--
	}
	if j < 0 {
		return nil
	}
	keys := secretKeys[lower(f.t[j])]
	for k := range keys {
		if f.endsWith(j, keys[k].name) {
			return &keys[k]
		}
	}
	return nil
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
	if len(name) <= 5 && j >= 0 && isAlpha(f.t[j]) {
		return f.t[j+1]-'A' < 26 && f.t[j]-'a' < 26 || name == "token"
	}
	return true
}

// afterScheme is where the credentials of a header begin whose value begins at
// i.
func (f *finder) afterScheme(i int) int {
	for _, scheme := range [...]string{"bearer ", "basic ", "token ", "digest ", "apikey "} {
		if i+len(scheme) < len(f.t) && equalFold(f.t[i:i+len(scheme)], scheme) {
			return i + len(scheme)
		}
	}
	return i
}

// isSecretValue says whether a value could be a secret.
func isSecretValue(v []byte, weak bool) bool {
	if isVariable(v) || placeholder(v) || bytesIn(v[0], "+,.)") || containsFold(v, "hmac-sha") {
		return false
	}
	var letters, digits, others, upper, symbols int
	for _, b := range v {
		switch {
		case isDigit(b):
			digits++
		case isAlpha(b):
			letters++
			if b-'A' < 26 {
				upper++
			}
		case bytesIn(b, "()[]{}<>\\") && !weak:
			return false // code
		case b == '(' || b == '[' || b >= 0x80:
			return false
		default:
			others++
			if bytesIn(b, "!@#$%^&+=?~") {
				symbols++
			}
		}
	}
	if looksLikeURL(v) {
		return false
	}
	if weak {
		return letters > 0 && digits > 0 || symbols > 0 && (digits > 0 || upper > 0 && upper < letters && v[0] != '&') || digits >= 8
	}
	return digits > 1 && letters > 3 || digits > 0 && upper > 2 && letters-upper > 2 && len(v) >= 20
}

func looksLikeURL(v []byte) bool {
	for i := 0; i+2 < len(v); i++ {
		if v[i] == ':' && v[i+1] == '/' && v[i+2] == '/' {
			return true
		}
	}
	return v[0] == '/' || v[0] == '~' || v[0] == '.'
}
