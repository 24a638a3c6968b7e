package redact

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// adversaries are texts that a careless parser would read again and again.
var adversaries = []string{
	"a", "@", "a@", "a.b@c.", "a@b.c", "\"@", "1", "1 ", "1-", "1.", "1.2.", "1.2.3.4", "4111 ", "41111111", ":", "::", "a:", "1:2:", "fe80::", "http://", "://a:b",
	"http://a:", "ghp_", "sk-", "xoxb-1", "eyJ", "eyJhbGciOiJIUzI1NiJ9.", "eyJhbGciOiJIUzI1NiJ9-", "-----BEGIN PRIVATE KEY-----", "-----", "-", "PuTTY-User-Key-File-2: ",
	"DE89 ", "DE893704", "00:11:", "00-", "+1 ", "+", "(1", "phone 123 ", "call 0123456789 ", "id 12345678 ", "password=", "token: a1", "authorization: bearer ", "(at)",
	"[dot]", "[REDACTED:", "[REDACTED:ip]", "\u200b", "１", "１.", "\xff", "bc1q", "0x", "bot123456789:", "MTIz.", "%", "_", "a_", "a-1-",
	"bob@example.com ", "203.0.113.9 ", "+12125550123 ", "4111111111111111 ", "password=hunter2!x ", "078-05-1121 ",
}

// TestTimeIsLinear compares the time for a text and for one eight times as long:
// a parser that reads its text again from each place would take 64 times as
// long. The bound leaves room for a busy machine, and the best of several
// runs counts.
func TestTimeIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("reads tens of megabytes")
	}
	e := newEngine(t)
	const size = 128 << 10
	for _, a := range adversaries {
		small := []byte(strings.Repeat(a, size/len(a)))
		large := bytes.Repeat(small, 8)
		short, long, ratio := time.Hour, time.Hour, 0.0
		for range 12 {
			short, long = min(short, best(e, small)), min(long, best(e, large))
			if ratio = float64(long) / float64(short+time.Microsecond); ratio < 24 {
				break
			}
		}
		if ratio >= 24 {
			t.Errorf("%q: eight times the text takes %.1f times as long", a, ratio)
		}
	}
}

// best is the shortest of a few runs.
func best(e *Engine, text []byte) time.Duration {
	shortest := time.Hour
	var spans []Span
	for range 2 {
		start := time.Now()
		spans = e.Find(spans[:0], text)
		shortest = min(shortest, time.Since(start))
	}
	return shortest
}
