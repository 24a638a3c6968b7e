package redact

import "bytes"

// Some forms are data only beside a word that says so. A hint is a set of
// such words, in the languages of the countries whose numbers are known here.
type hint uint32

const (
	ctxCard hint = 1 << iota
	ctxIP
	ctxVersion
	ctxPhone
	ctxSSN
	ctxIdentity // any word for a personal, tax, health or insurance number
	ctxSecret
	ctxCrypto
	ctxPhoneWord // a word that says phone and nothing else
	ctxOrder     // a word for a number that is nobody's
	ctxEmail
	ctxDial   // a word to dial a number that follows
	ctxMine   // a word that says whose something is
	ctxNumber // a word for a number of any kind
	ctxIDWord // a word that, after one of identity, says that a number follows
	ctxFiller // a word that may stand between the word for a number and the number
)

const (
	contextBefore = 56 // bytes looked at before a candidate
	contextAfter  = 24 // and after it
)

var contextWords = func() map[string]hint {
	m := map[string]hint{}
	for _, c := range []struct {
		ctx   hint
		words []string
	}{
		{ctxCard, []string{"card", "cards", "cc", "credit", "creditcard", "debit", "visa", "mastercard", "amex", "maestro", "discover", "unionpay", "jcb", "diners", "mir", "rupay", "pan", "cvv", "cvc", "exp", "expires", "expiry", "kreditkarte", "karte", "kartennummer", "carte", "tarjeta", "carta", "cartao", "kaart", "kort", "karta"}},
		{ctxIP, []string{"ip", "ips", "ipv4", "ipaddr", "ipaddress", "addr", "inet", "address", "ping", "pinging", "pinged", "ssh", "telnet", "dns", "nameserver", "nameservers", "resolver", "gateway", "gw", "router", "subnet", "network", "netmask", "host", "hosts", "server", "connect", "connecting", "connected", "traceroute", "route", "dhcp", "lan", "wan", "nat", "whois", "nslookup", "dig", "banned", "login", "listen", "bind", "src", "dst", "client", "proxy", "iptables", "ifconfig", "curl", "wget", "rdp", "vnc", "ftp", "smtp", "vpn"}},
		{ctxVersion, []string{"version", "versions", "ver", "v", "release", "released", "rel", "build", "kernel", "firmware", "driver", "drivers", "package", "pkg", "upgrade", "upgraded", "downgrade", "update", "updated", "firefox", "chrome", "gcc", "glibc", "libc", "xorg", "nvidia", "section", "chapter", "rfc", "changelog", "patch", "ubuntu", "debian", "linux", "flash", "java", "openoffice", "gnome", "kde", "assembly", "revision", "rev", "paragraph", "oid", "snmp"}},
		{ctxDial, []string{"call", "dial", "ring", "text", "phone", "ligue", "ligar", "llámame", "llamame", "llama", "llame", "appelle", "appelez", "appeler", "звоните", "позвоните", "звони", "ruf", "anrufen", "bel", "soita", "zadzwoń", "dzwoń", "chiama", "chiamami", "ringa", "whatsapp", "sms"}},
		{ctxMine, []string{"my", "his", "her", "our", "your", "their", "mein", "meine", "mon", "mi", "meu", "mio", "moj", "mój", "мой", "мій", "mijn", "min", "benim", "numaram"}},
		{ctxIDWord, []string{"id", "ids", "identifier", "no", "nr", "num", "code", "card", "document", "kod", "kort", "cédula", "identity", "identification", "identidad", "identité", "ausweis", "insurance", "security", "sécurité", "seguridad", "file"}},
		{ctxNumber, []string{"number", "numero", "número", "numéro", "nummer", "numer", "номер", "numara", "numaram", "nomor"}},
		{ctxFiller, []string{"number", "numbers", "no", "nr", "num", "is", "at", "on", "me", "us", "to", "ist", "es", "numero", "número", "numéro", "nummer", "номер", "números", "au", "al", "am", "the", "under", "for", "of", "a", "or", "and", "o", "ou", "oder", "или", "og", "of"}},
		{ctxEmail, []string{"email", "emails", "mail", "mails", "mailto", "emailed", "gmail", "reach", "contact", "address", "correo", "courriel", "adresse", "posta", "почта", "почту", "mailadresse", "emailaddress"}},
		{ctxPhoneWord | ctxPhone, []string{"tél", "teléf", "fono", "gsm", "tels", "mobiltelefon", "mobilnummer", "mobiel", "telefoonnummer", "telefonszám", "telefonu", "telefonum", "telefonní", "telefonskt", "matkapuhelin", "puh", "мобильный", "моб", "телефона", "телефону", "τηλέφωνο", "τηλ", "κινητό", "נייד", "טל", "جوال", "موبايل", "تلفون", "cep", "sđt", "đt", "thoại", "telp", "festnetz", "fernsprecher", "cellulare", "handynr", "telefonnr", "faxnummer", "telf", "whats", "zap", "voip", "mob", "ph", "callback", "smsto", "msisdn"}},
		{ctxPhone, []string{"ligue", "ligar", "ruf", "rufe", "bel", "belt", "ring", "zadzwoń", "dzwoń", "звоните", "позвоните", "звони", "appeler", "appelez", "llamar", "llámame", "llame", "chiama", "chiamami", "chiamare", "soita", "ringa", "jemanden", "joindre", "text", "texted", "nomor"}},
		{ctxPhoneWord | ctxPhone, []string{"phone", "phones", "tel", "telephone", "telefon", "telefono", "teléfono", "telefone", "téléphone", "mobile", "mobil", "cellphone", "fax", "sms", "whatsapp", "handy", "handynummer", "telefonnummer", "rufnummer", "viber", "hotline", "celular", "movil", "móvil", "puhelin", "telefoon", "tlf", "телефон", "тел", "telefonu", "電話", "电话", "手机", "전화", "phonenumber", "landline", "voicemail"}},
		{ctxPhone, []string{"call", "called", "calls", "calling", "cell", "text", "dial", "ring", "reach", "contact", "signal", "telegram", "portable", "anrufen", "appelle", "llama"}},
		{ctxOrder, []string{"order", "invoice", "ticket", "tracking", "bug", "error", "serial", "isbn", "issn", "ean", "upc", "sku", "pid", "uid", "gid", "port", "line", "ref", "case", "stack", "times", "page", "item", "part", "account", "acct", "invoiceno", "orderid", "po", "zip", "postcode", "batch", "lot", "rfc", "ids", "id", "timestamp", "epoch", "build", "version", "bytes", "sectors", "blocks", "transaction", "booking", "confirmation", "model", "commit", "hash", "user", "channel", "message", "sequence", "usb", "kernel", "pin", "size", "offset"}},
		{ctxSSN, []string{"ssn", "ssns", "social", "itin", "tin", "taxpayer"}},
		{ctxSecret, []string{"key", "keys", "apikey", "token", "tokens", "secret", "secrets", "password", "passwd", "credential", "credentials", "auth", "authorization", "bearer", "api"}},
		{ctxCrypto, []string{"btc", "bitcoin", "eth", "ethereum", "wallet", "crypto", "address", "addr", "ltc", "litecoin", "doge", "dogecoin", "donate", "donation", "tron", "trx", "usdt", "xrp", "ripple", "sol", "solana", "monero", "xmr"}},
		{ctxIdentity, []string{"identity", "identification", "national", "tax", "taxpayer", "insurance", "health", "citizen", "personal", "social", "fiscal", "identidad", "identité", "ausweis", "steuer", "passport", "passeport", "pasaporte", "passaporto", "reisepass", "licence", "license"}},
	} {
		for _, w := range c.words {
			m[w] |= c.ctx
		}
	}
	return m
}()

