//go:build linux

package redact

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// adversaries are texts that a careless parser would read again and again.
var adversaries = []string{
	"a", "@", "a@", "a.b@c.", "a@b.c", "\"@", "1", "1 ", "1-", "1.", "1.2.", "1.2.3.4", "4111 ", "41111111", ":", "::", "a:", "1:2:", "fe80::", "http://", "://a:b",
	"http://a:", "ghp_", "sk-", "xoxb-1", "eyJ", "eyJhbGciOiJIUzI1NiJ9.", "eyJhbGciOiJIUzI1NiJ9-", "-----BEGIN PRIVATE KEY-----", "-----", "-", "PuTTY-User-Key-File-2: ",
	"DE89 ", "DE893704", "00:11:", "00-", "+1 ", "+", "(1", "phone 123 ", "call 0123456789 ", "id 12345678 ", "password=", "token: a1", "authorization: bearer ", "(at)",
	"[dot]", "[REDACTED:", "[REDACTED:ip]", "\u200b", "１", "１.", "\xff", "bc1q", "0x", "bot123456789:", "MTIz.", "%", "_", "a_", "a-1-",
	" dot ", "a at b dot c ", "AT x DOT ", "%40", "=%2B1", "&#64;", "a**1", "||1", "creds a:b", "password for x: Aa1!aaaa", "auth=(\"a\", ", "mysql -pa1 ", "curl -u a:b1 ", "token is a1",
	"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", "u:p@tcp(", "a/b@//c", "AB 12 ", "A123456(3) ", "nhs 943 ", "tel 1 ", "<pw>a1", "value=a1", "EQ-", "key_1_", "a-b.c_d", "ssh -i a ", "01 ", "069 12 ",
	"bob@example.com ", "203.0.113.9 ", "+12125550123 ", "4111111111111111 ", "password=hunter2!x ", "078-05-1121 ",
}

// TestTimeIsLinear compares the processor time for a text and for one eight
// times as long: a parser that reads its text again from each place would take
// 64 times as long. Time of the thread is counted, not of the wall, so that a
// busy machine changes nothing.
func TestTimeIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("reads hundreds of megabytes")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	e := newEngine(t)
	for _, a := range adversaries {
		checkLinear(t, e, a)
	}
	for _, e := range []*Engine{policies(t)[Hash], policies(t)[Keep]} {
		for _, a := range []string{"badge ", "badge 1234 ", "tck-", "tck-1", "bluebird ", "operation x", "operation x two ", "bob@example.com badge 123", "[email:****.com]", "[a:k1:", "[x:****"} {
			checkLinear(t, e, a)
		}
	}
}

func checkLinear(t *testing.T, e *Engine, a string) {
	t.Helper()
	size := thinned(128 << 10) // the race detector slows all of it, which changes no ratio
	small := []byte(strings.Repeat(a, size/len(a)))
	large := bytes.Repeat(small, 8)
	short, long, ratio := time.Hour, time.Hour, 0.0
	for range 4 {
		short, long = min(short, best(t, e, small)), min(long, best(t, e, large))
		if ratio = float64(long) / float64(short+time.Microsecond); ratio < 24 {
			break
		}
	}
	if ratio >= 24 {
		t.Errorf("%q: eight times the text takes %.1f times as long", a, ratio)
	}
}

// best is the shortest of a few runs.
func best(t *testing.T, e *Engine, text []byte) time.Duration {
	t.Helper()
	shortest := time.Hour
	var spans []Span
	for range 2 {
		start := threadTime(t)
		spans = e.Find(spans[:0], text)
		shortest = min(shortest, threadTime(t)-start)
	}
	return shortest
}

// threadTime is the processor time that this thread has used.
func threadTime(t testing.TB) time.Duration {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	return time.Duration(ts.Nano())
}
