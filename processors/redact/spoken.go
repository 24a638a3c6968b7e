package redact

import "bytes"

var (
	bearer  = secretKey{"bearer", 16, false}
	pastKey = []string{" was changed to ", " has been changed to ", " was reset to ", " was set to ", " is now ", " set to ", " should be ", " will be ", " is: ", " is ", " was ", " ist ", " es ", " est ", " e ", " é ", " è ", " to "}
)

// spoken finds a secret that is said rather than assigned: "password is …",
// "Bearer …", "login jane password …" or, of a call, "api_key", "…". The word at
// start has a digit or is long, and may be the middle of the value.
func (f *finder) spoken(start int) {
	t := f.t
	from := start
	for from > 0 && start-from < 24 && t[from-1] > ' ' && t[from-1] != barrier {
		from--
	}
	if from < f.spokenEnd || from < 4 || t[from-1] != ' ' && t[from-1] != '\t' {
		return
	}
	if f.at(from-2) == ',' && bytesIn(t[from], "\"'") && bytesIn(f.at(from-3), "\"'") {
		if key := f.keyBefore(from - 2); key != nil {
			f.spokenEnd = from + 1
			f.value(from, key)
		}
		return
	}
	if !isAlpha(t[from-2]) && t[from-2] < 0x80 {
		return
	}
	if from >= 7 && equalFold(t[from-7:from], "bearer ") {
		f.spokenEnd = from + 1
		f.value(from, &bearer)
		return
	}
	for _, verb := range pastKey {
		if from < len(verb)+2 || string(t[from-len(verb):from]) != verb {
			continue
		}
		if key := f.keyBefore(from - len(verb)); key != nil {
			f.spokenEnd = from + 1
			f.value(from, key)
		} else {
			f.described(from-len(verb), from)
		}
		return
	}
	f.besideKey(from)
}

// besideKey finds the value at from that only a space sets apart from its name,
// as in a .netrc file: that takes a value that cannot be a word of a sentence.
func (f *finder) besideKey(from int) {
	key := f.keyBefore(from - 1)
	if key == nil || len(key.name) < 5 || key.name == "bearer" || key.name == "tokens" {
		return
	}
	end := from
	for end < len(f.t) && end-from < 100 && f.t[end] > ' ' {
		end++
	}
	v := bytes.Trim(f.t[from:end], "\"'`.,;:!?)")
	k := countKinds(v)
	switch {
	case len(v) < 8 || k.letters == 0 || k.digits == 0:
		return
	case key.weak && k.upper == 0 && k.symbols == 0 && k.digits < 3 || key.weak && (bytes.Contains(v, []byte("sha")) || bytes.IndexByte(v, '/') >= 0):
		return
	case !key.weak && (len(v) < 16 || k.digits < 3 || k.letters < 4):
		return
	}
	f.spokenEnd = from + 1
	f.value(from, key)
}

// option finds the password in "mysql -p…", "curl -u user:…" and "sshpass -p …",
// the dash at i.
func (f *finder) option(i int) {
	t := f.t
	if f.at(i-1) != ' ' || i+3 >= len(t) {
		return
	}
	before := t[max(0, i-100):i]
	switch {
	case t[i+1] == 'p' && t[i+2] != ' ' && (bytes.Contains(before, []byte("mysql")) || bytes.Contains(before, []byte("mariadb"))):
		f.value(i+2, &optionKey)
	case t[i+1] == 'p' && t[i+2] == ' ' && passwordOption(before, "sshpass", "docker login", "mongo", "az login", "htpasswd", "ldap"):
		f.value(i+3, &optionKey)
	case t[i+1] == 'a' && t[i+2] == ' ' && bytes.Contains(before, []byte("redis-cli")):
		f.value(i+3, &optionKey)
	case t[i+1] == 'u' && t[i+2] == ' ' && bytes.Contains(before, []byte("curl")):
		f.userPassword(i + 3)
	}
}

// passwordOption says whether one of the commands whose -p is a password was
// called before.
func passwordOption(before []byte, commands ...string) bool {
	for _, c := range commands {
		if bytes.Contains(before, []byte(c)) {
			return true
		}
	}
	return false
}

var optionKey = secretKey{"password", 6, true}

// userPassword takes "user:password" at start, as curl's -u has it.
func (f *finder) userPassword(start int) {
	t := f.t
	if bytesIn(f.at(start), "\"'") {
		start++
	}
	end, colon := start, 0
	for end < len(t) && end-start < 200 && t[end] > ' ' && t[end] != barrier && !bytesIn(t[end], "\"'`;|") {
		if t[end] == ':' && colon == 0 {
			colon = end
		}
		end++
	}
	if colon > start && end-colon > 4 && !isVariable(t[colon+1:end]) && !placeholder(t[colon+1:end]) && f.at(end) != barrier {
		f.add(start, end, Secret)
	}
}

// flag finds the value of a command's option such as "--password …", whose
// first dash is at i.
func (f *finder) flag(i int) {
	t, j := f.t, i+2
	for j < len(t) && j < i+40 && (isAlnum(t[j]) || t[j] == '-' || t[j] == '_') {
		j++
	}
	if j == i+2 || f.at(j) != ' ' {
		return
	}
	if string(t[i+2:j]) == "user" && bytes.Contains(t[max(0, i-100):i], []byte("curl")) {
		f.userPassword(j + 1)
	} else if key := f.keyBefore(j); key != nil {
		f.value(j+1, key)
	}
}
