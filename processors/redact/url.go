package redact

import "bytes"

const maxAuthority = 512 // bytes

// urlCredentials finds user and password in the URL whose "://" is at i: the
// userinfo of RFC 3986, 3.2.1, in any scheme, so in connection strings of
// databases and brokers too. The span is the userinfo without its "@". A user
// alone is no secret unless it looks like a token; placeholders such as
// "<password>" or "${PASS}" are none.
func (f *finder) urlCredentials(i int) {
	t := f.t
	if i == 0 || !isAlnum(t[i-1]) {
		return
	}
	start := i + 3
	f.webhook(start)
	f.numericHost(start)
	at, colon := -1, -1
	for j := start; j < len(t) && j < start+maxAuthority; j++ {
		b := t[j]
		if b <= ' ' || bytesIn(b, "/?#\"<>\\`") || b == barrier {
			break
		}
		if b == '@' {
			at = j
		}
		if b == ':' && colon < 0 {
			colon = j
		}
	}
	if at <= start || at+1 >= len(t) || !isAlnum(t[at+1]) && t[at+1] != '[' && t[at+1] != '/' {
		return
	}
	if colon < 0 || colon > at {
		if user := t[start:at]; len(user) >= 20 && mixed(user) && !placeholder(user) {
			f.add(start, at, URLCredentials)
		}
		return
	}
	if password := t[colon+1 : at]; len(password) == 0 || isVariable(password) {
		return
	}
	f.add(start, at, URLCredentials)
}

// dsn finds user and password before the '@' at i where no scheme is written:
// "user:password@tcp(" and "@unix(" of Go's MySQL driver, "user/password@//host"
// of Oracle's easy connect.
func (f *finder) dsn(i int) {
	rest := f.t[i+1:]
	sep := byte(':')
	switch {
	case bytes.HasPrefix(rest, []byte("tcp(")), bytes.HasPrefix(rest, []byte("unix(")):
	case len(rest) > 2 && rest[0] == '/' && rest[1] == '/' && isAlnum(rest[2]):
		sep = '/'
	default:
		return
	}
	start, at := i, -1
	for start > 0 && i-start < 100 && f.t[start-1] > ' ' && f.t[start-1] < 0x80 && !bytesIn(f.t[start-1], "\"'`=,;(<>") {
		start--
		if f.t[start] == sep {
			at = start
		} else if f.t[start] == ':' {
			start++ // "jdbc:oracle:thin:scott/tiger@//"
			break
		}
	}
	if at > start && at+1 < i && f.at(start-1) != barrier && !isVariable(f.t[at+1:i]) {
		f.add(start, i, URLCredentials)
	}
}

// webhooks are addresses that let whoever knows them post: the rest of the path
// is the secret. From Slack's, Discord's, Microsoft's and Google's descriptions.
var webhooks = [...]struct {
	host  string
	parts int // of the path after host, that are the secret
	min   int // length of that in bytes
}{
	{"hooks.slack.com/services/", 3, 40},
	{"hooks.slack.com/workflows/", 4, 40},
	{"hooks.slack.com/triggers/", 3, 30},
	{"discord.com/api/webhooks/", 2, 70},
	{"discordapp.com/api/webhooks/", 2, 70},
	{"canary.discord.com/api/webhooks/", 2, 70},
	{"ptb.discord.com/api/webhooks/", 2, 70},
	{"outlook.office.com/webhook/", 4, 100},
	{"hooks.zapier.com/hooks/catch/", 2, 12},
	{"maker.ifttt.com/use/", 1, 20},
}

// webhook finds the secret path of a webhook whose host begins at i.
func (f *finder) webhook(i int) {
	if !f.e.on[Secret] {
		return
	}
	for _, h := range webhooks {
		if len(f.t)-i < len(h.host)+h.min || lower(f.t[i]) != h.host[0] || !equalFold(f.t[i:i+len(h.host)], h.host) {
			continue
		}
		start := i + len(h.host)
		end, last, slashes := start, start, 0
		for end < len(f.t) && end-start < 400 && (charsets[csURL][f.t[end]] || f.t[end] == '/' || f.t[end] == '@') {
			if f.t[end] == '/' {
				if slashes++; slashes == h.parts {
					break
				}
				last = end + 1
			}
			end++
		}
		if end-start >= h.min && slashes >= h.parts-1 && !placeholder(f.t[last:end]) {
			f.add(start, end, Secret)
		}
	}
}

// numericHost finds an IPv4 address written as one number, decimal or after 0x,
// as browsers take it for a URL's host (WHATWG URL, 3.5).
func (f *finder) numericHost(i int) {
	if !f.e.on[IP] {
		return
	}
	v, j := 0, i
	if f.at(i) == '0' && lower(f.at(i+1)) == 'x' {
		for j = i + 2; j < len(f.t) && j < i+11 && isHex(f.t[j]); j++ {
			v = v<<4 | hexValue(f.t[j])
		}
	} else {
		for j < len(f.t) && j < i+11 && isDigit(f.t[j]) {
			v = v*10 + int(f.t[j]-'0')
			j++
		}
	}
	if v < 1<<24 || v >= 1<<32 || f.glued(j) || bytesIn(f.at(j), ".-@") {
		return
	}
	if !leftAlone([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}) {
		f.add(i, j, IP)
	}
}

// isVariable says whether a value stands for another: "${X}", "$X", "%s",
// "{{x}}", "<x>", or only stars, dots or the letter x.
func isVariable(v []byte) bool {
	if v[0] == '$' && len(v) > 1 && (v[1] == '{' || v[1] == '(' || v[1]-'A' < 26 || v[1] == '_') || v[0] == '{' || v[0] == '<' || v[0] == '%' && len(v) < 4 {
		return true
	}
	for _, b := range v {
		if !bytesIn(lower(b), "x*.-_#?") {
			return false
		}
	}
	return true
}