// wordBefore is the contexts of the word before start, words such as "number"
// and "is" left out, at most two of them.
func (f *finder) wordBefore(start int) hint {
	end := start
	for range 3 {
		for end > 0 && end > start-contextBefore && bytesIn(f.t[end-1], " .:=#\"'()-_*/,\t\\") {
			end--
		}
		from := end
		for from > 0 && end-from < 24 && classes[f.t[from-1]]&(cAlpha|cHigh) != 0 {
			from--
		}
		if from == end {
			return 0
		}
		if c := f.words(from, end); c&ctxFiller == 0 || c&(ctxPhoneWord|ctxOrder) != 0 {
			return c
		}
		end = from
	}
	return 0
}

// near is the contexts of the words shortly before and after [start, end).
func (f *finder) near(start, end int) hint {
	return f.words(max(0, start-contextBefore), start) | f.words(end, min(len(f.t), end+contextAfter))
}

// lastWord is the contexts of the word right before start.
func (f *finder) lastWord(start int) (c hint) {
	end := start
	for end > 0 && end > start-4 && bytesIn(f.t[end-1], " :=#\"'") {
		end--
	}
	from := end
	for from > 0 && end-from < 17 && isAlpha(f.t[from-1]) {
		from--
	}
	return f.words(from, end)
}

