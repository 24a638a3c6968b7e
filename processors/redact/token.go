package redact

import (
	"bytes"
	"slices"
)

// charset is the set of characters that the body of a token is made of.
type charset uint8

const (
	csDigits charset = iota
	csHex
	csLowerHex
	csUpper   // A-Z 0-9
	csBase32  // A-Z 2-7
	csLower   // a-z 0-9
	csAlnum   // A-Z a-z 0-9
	csURL     // and - _
	csDotted  // and - _ .
	csBase64  // and + / - _ =
	csAnyByte // whatever stands in a URL's path
	csBase64Dotted
	csEscaped // and - _ %
	csCount
)

var charsets = func() (t [csCount][256]bool) {
	for i := range 256 {
		b := byte(i)
		up, lo, di := b-'A' < 26, b-'a' < 26, isDigit(b)
		t[csDigits][i] = di
		t[csHex][i] = isHex(b)
		t[csLowerHex][i] = di || b-'a' < 6
		t[csUpper][i] = up || di
		t[csBase32][i] = up || b-'2' < 6
		t[csLower][i] = lo || di
		t[csAlnum][i] = up || lo || di
		t[csURL][i] = up || lo || di || b == '-' || b == '_'
		t[csDotted][i] = t[csURL][i] || b == '.'
		t[csBase64][i] = t[csURL][i] || b == '+' || b == '/' || b == '='
		t[csBase64Dotted][i] = t[csBase64][i] || b == '.'
		t[csEscaped][i] = t[csURL][i] || b == '%'
		t[csAnyByte][i] = t[csDotted][i] || b == '/' || b == '+' || b == '='
	}
	return t
}()

// vendorRule is one kind of token: a literal prefix, then a body.
type vendorRule struct {
	vendor   string
	prefix   string
	body     charset
	min, max int // length of the body in bytes
	check    func(token []byte, prefix int) bool
	needs    hint // a word that has to stand nearby; 0 for none
}

// rulesByByte are the rules by the first byte of their prefix.
var rulesByByte = func() (t [256][]*vendorRule) {
	for i := range vendorRules {
		r := &vendorRules[i]
		t[r.prefix[0]] = append(t[r.prefix[0]], r)
	}
	for _, rules := range t {
		// Where one prefix begins another, the longer is tried first.
		slices.SortStableFunc(rules, func(a, b *vendorRule) int { return len(b.prefix) - len(a.prefix) })
	}
	return t
}()

// longPrefix says by the first byte whether a rule's prefix goes on beyond a
// word, with a dot, dash or colon.
var longPrefix = func() (t [256]bool) {
	for i := range vendorRules {
		if bytes.ContainsAny([]byte(vendorRules[i].prefix), ".-:$=") {
			t[vendorRules[i].prefix[0]] = true
		}
	}
	return t
}()

// dashedBody says by the first byte whether a rule's prefix ends a word whose
// body may have a dash before its first digit.
var dashedBody = func() (t [256]bool) {
	for i := range vendorRules {
		if charsets[vendorRules[i].body]['-'] {
			t[vendorRules[i].prefix[0]] = true
		}
	}
	return t
}()

// token finds a vendor's token that begins with the word [start, end): the
// formats are the vendors' own, see vendors.go. A token ends where its
// characters do, at a length that the vendor issues.
func (f *finder) token(start, end int) {
	rules := rulesByByte[f.t[start]]
	if len(rules) > 0 && start >= f.blockEnd {
		f.vendorToken(start, rules)
	}
	if b := f.at(end); end-start >= 17 || b == ':' || b == '.' || b == '~' {
		f.unprefixed(start, end)
	}
}

