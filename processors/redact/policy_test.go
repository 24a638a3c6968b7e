package redact

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var testKey = Key{ID: "k1", Secret: []byte("0123456789abcdef0123456789abcdef")}

// engineWith is an engine of a policy.
func engineWith(t testing.TB, p Policy) *Engine {
	t.Helper()
	e, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// everyType is one action for all types.
func everyType(a Action) map[Type]Action {
	all := map[Type]Action{}
	for _, t := range Types() {
		all[t] = a
	}
	return all
}

func ownDetectors(a Action) []Detector {
	return []Detector{
		{Name: "project", Action: a, Literals: []string{"Bluebird", "operation x", "operation x two", "Zoë"}},
		{Name: "badge", Action: a, Pattern: `badge #?(\d{4,6})`, Requires: "badge"},
		{Name: "ticket", Action: a, Pattern: `\bTCK-[0-9a-f.@-]+`, Requires: "tck-"},
	}
}

func TestActions(t *testing.T) {
	const text = "bob@example.com, 4111 1111 1111 1111, 078-05-1121, password=hunter2!x, 203.0.113.9"
	for action, want := range map[Action]string{
		Redact: "[REDACTED:email], [REDACTED:credit_card], [REDACTED:ssn], password=[REDACTED:secret], [REDACTED:ip]",
		Mask:   "[email:****.com], [credit_card:****1111], [ssn:****1121], password=[secret:****r2*x], [ip:****13.9]",
		Hash: "[email:k1:6okpm22szqbc64gkx6ivevmhhi], [credit_card:k1:3n5atoidtfc6ydosxlxpcfsaoa], [ssn:k1:ql6dqbvtmec7mhpe4kqpcn4uay], " +
			"password=[secret:k1:nxi4u7h2jseiwvdk5uyxccyigu], [ip:k1:ickloqsx5pvvqv5wk23wm7log4]",
		Keep: text,
		Drop: "[REDACTED:email], [REDACTED:credit_card], [REDACTED:ssn], password=[REDACTED:secret], [REDACTED:ip]",
	} {
		e := engineWith(t, Policy{Actions: everyType(action), Key: testKey})
		if got := redacted(e, text); got != want {
			t.Errorf("%v\n got %q\nwant %q", action, got, want)
		}
		spans := e.Find(nil, []byte(text))
		if len(spans) != 5 || e.Drops(spans) != (action == Drop) {
			t.Errorf("%v: %d spans, drops %v", action, len(spans), e.Drops(spans))
		}
	}
}

func TestMaskShowsTheLastFourAtMost(t *testing.T) {
	e := engineWith(t, Policy{Actions: everyType(Mask)})
	for _, c := range [][2]string{
		{"ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", "[email:****.com]"},
		{"4111\u200b1111\u200b1111\u200b11\u200b11", "[credit_card:****1111]"},
		{"mail bob@пример.рф now", "mail [email:*****.**] now"},
		{"pw=ab12cd3", "pw=[secret:****]"}, // seven characters
	} {
		if got := redacted(e, c[0]); got != c[1] {
			t.Errorf("%q\n got %q\nwant %q", c[0], got, c[1])
		}
	}
	shown := regexp.MustCompile(`^\[[a-z_]{1,15}:\*{4}[0-9A-Za-z._*-]{0,4}\]$`)
	for _, p := range pieces {
		in := []byte("say " + p + " " + p)
		for _, s := range e.Find(nil, in) {
			if got := e.Redact(nil, in[s.Start:s.End], []Span{{0, s.End - s.Start, s.Type}}); !shown.Match(got) {
				t.Errorf("%q became %q", in[s.Start:s.End], got)
			}
		}
	}
}

func TestPseudonymsJoinTheWaysToWriteAValue(t *testing.T) {
	e := engineWith(t, Policy{Actions: everyType(Hash), Key: testKey})
	other := engineWith(t, Policy{Actions: everyType(Hash), Key: Key{ID: "k2", Secret: []byte("another secret of thirty-two bytes")}})
	for _, same := range [][]string{
		{"bob@example.com", "BOB@Example.com", "bob (at) example (dot) com"},
		{"4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"},
		{"fe80::1:2:3:4", "FE80:0:0:0:1:2:3:4"},
	} {
		want := redacted(e, same[0])
		for _, text := range same {
			if got := redacted(e, text); got != want || !strings.HasPrefix(got, "[") || !strings.Contains(got, ":k1:") {
				t.Errorf("%q became %q, %q became %q", same[0], want, text, got)
			}
			if redacted(other, text) == want {
				t.Errorf("%q: two keys give the same", text)
			}
		}
	}
	if redacted(e, "bob@example.com") == redacted(e, "rob@example.com") {
		t.Error("two values have one pseudonym")
	}
}

func TestAllowListsAreNotFooled(t *testing.T) {
	e := engineWith(t, Policy{Allow: Allow{
		Domains:  []string{"Example.com", "*.corp.example", "пример.рф"},
		Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")},
		Literals: []string{"4111 1111 1111 1111", "help@elsewhere.org"},
	}})
	for _, left := range []string{
		"bob@example.com", "bob@EXAMPLE.COM", "bob (at) example (dot) com", "bob@a.corp.example", "bob@пример.рф",
		"from 203.0.113.9 port 80", "::ffff:203.0.113.9", "4111 1111 1111 1111", "Help@Elsewhere.org", "<bob@example.com>",
	} {
		if got := redacted(e, left); got != left {
			t.Errorf("%q became %q", left, got)
		}
	}
	for _, found := range []string{
		"bob@evil-example.com", "bob@evilexample.com", "bob@example.com.evil.org", "bob@sub.example.com", "bob@example.community", "example.com@evil.org",
		`"bob@example.com"@evil.org`, "bob@corp.example", "bob@evilcorp.example", "bob@corp.example.evil.org", "bob@exаmple.com", // a Cyrillic а
		"from 203.0.114.9 port 80", "::ffff:203.0.114.9", "4111-1111-1111-1111", "xhelp@elsewhere.org", "help@elsewhere.org.uk",
	} {
		if got := redacted(e, found); got == found {
			t.Errorf("%q is left", found)
		}
	}
}

func TestOwnDetectors(t *testing.T) {
	e := engineWith(t, Policy{Detectors: ownDetectors(Redact)})
	for _, c := range [][2]string{
		{"is BLUEBIRD ready?", "is [REDACTED:project] ready?"},
		{"bluebirds and mybluebird", "bluebirds and mybluebird"},
		{"Operation X two, operation x", "[REDACTED:project], [REDACTED:project]"},
		{"operation x twofold", "[REDACTED:project] twofold"},
		{"ask Zoë", "ask [REDACTED:project]"},
		{"b\u200blue\u200bbird", "[REDACTED:project]"},
		{"badge #12345 and 12345", "badge #[REDACTED:badge] and 12345"},
		{"Badge 12345", "Badge 12345"},
		{"TCK-1a bob@example.com", "[REDACTED:ticket] [REDACTED:email]"},
	} {
		if got := redacted(e, c[0]); got != c[1] {
			t.Errorf("%q\n got %q\nwant %q", c[0], got, c[1])
		}
	}
}

func TestOwnLiteralsAsANaiveSearchFindsThem(t *testing.T) {
	words := []string{"ab", "aba", "b a", "bab", "abab ab", "ba"}
	e := engineWith(t, Policy{Off: Types(), Detectors: []Detector{{Name: "own", Literals: words}}})
	x := uint32(7)
	for range 5_000 {
		text := make([]byte, 24)
		for i := range text {
			x = x*1664525 + 1013904223
			text[i] = "ab "[x>>16%3]
		}
		f := finder{e: e, t: text}
		f.own()
		var want []Span
		for i := range text {
			for _, w := range words {
				end := i + len(w)
				if bytes.HasPrefix(text[i:], []byte(w)) && (i == 0 || text[i-1] == ' ') && (end == len(text) || text[end] == ' ') {
					want = append(want, Span{i, end, typeCount})
				}
			}
		}
		if len(f.out) != len(want) || len(resolve(f.out, 0)) != len(resolve(want, 0)) {
			t.Fatalf("%q: %v, naively %v", text, f.out, want)
		}
	}
}

func TestPoliciesThatAreRefused(t *testing.T) {
	for want, p := range map[string]Policy{
		"needs a key":           {Actions: map[Type]Action{Email: Hash}},
		"has 31 bytes":          {Actions: map[Type]Action{Email: Hash}, Key: Key{ID: "k1", Secret: testKey.Secret[:31]}},
		"key id":                {Actions: map[Type]Action{Email: Hash}, Key: Key{ID: "K-1", Secret: testKey.Secret}},
		"one of which":          {Actions: map[Type]Action{Email: 9}},
		"the name is taken":     {Detectors: []Detector{{Name: "email", Literals: []string{"xyz"}}}},
		"a name is":             {Detectors: []Detector{{Name: "A1", Literals: []string{"xyz"}}}},
		"either literals or":    {Detectors: []Detector{{Name: "own"}}},
		"missing closing":       {Detectors: []Detector{{Name: "own", Pattern: "(abc", Requires: "abc"}}},
		"matches no text":       {Detectors: []Detector{{Name: "own", Pattern: "(abc)*", Requires: "abc"}}},
		`literal ""`:            {Detectors: []Detector{{Name: "own", Pattern: "abc"}}},
		"only a pattern":        {Detectors: []Detector{{Name: "own", Literals: []string{"xyz"}, Requires: "xyz"}}},
		"101 own detectors":     {Detectors: make([]Detector, 101)},
		"turns off unknown":     {Off: []Type{200}},
		"at least 2 bytes of U": {Detectors: []Detector{{Name: "own", Literals: []string{"x"}}}},
	} {
		if _, err := New(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestCleanTextDoesNotAllocateUnderAPolicy(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	e := engineWith(t, Policy{Actions: map[Type]Action{Email: Hash, IP: Keep}, Key: testKey, Detectors: ownDetectors(Keep), Allow: Allow{Domains: []string{"example.com"}}})
	var spans []Span
	for _, text := range []string{"hello there, how are you?", "it's 12:30:45, kernel 2.6.8.1-3-686", "привет — 你好 [a] (b)"} {
		in := []byte(text)
		if n := testing.AllocsPerRun(100, func() { spans = e.Find(spans[:0], in) }); n > 0 || len(spans) > 0 {
			t.Errorf("%q: %v allocations, %v", text, n, spans)
		}
	}
}

// policies is one of each action, with everything else that a policy can say.
func policies(t testing.TB) []*Engine {
	t.Helper()
	var all []*Engine
	for a := range actionCount {
		all = append(all, engineWith(t, Policy{Actions: everyType(a), Key: testKey, Detectors: ownDetectors(a)}))
	}
	return append(all, engineWith(t, Policy{
		Actions: map[Type]Action{Email: Mask, IP: Keep, CreditCard: Keep, Phone: Hash, Secret: Drop}, Key: testKey,
		Detectors: append(ownDetectors(Hash), Detector{Name: "kept", Action: Keep, Literals: []string{"phone", "hunter2"}}),
		Allow:     Allow{Domains: []string{"example.com"}, Networks: []netip.Prefix{netip.MustParsePrefix("1.2.3.0/24")}, Literals: []string{"user:s3cret"}},
	}))
}

// checkPolicy holds what Find and Redact promise under any policy.
func checkPolicy(t *testing.T, e *Engine, text []byte) {
	t.Helper()
	spans := e.Find(nil, text)
	last := 0
	for _, s := range spans {
		if s.Start < last || s.End <= s.Start || s.End > len(text) || int(s.Type) >= len(e.names) {
			t.Fatalf("%q: bad spans %v", text, spans)
		}
		last = s.End
		if utf8.Valid(text) && (!utf8.RuneStart(text[s.Start]) || s.End < len(text) && !utf8.RuneStart(text[s.End])) {
			t.Fatalf("%q: %v cuts a rune", text, s)
		}
	}
	once := e.Redact(nil, text, spans)
	if utf8.Valid(text) && !utf8.Valid(once) || len(once) > maxMark*len(text) {
		t.Fatalf("%q became %q", text, once)
	}
	if twice := e.Redact(nil, once, e.Find(nil, once)); !bytes.Equal(once, twice) {
		t.Fatalf("%q\nbecame %q\nand then %q", text, once, twice)
	}
}

// policyPieces are what own detectors, masks and pseudonyms are made of.
var policyPieces = append([]string{
	"badge ", "badge #1234", "TCK-1a@", "tck-", "bluebird", "operation x two", "Zoë", "[email:****", "[email:****.com]", ".com]", "[x:k1:",
	"6okpm22szqbc64gkx6ivevmhhi]", "[email:k1:6okpm22szqbc64gkx6ivevmhhi]", "****", "evil-", ".com", "\n",
}, pieces...)

func TestPoliciesKeepThePromises(t *testing.T) {
	x := uint32(3)
	for _, e := range policies(t) {
		for range thinned(8_000) {
			var b strings.Builder
			for n := x>>24&7 + 1; n > 0; n-- {
				x = x*1664525 + 1013904223
				b.WriteString(policyPieces[int(x>>8)%len(policyPieces)])
			}
			checkPolicy(t, e, []byte(b.String()))
		}
	}
}

// FuzzPolicy picks a policy by the first byte and pieces by the others.
func FuzzPolicy(f *testing.F) {
	engines := policies(f)
	for i := range engines {
		f.Add([]byte{byte(i), 0, 1, 2, 3, 4, 17, 22})
		f.Add([]byte{byte(i), 8, 5, 40, 33, 12, 19, 50})
	}
	f.Fuzz(func(t *testing.T, picks []byte) {
		if len(picks) == 0 {
			return
		}
		var text bytes.Buffer
		for _, p := range picks[1:min(len(picks), 64)] {
			text.WriteString(policyPieces[int(p)%len(policyPieces)])
		}
		checkPolicy(t, engines[int(picks[0])%len(engines)], text.Bytes())
	})
}

// BenchmarkPolicy measures what a policy adds on made-up chat.
func BenchmarkPolicy(b *testing.B) {
	messages := split("hello there\nany idea why my sound does not work?\nmail bob@example.com or call\nalice: which version are you on? 5.04 or 4.10\nhttp://example.com/how-to/fix-it.html has a guide\nlol\nI think it's on line 42")
	allow := Allow{Domains: []string{"corp.example"}, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, c := range []struct {
		name string
		p    Policy
	}{
		{"none", Policy{}},
		{"mask", Policy{Actions: everyType(Mask)}},
		{"hash", Policy{Actions: everyType(Hash), Key: testKey}},
		{"keep", Policy{Actions: everyType(Keep)}},
		{"allow", Policy{Allow: allow}},
		{"own", Policy{Detectors: ownDetectors(Redact)}},
	} {
		e := engineWith(b, c.p)
		b.Run("policy="+c.name, func(b *testing.B) {
			var spans []Span
			var out []byte
			b.ReportAllocs()
			for i := range b.N {
				m := messages[i%len(messages)]
				if spans = e.Find(spans[:0], m); len(spans) > 0 {
					out = e.Redact(out[:0], m, spans)
				}
			}
		})
	}
}
