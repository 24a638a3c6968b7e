package redact

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

const (
	maxLocal  = 64  // RFC 5321, 4.5.3.1.1
	maxDomain = 255 // RFC 5321, 4.5.3.1.2
	maxLabel  = 63  // RFC 1035, 2.3.4
)

// email finds the mailbox around the '@' at i, by RFC 5321 (2008) as RFC 6531
// (2012) internationalises it: a dot-string or quoted-string, and a domain or
// address literal. The domain needs a dot and a top-level name that exists or
// is reserved (RFC 2606, RFC 6762), so "user@host" and "pkg@1.2.3" are none.
//
// Of the characters that an atom allows, those that stand in URLs and code
// around addresses (/ = ? & | `) end the local part, so "?to=a@b.com" gives
// the address alone. What names an account on a machine is no mailbox:
// "git@host.tld:path", "user@host.tld:/path", "[user@host.tld ~]$", "ssh
// user@host.tld" and the user part of a URL are left alone; so are handles of
// the fediverse, "@user@host.tld", and masks of IRC, "nick!user@host.tld".
func (f *finder) email(i int) {
	from, to := i, i+1
	if f.at(i-1) == ' ' && f.at(to) == ' ' {
		if f.words(max(0, i-contextBefore), i)&ctxEmail == 0 {
			return
		}
		from, to = i-1, i+2 // "jane @ example.com"
	}
	end, tld := f.domain(to)
	if end == 0 {
		return
	}
	start := f.local(from)
	if start < 0 {
		return
	}
	if f.at(start) == '_' && f.at(end) == '_' {
		start++ // emphasis
	}
	if start == from || f.isAccount(start, i, end) || f.isHandle(start, from) {
		return
	}
	if tld >= 0 && !knownTLD(f.t[to:end]) {
		return
	}
	f.add(start, end, Email)
}

// isHandle says whether the local part [start, i) is that of a fediverse handle,
// of the mask of an IRC client, or a verb of a format such as "%s".
func (f *finder) isHandle(start, i int) bool {
	switch f.at(start - 1) {
	case '@':
		return true
	case '%', '$':
		return i-start == 1 || f.at(start-1) == '$'
	case '!', '~':
		return isAlnum(f.at(start-2)) || bytesIn(f.at(start-2), "_*!]")
	}
	return bytes.IndexByte(f.t[start:i], '!') >= 0
}

// domain reads what follows an '@' and gives its end and that of the last
// label's start, -1 for an address literal; 0, 0 for none.
func (f *finder) domain(i int) (end, tld int) {
	if f.at(i) == '[' {
		return f.literal(i), -1
	}
	t := f.t
	label, dots, limit := i, 0, min(len(t), i+maxDomain+1)
	for j := i; ; {
		var b byte
		if j < limit {
			b = t[j]
		}
		if n := domainRune(t[j:limit]); n > 0 {
			j += n
			continue
		}
		if dots > 0 {
			j = f.labelEnds(label, j)
			if b = 0; j < limit {
				b = t[j]
			}
		}
		if j == label || j-label > maxLabel || t[label] == '-' || t[j-1] == '-' {
			empty := j == label
			for j < limit && t[j] == '.' {
				j++
			}
			if empty && dots > 1 && !f.continues(j) && goodTLD(t[tld:label-1]) {
				return label - 1, tld // full stops after the address
			}
			return 0, 0
		}
		if b != '.' {
			if dots == 0 || !goodTLD(t[label:j]) || b == '_' && f.continues(j+1) || b == barrier || b == '@' || j-i > maxDomain {
				return 0, 0
			}
			return j, label
		}
		tld, label = label, j+1
		dots++
		j++
	}
}