func (f *finder) vendorToken(start int, rules []*vendorRule) {
	t := f.t
	for _, r := range rules {
		if len(t)-start < len(r.prefix)+min(r.min, minCut) || len(r.prefix) > 1 && t[start+1] != r.prefix[1] || string(t[start:start+len(r.prefix)]) != r.prefix {
			continue
		}
		if b := f.at(start - 1); b == barrier || b == '-' && isAlnum(f.at(start-2)) || b == '+' {
			return
		}
		body := start + len(r.prefix)
		end := body
		for limit := min(len(t), body+r.max+1); end < limit && charsets[r.body][t[end]]; end++ {
		}
		for end > body && bytesIn(t[end-1], ".-/") {
			end-- // a full stop or dash after the token
		}
		if n := end - body; n > r.max || f.glued(end) || r.body != csEscaped && placeholder(t[body:end]) || n < r.min && !r.cutShort(t[body:end]) {
			continue
		}
		if r.check != nil && !r.check(t[start:end], len(r.prefix)) {
			continue
		}
		if r.needs != 0 && f.near(start, end)&r.needs == 0 {
			continue
		}
		f.add(start, end, Secret)
		return
	}
}

// minCut is the shortest body of a token that was not pasted whole.
const minCut = 16

// cutShort says whether the body of a token is most of one: people lose the end,
// and what is left is secret still. The prefix has to be one that nothing else
// has.
func (r *vendorRule) cutShort(body []byte) bool {
	if r.check != nil && r.vendor != "GitHub" || len(r.prefix) < 4 || !bytes.ContainsAny([]byte(r.prefix), "_-") && r.prefix != "AIza" || len(body) < max(minCut, r.min*2/3) || r.min > 80 {
		return false
	}
	k := countKinds(body)
	return k.digits > 1 && k.letters > 3 && k.others < 3 && entropy(body) >= 3.5
}

// placeholder says whether what should be random is an example: few different
// characters, a run of x or stars, a word that says so, or letters alone in
// one case.
func placeholder(body []byte) bool {
	var seen [256]bool
	distinct, run, longest := 0, 1, 1
	for i, b := range body {
		if !seen[b] {
			seen[b] = true
			distinct++
		}
		if i > 0 && b == body[i-1] {
			run++
			longest = max(longest, run)
		} else {
			run = 1
		}
	}
	if distinct < 5 && len(body) > 8 || distinct < 3 || longest >= 6 {
		return true
	}
	for _, word := range [...]string{"example", "xxxx", "your_", "your-", "yourkey", "yourtoken", "yoursecret", "yourapi", "placeholder", "redacted"} {
		if containsFold(body, word) && !endsExample(body) {
			return true
		}
	}
	return false
}

// endsExample says whether a body is random but for "EXAMPLE" near its end, as
// in the documentation of AWS: people paste real ones in its place.
func endsExample(body []byte) bool {
	at := bytes.LastIndex(body, []byte("EXAMPLE"))
	return at >= 8 && len(body)-at <= 10 && mixed(body[:at])
}

