package schemas_test

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/coldstream/coldstream/schemas"
)

// Every text is read as strconv reads it, if it is the number's canonical one.
func TestParseDecimalAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.Custom(func(t *rapid.T) string { return strconv.FormatInt(rapid.Int64().Draw(t, "n"), 10) }),
			rapid.StringMatching(`-?[0-9]{1,21}`), rapid.StringMatching(`[0-9]{0,18}[0-9/:a\x00-]{1,2}[0-9]{0,18}`),
		).Draw(t, "text")
		want, err := strconv.ParseInt(text, 10, 64)
		ok := err == nil && strconv.FormatInt(want, 10) == text
		if got, is := schemas.ParseDecimal([]byte(text)); is != ok || ok && got != want {
			t.Fatalf("%q: %d, %v; want %d, %v", text, got, is, want, ok)
		}
	})
}