// scriptWords are words of scripts without spaces or with endings, found inside
// a run of letters.
var scriptWords = []struct {
	word string
	ctx  hint
}{
	{"電話", ctxPhoneWord | ctxPhone},
	{"連絡先", ctxPhoneWord | ctxPhone},
	{"联系方式", ctxPhoneWord | ctxPhone},
	{"휴대전화", ctxPhoneWord | ctxPhone},
	{"핸드폰", ctxPhoneWord | ctxPhone},
	{"연락처", ctxPhoneWord | ctxPhone},
	{"เบอร์", ctxPhoneWord | ctxPhone},
	{"मोबाइल", ctxPhoneWord | ctxPhone},
	{"फ़ोन", ctxPhoneWord | ctxPhone},
	{"ফোন", ctxPhoneWord | ctxPhone},
	{"மொபைல்", ctxPhoneWord | ctxPhone},
	{"邮箱", ctxEmail},
	{"メール", ctxEmail},
	{"이메일", ctxEmail},
	{"电话", ctxPhoneWord | ctxPhone},
	{"手机", ctxPhoneWord | ctxPhone},
	{"手機", ctxPhoneWord | ctxPhone},
	{"携帯", ctxPhoneWord | ctxPhone},
	{"전화", ctxPhoneWord | ctxPhone},
	{"휴대폰", ctxPhoneWord | ctxPhone},
	{"телефон", ctxPhoneWord | ctxPhone},
	{"هاتف", ctxPhoneWord | ctxPhone},
	{"טלפון", ctxPhoneWord | ctxPhone},
	{"โทร", ctxPhoneWord | ctxPhone},
	{"फोन", ctxPhoneWord | ctxPhone},
	{"カード", ctxCard},
	{"信用卡", ctxCard},
	{"银行卡", ctxCard},
	{"карт", ctxCard},
	{"카드", ctxCard},
	{"身份证", ctxIdentity},
	{"身份證", ctxIdentity},
	{"社会保障", ctxIdentity},
	{"паспорт", ctxIdentity},
	{"身分證", ctxIdentity},
	{"マイナンバー", ctxIdentity},
	{"個人番号", ctxIdentity},
	{"주민", ctxIdentity},
	{"บัตรประชาชน", ctxIdentity},
}

// words is the contexts of all words in [from, to), a word cut by from left
// out.
func (f *finder) words(from, to int) (c hint) {
	var word [24]byte
	f.eachWord(from, to, func(w []byte) {
		if w[0] >= 0x80 {
			for i := range scriptWords {
				if bytes.Contains(w, []byte(scriptWords[i].word)) {
					c |= scriptWords[i].ctx
				}
			}
		}
		if len(w) > len(word) {
			return
		}
		part := 0 // where the part of a name such as "phoneNumber" begins
		for i, b := range w {
			if i > 0 && b-'A' < 26 && w[i-1]-'a' < 26 {
				if part > 0 || i > 1 {
					c |= contextWords[string(word[part:i])]
				}
				part = i
			}
			word[i] = lower(b)
		}
		c |= contextWords[string(word[:len(w)])]
		if part > 1 {
			c |= contextWords[string(word[part:len(w)])]
		}
	})
	return c
}

// eachWord calls fn with every run of letters in [from, to).
func (f *finder) eachWord(from, to int, fn func(w []byte)) {
	t := f.t
	i := from
	for i > 0 && i < to && classes[t[i]]&(cAlpha|cHigh) != 0 && classes[t[i-1]]&(cAlpha|cHigh) != 0 {
		i++
	}
	for i < to {
		if classes[t[i]]&(cAlpha|cHigh) == 0 {
			i++
			continue
		}
		start := i
		for i < to && classes[t[i]]&(cAlpha|cHigh) != 0 {
			i++
		}
		fn(t[start:i])
	}
}

// shortWord is the length up to which a word for a number has to stand right
// beside it: the short ones are words of other languages too.
const shortWord = 3

// says reports whether one of the words, in lower case, stands shortly before
// or after [start, end).
func (f *finder) says(start, end int, words []string) bool {
	found := false
	near := func(from, to, closeFrom, closeTo int) {
		f.eachWord(from, to, func(w []byte) {
			for _, want := range words {
				if len(want) == len(w) && equalFold(w, want) || want[0] >= 0x80 && len(w) > len(want) && len(want) > 5 && bytes.Contains(w, []byte(want)) {
					found = found || len(w) > shortWord
				}
			}
		})
		f.eachWord(closeFrom, closeTo, func(w []byte) {
			for _, want := range words {
				found = found || len(w) <= shortWord && len(want) == len(w) && equalFold(w, want)
			}
		})
	}
	limit := min(len(f.t), end+contextAfter)
	near(max(0, start-contextBefore), start, max(0, start-16), start)
	near(end, limit, end, min(limit, end+8))
	return found
}

// equalFold compares with a word in lower case; letters that are not ASCII have
// to be as given.
func equalFold(w []byte, want string) bool {
	for i, b := range w {
		if lower(b) != want[i] {
			return false
		}
	}
	return true
}