// containsFold says whether t contains a word given in lower case.
func containsFold(t []byte, word string) bool {
	for i := 0; i+len(word) <= len(t); i++ {
		if lower(t[i]) == word[0] && equalFold(t[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// mixed says whether a body has at least two of upper case, lower case and
// digits, as random text of some length has.
func mixed(body []byte) bool {
	var up, lo, di bool
	for _, b := range body {
		up = up || b-'A' < 26
		lo = lo || b-'a' < 26
		di = di || isDigit(b)
	}
	return up && lo || up && di || lo && di
}

// unprefixed finds tokens whose structure tells them: Discord's and Telegram's
// bot tokens, webhook addresses of chat services.
func (f *finder) unprefixed(start, end int) {
	if f.glued(start-1) || f.at(start-1) == '-' || f.at(start-1) == '/' && !bytes.HasSuffix(f.t[:start], []byte("/bot")) {
		return
	}
	switch f.at(end) {
	case ':':
		f.telegram(start, end)
		f.messaging(start, end)
	case '.':
		f.discord(start)
	case '-':
		f.discord(start)
		f.hexParts(start, end)
	case '~':
		f.azureSecret(start, end)
	default:
		f.suffixed(start, end)
	}
}

// messaging finds a server key of Firebase Cloud Messaging (its legacy HTTP
// protocol): "AAAA" and seven characters, a colon, and 140.
func (f *finder) messaging(start, colon int) {
	if colon-start != 11 || string(f.t[start:start+4]) != "AAAA" {
		return
	}
	end := colon + 1
	for end < len(f.t) && end-colon <= 141 && charsets[csURL][f.t[end]] {
		end++
	}
	if end-colon-1 >= 134 && end-colon-1 <= 140 && !f.glued(end) {
		f.add(start, end, Secret)
	}
}

// hexParts finds a Mailchimp key, 32 hex digits and "-us12" for its data
// centre, and Mailgun's, 32-8-8 (their API documentation).
func (f *finder) hexParts(start, dash int) {
	t := f.t
	if dash-start != 32 || placeholder(t[start:dash]) {
		return
	}
	for _, b := range t[start:dash] {
		if !charsets[csLowerHex][b] {
			return
		}
	}
	end := dash + 1
	if f.at(end) == 'u' && f.at(end+1) == 's' && isDigit(f.at(end+2)) {
		for end += 2; isDigit(f.at(end)); end++ {
		}
	} else {
		for end < len(t) && end < dash+18 && (isHex(t[end]) || end == dash+9 && t[end] == '-') {
			end++
		}
		if end != dash+18 {
			return
		}
	}
	if !f.glued(end) && f.at(end) != '-' {
		f.add(start, end, Secret)
	}
}

// azureSecret finds a client secret of Microsoft Entra: three characters, a
// digit, "Q~" and 31 to 34 more.
func (f *finder) azureSecret(start, tilde int) {
	if tilde-start != 5 || f.t[tilde-1] != 'Q' || !isDigit(f.t[tilde-2]) {
		return
	}
	end := tilde + 1
	for end < len(f.t) && end-tilde < 36 && (charsets[csDotted][f.t[end]] || f.t[end] == '~') {
		end++
	}
	for bytesIn(f.t[end-1], ".-") {
		end--
	}
	if n := end - tilde - 1; n >= 31 && n <= 34 && mixed(f.t[tilde+1:end]) {
		f.add(start, end, Secret)
	}
}

// suffixed finds what its end tells: New Relic's license keys and MaxMind's.
func (f *finder) suffixed(start, end int) {
	w := f.t[start:end]
	switch {
	case len(w) == 40 && (string(w[36:]) == "NRAL" || string(w[34:]) == "FFFFNRAL"):
	case len(w) == 40 && string(w[36:]) == "_mmk" && w[6] == '_':
	case len(w) == 84 && string(w[76:80]) == "AZDO": // Azure DevOps
	default:
		return
	}
	f.add(start, end, Secret)
}

// telegram finds "<bot id>:<35 characters>" (Telegram Bot API, "Authorizing
// your bot"); "bot" may stand before it in a URL.
func (f *finder) telegram(start, colon int) {
	if colon-start > 3 && string(f.t[start:start+3]) == "bot" {
		start += 3
	}
	for _, b := range f.t[start:colon] {
		if !isDigit(b) {
			return
		}
	}
	end := colon + 1
	for end < len(f.t) && end-colon <= 36 && charsets[csURL][f.t[end]] {
		end++
	}
	if n := colon - start; n < 8 || n > 10 || end-colon-1 != 35 || !mixed(f.t[colon+1:end]) || placeholder(f.t[colon+1:end]) {
		return
	}
	f.add(start, end, Secret)
}

// discord finds a bot token: the user id in base64, a timestamp of six
// characters, an HMAC of 27 or more (Discord developer docs, "Authentication").
func (f *finder) discord(start int) {
	t := f.t
	var ends [3]int
	i := start
	for part := range 3 {
		from := i
		for i < len(t) && i-from < 50 && charsets[csURL][t[i]] {
			i++
		}
		ends[part] = i
		if part < 2 {
			if f.at(i) != '.' {
				return
			}
			i++
		}
	}
	id, stamp, mac := ends[0]-start, ends[1]-ends[0]-1, ends[2]-ends[1]-1
	if id < 23 || id > 28 || stamp < 6 || stamp > 7 || mac < 27 || mac > 40 {
		return
	}
	var text [24]byte
	n, ok := decodeBase64(text[:], t[start:ends[0]])
	if !ok {
		return
	}
	for _, b := range text[:n] {
		if !isDigit(b) {
			return
		}
	}
	f.add(start, ends[2], Secret)
}
