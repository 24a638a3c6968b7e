package redact

import (
	"bytes"
)

// secretKey is how the name of an assigned secret ends, without - and _.
type secretKey struct {
	name string
	min  int  // shortest value taken
	weak bool // a password: people choose it, so any two kinds of character do
}

// secretKeys are the names by their last byte, in lower case; the words for a
// password in the languages that people chat in are among them.
var secretKeys = func() (t [256][]secretKey) {
	add := func(size int, weak bool, names ...string) {
		for _, n := range names {
			t[n[len(n)-1]] = append(t[n[len(n)-1]], secretKey{n, size, weak})
		}
	}
	add(6, true, "password", "passwd", "passwort", "passphrase", "passcode", "passwrd", "pwd", "pass", "pw", "psw",
		"kennwort", "contraseña", "contrasena", "motdepasse", "mdp", "senha", "palavrapasse", "parola", "hasło", "haslo", "wachtwoord", "lösenord", "passord",
		"identifiedby", "converttosecurestring", "adgangskode", "salasana", "jelszó", "heslo", "şifre", "sifre", "пароль", "Пароль", "ПАРОЛЬ", "密码", "密碼", "口令", "パスワード", "暗証番号", "비밀번호", "비번",
		"mậtkhẩu", "รหัสผ่าน", "סיסמה", "סיסמא", "كلمةالسر", "كلمةالمرور", "κωδικός", "पासवर्ड")
	add(10, false, "secret")
	add(12, false, "apikey", "secretkey", "accesskey", "authkey", "encryptionkey", "accountkey", "signingkey", "licensekey", "masterkey", "sharedkey", "consumerkey",
		"clientkey", "appkey", "applicationkey", "subscriptionkey", "deploykey", "storagekey", "servicekey", "sessionkey", "cryptkey", "hmackey", "webhookkey", "serverkey",
		"token", "tokens", "credential", "credentials", "bearer", "auth", "secretkeybase", "signingsecret", "clientsecret", "appsecret", "apisecret", "apitoken", "accesstoken", "authtoken")
	add(8, false, "authorization")
	add(16, false, "privatekey")
	add(40, false, "sig", "amzsignature")
	add(20, false, "?key", "&key")
	return t
}()

const maxValue = 512 // bytes of an assigned value

// assignment finds the value in "password=…", "api_key: …" and the like, with
// '=' or ':' at i, and that of an Authorization header (RFC 9110, 11.6.2). The
// name has to end in one that says secret; the value needs the length and the
// mixture of characters of one, and no sign of being an expression, a
// placeholder or prose.
func (f *finder) assignment(i int) {
	start := i + 1
	for start < len(f.t) && start < i+4 && bytesIn(f.t[start], "=> :\t") {
		start++
	}
	if key := f.keyBefore(i); key != nil {
		if f.t[i] != ':' || !f.inAuthority(i) { // that is for urlCredentials
			f.value(start, key)
		}
	} else if start == i+2 && f.t[i] == ':' {
		f.described(i, start)
	} else if start == i+1 && f.t[i] == ':' && isAlnum(f.at(i-1)) {
		f.account(i)
	}
}

// account finds the password in "creds admin:…", whose colon is at i.
func (f *finder) account(i int) {
	from := i
	for from > 0 && i-from < 40 && (isAlnum(f.t[from-1]) || bytesIn(f.t[from-1], "._-@")) {
		from--
	}
	var buf [12]byte
	end := from
	for end > 0 && from-end < 4 && bytesIn(f.t[end-1], " :=\"'") {
		end--
	}
	word := end
	for word > 0 && end-word < 12 && isAlpha(f.t[word-1]) {
		word--
	}
	if end < from && accountWords[string(lowerInto(buf[:], f.t[word:end]))] {
		f.value(i+1, &optionKey)
	}
}

// lowerInto is a word in lower case, in buf.
func lowerInto(buf, w []byte) []byte {
	n := copy(buf, w)
	for i := range n {
		buf[i] = lower(buf[i])
	}
	return buf[:n]
}

// accountWords say that a user's name and password follow.
var accountWords = map[string]bool{"creds": true, "cred": true, "credentials": true, "credential": true, "login": true, "logins": true, "userpass": true, "auth": true}

