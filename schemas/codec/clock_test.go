package codec

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What the short way takes, the standard library takes too and for the same time; what it leaves is looked at again.
func TestClockAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c clock
		for range rapid.IntRange(1, 5).Draw(t, "times") { // one after the other: the date is remembered
			text := drawTime(t)
			var want time.Time
			err := want.UnmarshalText(text)
			us, ok := c.parse(text)
			if ok && (err != nil || us != want.UnixMicro()) {
				t.Fatalf("%s: %d, the library says %v, %v", text, us, want, err)
			}
			if !ok && err == nil && text[len(text)-1] == 'Z' {
				t.Fatalf("%s was left to the library", text)
			}
		}
	})
}

func drawTime(t *rapid.T) []byte {
	at := time.Unix(rapid.Int64Range(-62167219200, 253402300799).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond")).UTC()
	text := []byte(at.Format(rapid.SampledFrom([]string{time.RFC3339, time.RFC3339Nano, "2006-01-02T15:04:05.000Z07:00"}).Draw(t, "layout")))
	for range rapid.IntRange(0, 2).Draw(t, "changes") {
		text[rapid.IntRange(0, len(text)-1).Draw(t, "place")] = rapid.SampledFrom([]byte("0123456789:-.TZ+ \xff")).Draw(t, "byte")
	}
	return text
}

// plain stops at the same place as a look at each byte, or at its bound.
func TestPlainAgreesWithEachByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.SampledFrom([]byte("abcdefgh \"\\\n\x1f\x7f\x80\xc3\xff")), 0, 24).Draw(t, "bytes")
		for range rapid.IntRange(0, 100).Draw(t, "fill") {
			p = append([]byte("plain text"), p...)
		}
		n, wide := plain(p)
		want, beyond := 0, false
		for want < len(p) && p[want] >= 0x20 && p[want] != '"' && p[want] != '\\' {
			beyond = beyond || p[want] >= 0x80 && want < n
			want++
		}
		if n != want && (n > want || n < 32+longRun) {
			t.Fatalf("%q: %d plain bytes, want %d", p, n, want)
		}
		if beyond && wide&tops == 0 {
			t.Fatalf("%q: not seen to be beyond ASCII", p)
		}
	})
}