// labelEnds is where a top-level label that was read from label to j ends: a
// name in ASCII before other letters, as where a script writes no spaces, and
// before hyphens.
func (f *finder) labelEnds(label, j int) int {
	k := label
	for k < j && f.t[k] < utf8.RuneSelf {
		k++
	}
	if k < j && k > label && f.at(j) != '.' {
		r, _ := utf8.DecodeRune(f.t[k:j])
		if isUnspaced(r) && goodTLD(f.t[label:k]) {
			j = k
		}
	}
	for k = j; k > label && f.t[k-1] == '-'; {
		k--
	}
	if k > label && j-k < 3 && f.at(j) != '.' {
		return k
	}
	return j
}

// continues says whether what stands at i would belong to a name.
func (f *finder) continues(i int) bool {
	return i < len(f.t) && (domainRune(f.t[i:]) > 0 || f.t[i] == barrier || f.t[i] == '_')
}

// domainRune is the length of a letter, digit or hyphen of a domain at the
// start of t, else 0.
func domainRune(t []byte) int {
	if len(t) == 0 {
		return 0
	}
	if b := t[0]; b < utf8.RuneSelf {
		if isAlnum(b) || b == '-' {
			return 1
		}
		return 0
	}
	return letterRune(t)
}

// letterRune is the length of a letter that is not ASCII at the start of t,
// else 0. Punctuation and symbols are not letters.
func letterRune(t []byte) int {
	r, n := utf8.DecodeRune(t)
	if r == utf8.RuneError || !isIDNLetter(r) {
		return 0
	}
	return n
}

// goodTLD says whether a label can be a top-level name: letters, or punycode.
func goodTLD(label []byte) bool {
	if len(label) < 2 {
		return false
	}
	if len(label) > 4 && bytes.EqualFold(label[:4], []byte("xn--")) {
		return true
	}
	for _, b := range label {
		if b < utf8.RuneSelf && !isAlpha(b) {
			return false
		}
	}
	return true
}

// literal reads an address literal, "[192.0.2.1]" or "[IPv6:…]".
func (f *finder) literal(i int) int {
	for j := i + 1; j < len(f.t) && j < i+50; j++ {
		switch b := f.t[j]; {
		case b == ']':
			inner := bytes.TrimPrefix(f.t[i+1:j], []byte("IPv6:"))
			if _, ok := parseIPv4(inner); ok {
				return j + 1
			}
			if _, n := parseIPv6(inner); n > 0 && n == len(inner) {
				return j + 1
			}
			return 0
		case !isAlnum(b) && b != '.' && b != ':':
			return 0
		}
	}
	return 0
}

// local is where the local part before the '@' at i begins; -1 for none.
func (f *finder) local(i int) int {
	if f.at(i-1) == '"' {
		return f.quoted(i - 1)
	}
	t, start := f.t, i
	floor := max(0, i-maxLocal-1)
	for start > floor {
		b := t[start-1]
		if b < utf8.RuneSelf {
			if !isAlnum(b) && bytes.IndexByte([]byte(".!#$%'*+-^_{}~"), b) < 0 {
				break
			}
			start--
			continue
		}
		r, n := utf8.DecodeLastRune(t[floor:start])
		if r == utf8.RuneError || !isIDNLetter(r) || t[start] < utf8.RuneSelf && start < i && isUnspaced(r) {
			break
		}
		start -= n
	}
	if i-start > maxLocal || start > 0 && t[start-1] == barrier || f.at(i-1) == '}' { // a template's field
		return -1
	}
	if dots := bytes.LastIndex(t[start:i], []byte("...")); dots >= 0 {
		start += dots + 3
	}
	for start < i && (bytes.IndexByte([]byte("!#$%'*+^{}~-"), t[start]) >= 0 || t[start] == '_' && f.at(start+1) == '_') {
		start++
	}
	if start == i || t[start] == '.' || t[i-1] == '.' || bytes.Contains(t[start:i], []byte("..")) {
		return -1
	}
	return start
}