// described finds the password in "password for the door: …", whose colon is at
// i: its value has to have three kinds of character.
func (f *finder) described(i, start int) {
	end := start
	for end < len(f.t) && end-start < 40 && f.t[end] > ' ' && f.t[end] < 0x80 {
		end++
	}
	k := countKinds(f.t[start:end])
	if end-start < 8 || k.digits == 0 || k.upper == 0 || k.upper == k.letters && k.symbols == 0 {
		return
	}
	from := max(0, i-40)
	for _, link := range [...]string{" for ", " to ", " of ", " on "} {
		at := bytes.LastIndex(f.t[from:i], []byte(link))
		if at < 0 {
			continue
		}
		if key := f.keyBefore(from + at); key != nil && key.weak {
			f.value(start, key)
			return
		}
	}
}

// element finds the text of an XML element such as "<password>…</password>",
// whose '>' is at i.
func (f *finder) element(i int) {
	key := f.keyBefore(i)
	if key == nil {
		return
	}
	for j := i - 1; j >= 0 && j > i-40; j-- {
		if b := f.t[j]; b == '<' {
			f.value(i+1, key)
			return
		} else if !isAlnum(b) && !bytesIn(b, "_-.:") {
			return
		}
	}
}

// value takes the value of a key that begins at start, quoted or not.
func (f *finder) value(start int, key *secretKey) {
	t := f.t
	for f.at(start) == '\\' && bytesIn(f.at(start+1), "\"'") {
		start++ // JSON within JSON
	}
	quote := byte(0)
	if b := f.at(start); b == '"' || b == '\'' || b == '`' {
		quote = b
		start++
	}
	scheme := ""
	if key.name == "authorization" || key.name == "auth" {
		start, scheme = f.afterScheme(start)
	}
	if key.name == "auth" && quote == 0 && f.at(start) == '(' {
		f.pair(start + 1)
		return
	}
	end := start
	phrase := key.name == "passphrase" && quote != 0
	for end < len(t) && end-start < maxValue && (t[end] > ' ' || phrase && t[end] == ' ') && t[end] != barrier {
		if b := t[end]; b == '\'' && quote == b && f.at(end+1) == b && end > start {
			end++ // YAML's quote within quotes
		} else if quote != 0 && b == quote || quote == 0 && (bytesIn(b, "\"'`,;<>)]}|") || b == '&' && f.parameter(end+1)) || b == '\\' && bytesIn(f.at(end+1), "\"'nrt") {
			break
		}
		end++
	}
	for end > start && quote == 0 && bytesIn(t[end-1], ".,;:?") {
		end--
	}
	if end-start == maxValue || f.at(end) == barrier || f.at(start-1) == barrier || end-start < key.min {
		return
	}
	v := t[start:end]
	if phrase && len(v) >= 16 && bytes.Count(v, []byte(" ")) > 1 || f.isVariableOfEnv(start, end) && key.weak {
		f.add(start, end, Secret)
		return
	}
	if scheme != "" && isCredential(v, scheme) || isSecretValue(v, key.weak, quote != 0) {
		f.add(start, end, Secret)
	}
}

// pair finds the password in ("user", "password"), whose bracket ends before
// start, as HTTP clients take it.
func (f *finder) pair(start int) {
	end := min(len(f.t), start+100)
	comma := bytes.IndexByte(f.t[start:end], ',')
	if comma < 2 || !bytesIn(f.t[start+comma-1], "\"'") {
		return
	}
	for start += comma + 1; f.at(start) == ' '; start++ {
	}
	if bytesIn(f.at(start), "\"'") {
		f.value(start, &optionKey)
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

// afterScheme is where the credentials of a header begin whose value begins at
// i, and the scheme before them in lower case (RFC 9110, 11.4); "-" for one
// that is not known, "" for none.
func (f *finder) afterScheme(i int) (at int, scheme string) {
	for _, s := range [...]string{"bearer ", "basic ", "token ", "digest ", "apikey ", "api-key ", "api-token ", "key=", "jwt ", "ssws ", "bot ", "sharedaccesssignature ", "genie-key ", "klaviyo-api-key "} {
		if i+len(s) < len(f.t) && equalFold(f.t[i:i+len(s)], s) {
			return i + len(s), s[:len(s)-1]
		}
	}
	return i, ""
}
