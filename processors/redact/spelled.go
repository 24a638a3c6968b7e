package redact

var (
	dotWord      = []byte(" dot ")
	dotWordUpper = []byte(" DOT ")
)

// mailHosts are the first labels of domains at which most people have their
// address; after "at" they say by themselves that an address follows.
var mailHosts = map[string]bool{
	"gmail": true, "googlemail": true, "yahoo": true, "ymail": true, "hotmail": true, "outlook": true, "live": true, "msn": true, "icloud": true,
	"protonmail": true, "proton": true, "aol": true, "gmx": true, "mail": true, "yandex": true, "fastmail": true, "zoho": true, "qq": true, "tutanota": true, "web": true,
}

// notLocal are the words before "at" that are a sentence's, not a mailbox's.
var notLocal = map[string]bool{
	"me": true, "us": true, "him": true, "her": true, "them": true, "it": true, "you": true, "look": true, "looking": true, "is": true, "are": true, "was": true,
	"be": true, "email": true, "mail": true, "mails": true, "address": true, "up": true, "here": true, "there": true, "available": true, "hosted": true, "someone": true,
	"found": true, "that": true, "this": true, "contact": true, "reach": true, "account": true, "and": true, "or": true, "work": true, "working": true,
}

func isDot(w []byte) bool { return equalFold(w, "dot") }

// spelled finds the address whose first "dot" after its "at" begins at i, as in
// "jane dot doe at example dot com", words set apart by single spaces. Signs in
// capitals speak for themselves; else the domain has to be one where people
// have mailboxes, or a word before it has to say that an address follows.
func (f *finder) spelled(i int) {
	host := f.wordBack(i)
	if host == i || f.at(host-1) != ' ' {
		return
	}
	at := f.wordBack(host)
	if at != host-3 || !equalFold(f.t[at:at+2], "at") {
		return
	}
	start := f.localBack(at)
	end := f.spelledDomain(host, i)
	if start == at || end == 0 || f.t[end-1] == barrier || f.glued(end) {
		return
	}
	loud := string(f.t[at:at+2]) == "AT" && string(f.t[i:i+3]) == "DOT"
	if !loud && (notLocal[lowerWord(f.t[f.wordBack(at):at-1])] || !mailHosts[lowerWord(f.t[host:i-1])] && f.words(max(0, start-contextBefore), start)&ctxEmail == 0) {
		return
	}
	f.add(start, end, Email)
}

// wordBack is where the word before the space at i-1 begins, i for none.
func (f *finder) wordBack(i int) int {
	j := i - 1
	for j > 0 && i-j < 40 && (isAlnum(f.t[j-1]) || bytesIn(f.t[j-1], "._-+")) {
		j--
	}
	if j < 0 || f.at(i-1) != ' ' || j == i-1 || f.at(j-1) == barrier {
		return i
	}
	return j
}

// localBack is where the local part before the "at" at i begins.
func (f *finder) localBack(i int) int {
	start := f.wordBack(i)
	for range 3 {
		dot := f.wordBack(start)
		if dot != start-4 || !isDot(f.t[dot:dot+3]) {
			break
		}
		before := f.wordBack(dot)
		if before == dot {
			break
		}
		start = before
	}
	return start
}

// spelledDomain is where the domain that begins at host and whose first "dot" is
// at i ends, 0 if its top-level name is none.
func (f *finder) spelledDomain(host, i int) int {
	label, end := host, 0
	for range 4 {
		if i+4 > len(f.t) || !isDot(f.t[i:i+3]) || f.t[i+3] != ' ' {
			break
		}
		label = i + 4
		end = label
		for end < len(f.t) && end-label < maxLabel && (isAlnum(f.t[end]) || f.t[end] == '-') {
			end++
		}
		if i = end + 1; f.at(end) != ' ' {
			break
		}
	}
	if end == 0 || !goodTLD(f.t[label:end]) || !knownTLD(f.t[label:end]) {
		return 0
	}
	return end
}

// lowerWord is a short word in lower case, for a look-up.
func lowerWord(w []byte) string {
	var b [40]byte
	return string(lowerInto(b[:], w))
}