// quoted reads a quoted local part backwards from its closing quote.
func (f *finder) quoted(closing int) int {
	for j := closing - 1; j >= 0 && j > closing-maxLocal; j-- {
		switch b := f.t[j]; {
		case b == '"' && f.at(j-1) != '\\':
			if j == closing-1 {
				return -1
			}
			return j
		case b < ' ' || b == barrier:
			return -1
		}
	}
	return -1
}

// isAccount says whether [start, end) with its '@' at i names an account on a
// machine rather than a mailbox.
func (f *finder) isAccount(start, i, end int) bool {
	t := f.t
	if f.inAuthority(start) || f.at(start-1) == '=' && (f.at(start-2) == 'n' || f.at(start-2) == 'i') && !isAlnum(f.at(start-3)) {
		return true // in a URL, or the mask of an IRC client
	}
	if string(t[i+1:end]) == "openssh.com" || string(t[i+1:end]) == "libssh.org" {
		return bytes.IndexByte(t[start:i], '-') > 0 // an algorithm's name, RFC 4251, 6
	}
	if f.afterRemoteShell(start) {
		return true
	}
	switch next := f.at(end); {
	case next == ':':
		after := f.at(end + 1)
		if after == '/' || after == '~' || string(t[start:i]) == "git" {
			return true
		}
		for j := end + 1; j < len(t) && j < end+100 && t[j] > ' '; j++ {
			if t[j] == '/' && isAlnum(after) {
				return true
			}
		}
	case next == ' ' && f.at(start-1) == '[':
		return true // [user@host ~]$
	case next == '\'' && bytes.HasPrefix(t[end:], []byte("'s password")):
		return true // as ssh asks
	}
	return false
}

// afterRemoteShell says whether the word at start is the first argument of ssh
// and its like, options and their values apart.
func (f *finder) afterRemoteShell(start int) bool {
	end := start
	value := false // whether the word after is only there as the value of an option
	for range 8 {
		if end == 0 || f.t[end-1] != ' ' {
			return false
		}
		end--
		from := end
		for from > 0 && end-from < 40 && f.t[from-1] > ' ' {
			from--
		}
		word := bytes.Trim(f.t[from:end], "\"'`$(")
		switch string(word) {
		case "ssh", "scp", "sftp", "rsync", "mosh", "sshfs", "ssh-copy-id":
			return !value
		}
		option := len(word) > 1 && word[0] == '-'
		if len(word) == 0 || value && !option || bytesIn(word[len(word)-1], ";|&.,:!?") {
			return false
		}
		value = !option
		end = from
	}
	return false
}

// inAuthority says whether the text before start is the beginning of a URL's
// authority: a scheme, "://", and no slash, question mark or space since.
func (f *finder) inAuthority(start int) bool {
	for j := start - 1; j >= 2 && j > start-200; j-- {
		switch b := f.t[j]; b {
		case '/':
			return f.t[j-1] == '/' && f.t[j-2] == ':'
		case ' ', '\n', '\t', '?', '#', '<', '>', '"', '\'', ',', '=', '&':
			return false
		}
	}
	return false
}

// reservedTLDs are no registry's but stand in mailboxes all the same.
var reservedTLDs = map[string]bool{
	"example": true, "test": true, "invalid": true, "onion": true,
	"local": true, "lan": true, "internal": true, "intranet": true, "corp": true, "home": true,
}

// knownTLD says whether the domain's last label is delegated (by the list of
// golang.org/x/net/publicsuffix) or reserved.
func knownTLD(domain []byte) bool {
	tld := bytes.ToLower(domain[bytes.LastIndexByte(domain, '.')+1:])
	for _, b := range tld {
		if b >= utf8.RuneSelf {
			return true
		}
	}
	if reservedTLDs[string(tld)] {
		return true
	}
	if _, icann := publicsuffix.PublicSuffix(string(tld)); icann {
		return true
	}
	// Some registries allow names only below a second level.
	return len(tld) == 2 || bytes.HasPrefix(tld, []byte("xn--"))
}
