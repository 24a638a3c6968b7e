package clickhouse_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/coldstream/coldstream/schemas"
)

// A history is a list of documents about few messages in few channels, so that their events meet.

// twin is a pair of texts whose hashes agree in the 22 bits that an opaque message's number takes from them.
var twin = func() [2]string {
	seen := map[uint64]string{}
	for i := 0; ; i++ {
		text := "twin-" + strconv.Itoa(i)
		low := schemas.HashRef(text) & (1<<22 - 1)
		if other, ok := seen[low]; ok {
			return [2]string{other, text}
		}
		seen[low] = text
	}
}()

func TestTheTwinsAreTwins(t *testing.T) {
	a, b := schemas.HashRef(twin[0]), schemas.HashRef(twin[1])
	if a == b || schemas.DiscordEpoch.OpaqueID(1_700_000_000_000, a) != schemas.DiscordEpoch.OpaqueID(1_700_000_000_000, b) {
		t.Fatalf("%q and %q", twin[0], twin[1])
	}
}

var (
	// moments are what the clocks of different producers say. Equal ones make the twins collide.
	moments = []time.Time{
		time.Date(2023, 5, 10, 14, 30, 0, 0, time.UTC), time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC),
		time.Date(2026, 11, 2, 9, 0, 0, 1e6, time.UTC), time.Date(2026, 11, 20, 23, 59, 59, 0, time.UTC),
	}
	channels = []string{"71", "72", "lobby"}
	guilds   = map[string]string{"71": "9", "72": "9", "lobby": "the guild"}
	texts    = []string{"", "a", "zebra", "Ωmega 'quoted' \\ \x00 end", "日本語 text, and more"}
)

// snowflakes are ids of messages, made when the moments were.
var snowflakes = func() (ids []string) {
	for i, at := range moments {
		ids = append(ids, strconv.FormatInt(schemas.DiscordEpoch.ID(at.UnixMilli(), uint64(i+5)), 10))
	}
	return ids
}()

func anyMessage(t *rapid.T, label string) string {
	if rapid.Bool().Draw(t, label+" is opaque") {
		return rapid.SampledFrom([]string{twin[0], twin[1], "m", "42"}).Draw(t, label)
	}
	return rapid.SampledFrom(snowflakes).Draw(t, label)
}

// eventTypes repeat what should come more often.
var eventTypes = []schemas.Type{
	schemas.TypeCreated, schemas.TypeCreated, schemas.TypeCreated, schemas.TypeCreated, schemas.TypeEdited, schemas.TypeEdited, schemas.TypeEdited,
	schemas.TypeDeleted, schemas.TypeDeleted, schemas.TypeRestored, schemas.TypeBulkDeleted, schemas.TypeChannelDeleted, schemas.TypeGuildDeleted,
	schemas.TypeOther,
}

// document makes event n of a history.
func document(t *rapid.T, n int) string {
	kind := rapid.SampledFrom(eventTypes).Draw(t, "type")
	at := rapid.SampledFrom(moments).Draw(t, "time")
	channel := rapid.SampledFrom(channels).Draw(t, "channel")
	d := map[string]any{"type": kind.String(), "timestamp": at.Format(time.RFC3339Nano), "event_id": fmt.Sprint("e", n)}
	if rapid.Bool().Draw(t, "event has a Snowflake") { // of another clock than the timestamp's
		d["event_id"] = strconv.FormatInt(schemas.DiscordEpoch.ID(rapid.SampledFrom(moments).Draw(t, "clock").UnixMilli(), uint64(1000+n)), 10)
	}
	if kind == schemas.TypeCreated || kind == schemas.TypeChannelDeleted || rapid.IntRange(0, 3).Draw(t, "without channel") > 0 {
		d["channel_id"] = channel
	}
	switch rapid.IntRange(0, 5).Draw(t, "guild") {
	case 0: // not said
	case 1:
		d["guild_id"] = rapid.SampledFrom([]string{"9", "the guild"}).Draw(t, "a guild that may be wrong")
	default:
		d["guild_id"] = guilds[channel]
	}
	switch kind {
	case schemas.TypeOther:
		d["type"] = "member.banned"
	case schemas.TypeBulkDeleted:
		var ids []string
		for range rapid.IntRange(1, 3).Draw(t, "how many") {
			ids = append(ids, anyMessage(t, "message"))
		}
		d["message_ids"] = ids
	case schemas.TypeGuildDeleted:
		d["guild_id"] = guilds[channel]
	case schemas.TypeCreated:
		creation(t, d)
	case schemas.TypeEdited, schemas.TypeDeleted, schemas.TypeRestored:
		d["target_message_id"] = anyMessage(t, "target")
		if kind == schemas.TypeEdited {
			maybeText(t, d)
		}
	}
	doc, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

func creation(t *rapid.T, d map[string]any) {
	d["message_id"] = anyMessage(t, "message")
	if rapid.IntRange(0, 3).Draw(t, "without user") > 0 {
		d["user_id"] = rapid.SampledFrom([]string{"1", "2", "someone"}).Draw(t, "user")
	}
	maybeText(t, d)
}

func maybeText(t *rapid.T, d map[string]any) {
	if rapid.IntRange(0, 3).Draw(t, "without content") > 0 {
		d["content"] = rapid.SampledFrom(texts).Draw(t, "content")
	}
	if rapid.IntRange(0, 2).Draw(t, "with extra") == 0 {
		d["pinned"] = rapid.Bool().Draw(t, "pinned")
	}
}
