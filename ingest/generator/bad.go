package generator

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/coldstream/coldstream/schemas"
)

// oversizeEvery is how many bad records come to one of more than 1 MiB.
const oversizeEvery = 250

// appendBad adds a record that the pipeline refuses, whatever time it is. Each is one line and none is empty, so that an
// NDJSON file can hold it. The kinds take turns.
func (g *Generator) appendBad(dst []byte) (value, key []byte) {
	n := g.stats.Dead
	at := int32(g.busy.draw(g.rng))
	key = g.channels[at].key
	event := g.id()
	if n%oversizeEvery == oversizeEvery-1 {
		doc := `{"event_id":"` + strconv.FormatInt(event, 10) + `","channel_id":"` + string(key) + `","content":"`
		dst = append(dst, doc...)
		dst = append(dst, bytes.Repeat([]byte("x"), schemas.MaxEventBytes+1-len(doc)-2)...)
		return append(dst, `"}`...), key
	}
	return append(dst, badKinds[n%int64(len(badKinds))].make(strconv.FormatInt(event, 10), string(key))...), key
}

type badKind struct {
	name string
	make func(event, channel string) string
}

// badFields are whole documents but for one field: each is tried with a good event_id and channel_id.
var badFields = []struct{ name, fields string }{
	{"content is a number", `"content":42`},
	{"content is an object", `"content":{"text":"hi"}`},
	{"user_id is a float", `"user_id":1.5,"content":"hi"`},
	{"user_id is a list", `"user_id":["1"],"content":"hi"`},
	{"guild_id is empty", `"guild_id":"","content":"hi"`},
	{"guild_id is true", `"guild_id":true,"content":"hi"`},
	{"type is a number", `"type":1,"content":"hi"`},
	{"type is empty", `"type":"","content":"hi"`},
	{"deleted is a word", `"deleted":"yes"`},
	{"timestamp is a word", `"content":"hi","timestamp":"yesterday"`},
	{"timestamp has no such month", `"content":"hi","timestamp":"2023-13-10T14:30:00Z"`},
	{"timestamp has no such day", `"content":"hi","timestamp":"2023-02-30T14:30:00Z"`},
	{"timestamp has no zone", `"content":"hi","timestamp":"2023-05-10T14:30:00"`},
	{"timestamp is a date", `"content":"hi","timestamp":"2023-05-10"`},
	{"timestamp is in year 0", `"content":"hi","timestamp":"0000-01-01T00:00:00Z"`},
	{"timestamp is in year 9999", `"content":"hi","timestamp":"9999-12-31T23:59:59Z"`},
	{"timestamp is far ahead", `"content":"hi","timestamp":"2080-01-01T00:00:00Z"`},
	{"timestamp is microseconds", `"content":"hi","timestamp":1683729000000000`},
	{"timestamp is a float", `"content":"hi","timestamp":1683729000.25`},
	{"edit without a target", `"type":"message.edited","content":"hi"`},
	{"delete without a target", `"type":"message.deleted"`},
	{"bulk delete without ids", `"type":"message.bulk_deleted"`},
	{"channel twice", `"channel_id":"1","content":"hi"`},
	{"control character", "\"content\":\"a\x01b\""},
	{"NUL", "\"content\":\"a\x00b\""},
	{"not UTF-8", "\"content\":\"a\xff\xfeb\""},
	{"unknown escape", `"content":"\x41"`},
	{"deep nesting", `"content":"hi","a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)},
}

var badDocuments = []badKind{
	{"not JSON", func(string, string) string { return "hello, is this thing on?" }},
	{"a list", func(e, c string) string { return `[{"event_id":"` + e + `","channel_id":"` + c + `"}]` }},
	{"a text", func(e, _ string) string { return `"` + e + `"` }},
	{"a number", func(e, _ string) string { return e }},
	{"null", func(string, string) string { return "null" }},
	{"an empty object", func(string, string) string { return "{}" }},
	{"truncated", func(e, c string) string { return `{"event_id":"` + e + `","channel_id":"` + c + `","content":"cut of` }},
	{"two documents", func(e, c string) string {
		doc := `{"event_id":"` + e + `","channel_id":"` + c + `","content":"hi"}`
		return doc + doc
	}},
	{"comma at the end", func(e, c string) string { return `{"event_id":"` + e + `","channel_id":"` + c + `",}` }},
	{"single quotes", func(e, c string) string { return `{'event_id':'` + e + `','channel_id':'` + c + `'}` }},
	{"no event_id", func(_, c string) string { return `{"channel_id":"` + c + `","content":"hi"}` }},
	{"event_id is null", func(_, c string) string { return `{"event_id":null,"channel_id":"` + c + `","content":"hi"}` }},
	{"event_id is a float", func(_, c string) string { return `{"event_id":1.5e18,"channel_id":"` + c + `","content":"hi"}` }},
	{"event_id is too long", func(e, c string) string {
		return `{"event_id":"` + strings.Repeat(e, 40) + `","channel_id":"` + c + `","timestamp":"2023-05-10T14:30:00Z"}`
	}},
	{"no channel_id", func(e, _ string) string { return `{"event_id":"` + e + `","content":"hi"}` }},
	{"opaque id without a timestamp", func(e, c string) string {
		return `{"event_id":"msg_` + e + `","channel_id":"` + c + `","content":"when?"}`
	}},
	{"a registry's header", func(e, c string) string {
		return "\x00\x00\x00\x00\x07{\"event_id\":\"" + e + `","channel_id":"` + c + `"}`
	}},
}

// badKinds lists all kinds, in the order of their turns.
var badKinds = func() []badKind {
	all := slices.Clone(badDocuments)
	for _, f := range badFields {
		all = append(all, badKind{f.name, func(e, c string) string {
			return `{"event_id":"` + e + `","channel_id":"` + c + `",` + f.fields + `}`
		}})
	}
	return all
}()
