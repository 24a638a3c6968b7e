package docs_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// noon is when the records of these tests reach the broker.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// described are the records that events.md cannot print, by the first column of its table.
var described = map[string]func() []byte{
	"an unescaped control character": func() []byte { return []byte("{\"event_id\":\"a\tb\"}") },
	"invalid UTF-8":                  func() []byte { return []byte("{\"event_id\":\"a\xff\"}") },
	"a byte order mark":              func() []byte { return []byte("\xef\xbb\xbf" + event("")) },
	"nested too deep": func() []byte {
		return []byte(event(`,"x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600)))
	},
	"an empty value": func() []byte { return []byte{} },
	"a tombstone":    func() []byte { return nil },
	"too large": func() []byte {
		return []byte(event(`,"x":"` + strings.Repeat("x", 1<<20+1-len(event(`,"x":""`))) + `"`))
	},
	"a huge extra field":         func() []byte { return []byte(event(`,"x":"` + strings.Repeat("x", 1000000) + `"`)) },
	"a schema registry's header": func() []byte { return []byte("\x00\x00\x00\x00\x01x") },
	"an id of 600 bytes": func() []byte {
		return []byte(strings.Replace(event(""), `"a1"`, `"`+strings.Repeat("a", 600)+`"`, 1))
	},
}

func event(more string) string {
	return `{"event_id":"a1","channel_id":"c","timestamp":1700000000000` + more + `}`
}

// TestExamplesAreEvents decodes every line of every JSON block of events.md.
func TestExamplesAreEvents(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(page(t, "events.md"), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			_, err := decode([]byte(strings.TrimSpace(line)))
			require.NoError(t, err, line)
		}
	}
}

// TestOddInput publishes every record of the table of odd input, and holds the decoder to what the table says of it.
func TestOddInput(t *testing.T) {
	_, section, found := strings.Cut(page(t, "events.md"), "## What odd input means")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	code := regexp.MustCompile("`([^`]*)`")
	rows := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 3 || cells[0] == "what" {
			continue
		}
		rows++
		t.Run(cells[0], func(t *testing.T) {
			value := record(t, cells[0], cells[1], code)
			typeName, err := decode(value)
			want := code.FindStringSubmatch(cells[2])[1]
			if strings.HasPrefix(cells[2], "refused") {
				var refusal *schemas.Refusal
				require.True(t, errors.As(err, &refusal), "accepted as %s", typeName)
				require.Equal(t, want, refusal.Code, refusal.Detail)
				return
			}
			require.NoError(t, err)
			require.Equal(t, want, typeName)
			require.Equal(t, strings.Contains(cells[2], "opaque id") || strings.Contains(string(value), `"a1"`), opaque(t, value))
		})
	}
	require.GreaterOrEqual(t, rows, 24)
}

func record(t *testing.T, what, cell string, code *regexp.Regexp) []byte {
	if made, ok := described[what]; ok {
		return made()
	}
	match := code.FindStringSubmatch(cell)
	require.NotNil(t, match, "the record is neither printed nor described in this test")
	return []byte(match[1])
}

// decode gives the type of the event that value is.
func decode(value []byte) (string, error) {
	batch := schemas.GetBatch()
	defer batch.Release()
	decoder := codec.JSON{Epoch: schemas.DiscordEpoch}
	if err := decoder.Decode(batch, value, codec.Origin{Time: noon.UnixMicro()}); err != nil {
		return "", err
	}
	return batch.Event(0).Type, nil
}

// opaque reports whether the event's id was taken for an opaque one.
func opaque(t *testing.T, value []byte) bool {
	batch := schemas.GetBatch()
	defer batch.Release()
	decoder := codec.JSON{Epoch: schemas.DiscordEpoch}
	require.NoError(t, decoder.Decode(batch, value, codec.Origin{Time: noon.UnixMicro()}))
	return batch.EventHash[0] != 0
}

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}
