package redact

import (
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

func newEngine(t testing.TB) *Engine {
	t.Helper()
	e, err := New(Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// redacted is a text after one pass.
func redacted(e *Engine, text string) string {
	in := []byte(text)
	return string(e.Redact(nil, in, e.Find(nil, in)))
}

// expect runs cases of text and what it must become; want "" means unchanged.
func expect(t *testing.T, cases [][2]string) {
	t.Helper()
	e := newEngine(t)
	for _, c := range cases {
		text, want := c[0], c[1]
		if want == "" {
			want = text
		}
		if got := redacted(e, text); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestTypesHaveNamesAndBack(t *testing.T) {
	for _, typ := range Types() {
		back, err := ParseType(typ.String())
		if err != nil || back != typ {
			t.Errorf("ParseType(%q) = %v, %v", typ.String(), back, err)
		}
	}
	if _, err := ParseType("shoe_size"); err == nil {
		t.Error("ParseType accepted an unknown name")
	}
}

func TestTypesThatAreOffAreLeft(t *testing.T) {
	const text = "bob@example.com from 203.0.113.9"
	e, err := New(Policy{Off: []Type{Email}, Version: 7})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := redacted(e, text), "bob@example.com from [REDACTED:ip]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if e.Version() != 7 {
		t.Errorf("Version() = %d", e.Version())
	}
	if _, err := New(Policy{Off: []Type{200}}); err == nil {
		t.Error("New accepted an unknown type")
	}
}

func TestObfuscationIsSeenThrough(t *testing.T) {
	expect(t, [][2]string{
		{"bob (at) example (dot) com", "[REDACTED:email]"},
		{"write bob[at]example[dot]com please", "write [REDACTED:email] please"},
		{"ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", "[REDACTED:email]"},
		{"ip １９８.５１.１００.７ ok", "ip [REDACTED:ip] ok"},
		{"b\u200bob@exam\u200bple.com", "[REDACTED:email]"},
		{"card 4111\u00a01111\u00a01111\u00a01111!", "card [REDACTED:credit_card]!"},
		{"4111–1111–1111–1111", "[REDACTED:credit_card]"},
		{"look (at that) and (dot)", ""},
		{"日本語だけの文章です。", ""},
	})
}

func TestMarksAreNotFoundAgain(t *testing.T) {
	expect(t, [][2]string{
		{"[REDACTED:email] and [REDACTED:ip]", ""},
		{"password=[REDACTED:secret]", ""},
		{"https://[REDACTED:url_credentials]@example.com/", ""},
		{"[REDACTED:ssn] 123456789", ""},
		{"[REDACTED:email]@example.com", ""},
	})
}

// TestRedactingTwiceChangesNothing are texts that fuzzing found.
func TestRedactingTwiceChangesNothing(t *testing.T) {
	e := newEngine(t)
	for _, text := range []string{
		`9018920;Mobil:111 **1111** 1111 1111 0171 1234567 "Fax 030/9018`,
	} {
		checkSpans(t, e, []byte(text))
	}
}

func TestInvalidUTF8IsKept(t *testing.T) {
	expect(t, [][2]string{
		{"\xff\xfe bob@example.com \xc3", "\xff\xfe [REDACTED:email] \xc3"},
		{"\xe2\x80", ""},
		{"a\x00b", ""},
	})
}

func TestCleanTextDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	e := newEngine(t)
	var spans []Span
	for _, text := range []string{
		"hello there, how are you doing today?",
		"it's 12:30:45 on 2004-11-03, kernel 2.6.8.1-3-686 and http://example.com/a-b/c?d=e",
		"nick: try apt-get install foo=1.2.3-4 @ home <@123456789012345678>",
		"std::vector<int> v(10); // 0xdeadbeef 1234567890123",
		"привет, как дела? 你好 — “quotes”",
	} {
		in := []byte(text)
		if spans = e.Find(spans[:0], in); len(spans) > 0 {
			t.Fatalf("%q holds %v", text, spans)
		}
		if n := testing.AllocsPerRun(100, func() { spans = e.Find(spans[:0], in) }); n > 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

func TestEngineIsSafeForConcurrentUse(t *testing.T) {
	e := newEngine(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range thinned(200) {
				for _, p := range pieces {
					checkSpans(t, e, []byte("é "+p+" bob@example.com "+p))
				}
			}
		})
	}
	wg.Wait()
}

func TestFindAppendsAndKeepsWhatWasThere(t *testing.T) {
	e := newEngine(t)
	have := []Span{{1, 2, Email}, {0, 9, IP}}
	got := e.Find(have, []byte("bob@example.com"))
	if len(got) != 3 || got[0] != have[0] || got[1] != have[1] || got[2] != (Span{0, 15, Email}) {
		t.Errorf("Find gave %v", got)
	}
}

// checkSpans holds what Find promises for any text.
func checkSpans(t *testing.T, e *Engine, text []byte) {
	t.Helper()
	spans := e.Find(nil, text)
	last := 0
	for _, s := range spans {
		if s.Start < last || s.End <= s.Start || s.End > len(text) || s.Type >= typeCount {
			t.Fatalf("%q: bad spans %v", text, spans)
		}
		last = s.End
		if utf8.Valid(text) && (!utf8.RuneStart(text[s.Start]) || s.End < len(text) && !utf8.RuneStart(text[s.End])) {
			t.Fatalf("%q: %v cuts a rune", text, s)
		}
	}
	once := e.Redact(nil, text, spans)
	if utf8.Valid(text) != utf8.Valid(once) && utf8.Valid(text) {
		t.Fatalf("%q: redaction broke UTF-8: %q", text, once)
	}
	if len(once) > 26*len(text) {
		t.Fatalf("%q grew to %d bytes", text, len(once))
	}
	if again := e.Find(nil, once); len(again) > 0 {
		t.Fatalf("%q\nredacted %q\nholds %v again: %q", text, once, again, e.Redact(nil, once, again))
	}
}

// pieces are what adversarial and random texts are made of.
var pieces = []string{
	"bob@example.com", "@", ".", "..", ":", "::", "fe80::1", "203.0.113.9", "1.2.3.4", "4111 1111 1111 1111", "4111111111111111", " ", "-", "_",
	"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", "AKIAIOSFODNN7EXAMPLA", "(at)", "[dot]", "[REDACTED:", "[REDACTED:email]", "]", "password=", "hunter2!x",
	"https://", "user:s3cret", "DE89370400440532013000", "078-05-1121", "ssn ", "00:1a:2b:3c:4d:5e", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
	"-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "\xff", "\u200b", "é", "１", "＠", "+1 212 555 0123",
	"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "x", "9", "phone ", "id ", "\"", "'", "<", ">", "=", "/", "%", "+", "token: ",
}

func TestManyPiecesKeepThePromises(t *testing.T) {
	e := newEngine(t)
	x := uint32(1)
	for range thinned(20_000) {
		var b strings.Builder
		for n := x>>24&7 + 1; n > 0; n-- {
			x = x*1664525 + 1013904223
			b.WriteString(pieces[int(x>>8)%len(pieces)])
		}
		checkSpans(t, e, []byte(b.String()))
	}
}
