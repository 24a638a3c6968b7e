package resolver_test

import (
	"fmt"
	"testing"
	"time"
)

// inGuild is a message of a guild, made so many minutes after noon.
func inGuild(n int, guild, channel string, minute int) string {
	return fmt.Sprintf(`{"event_id":"m-%d","guild_id":%q,"channel_id":%q,"user_id":"1","content":"text %d","timestamp":"2026-11-02T12:%02d:00Z"}`, n, guild, channel, n, minute)
}

const deletedAt = "SELECT content, formatDateTime(deleted_at, '%H:%i') FROM messages_all ORDER BY content"

func TestADeletedChannelTakesWhatWasThereBefore(t *testing.T) {
	w := newWorld(t)
	w.start(nil, true)
	w.publish(inGuild(1, "g", "a", 1), inGuild(2, "g", "b", 2), inGuild(3, "g", "a", 30))
	w.publish(`{"event_id":"r-1","type":"channel.deleted","channel_id":"a","timestamp":"2026-11-02T12:10:00Z"}`)
	w.want(contents, "text 2\ntext 3\n")
	w.publish(inGuild(4, "g", "a", 4)) // it arrives late
	w.want("SELECT count() FROM messages_all WHERE deleted_at IS NOT NULL", "2\n")
	w.publish(`{"event_id":"r-2","type":"message.restored","channel_id":"a","target_message_id":"m-4","timestamp":"2026-11-02T12:11:00Z"}`)
	w.want(contents, "text 2\ntext 3\ntext 4\n")
	w.want(deletedAt, "text 1\t12:10\ntext 2\t\\N\ntext 3\t\\N\ntext 4\t\\N\n")
}

func TestADeletedGuildTakesItsChannels(t *testing.T) {
	w := newWorld(t)
	stop := w.start(nil, true)
	w.publish(`{"event_id":"r-1","type":"guild.deleted","guild_id":"g","timestamp":"2026-11-02T12:10:00Z"}`)
	w.publish(inGuild(1, "g", "a", 1), inGuild(2, "other", "b", 2))
	w.want(contents, "text 2\n")
	// A message that does not say its guild is of its channel's.
	w.publish(`{"event_id":"m-3","channel_id":"a","content":"text 3","timestamp":"2026-11-02T12:03:00Z"}`)
	w.want(deletedAt, "text 1\t12:10\ntext 2\t\\N\ntext 3\t12:10\n")
	stop()
	w.start(nil, true) // and through a restart
	w.publish(inGuild(4, "g", "c", 4))
	w.want(deletedAt, "text 1\t12:10\ntext 2\t\\N\ntext 3\t12:10\ntext 4\t12:10\n")
}

// Until the resolver has written a delete, it waits, and is counted.
func TestADeleteOfAChannelWaitsForTheResolver(t *testing.T) {
	w := newWorld(t)
	w.start(nil, false)
	w.publish(inGuild(1, "g", "a", 1), `{"event_id":"r-1","type":"channel.deleted","channel_id":"a","timestamp":"2026-11-02T12:10:00Z"}`)
	w.want("SELECT count() FROM removals", "1\n")
	w.want(contents, "text 1\n")
	if n := w.waiting(); n != 1 {
		t.Fatalf("%d wait", n)
	}
	r := w.resolver(nil)
	for range 2 { // the second has nothing to do
		if _, err := r.Step(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		w.want("SELECT count() FROM state WHERE tupleElement(deleted, 'rank') = 1", "1\n")
	}
	w.want(contents, "")
	if n := w.waiting(); n != 0 {
		t.Fatalf("%d wait", n)
	}
}
