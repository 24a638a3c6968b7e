package clickhouse_test

import (
	"fmt"
	"testing"
)

// Two opaque ids of which the numbers agree are two messages; a delete that names one leaves the other.
func TestMessagesWithTheSameNumberStayApart(t *testing.T) {
	made := func(n int, id string) string {
		return fmt.Sprintf(`{"event_id":"c-%d","message_id":%q,"channel_id":"71","content":"of %s","timestamp":"2026-11-02T09:00:00Z"}`, n, id, id)
	}
	gone := fmt.Sprintf(`{"event_id":"d","target_message_id":%q,"timestamp":"2026-11-02T09:00:00Z"}`, twin[1])
	play(t, []string{gone}, []string{made(0, twin[0])}, []string{made(1, twin[1])})
}

// An event of a type that is no state says nothing, also not which guild a channel is in.
func TestAnEventOfAnotherTypePutsNoChannelIntoAGuild(t *testing.T) {
	play(t, []string{
		`{"event_id":"c","channel_id":"72","content":"a","timestamp":"2026-11-02T09:00:00Z"}`,
		`{"event_id":"x","type":"member.banned","channel_id":"72","guild_id":"9","timestamp":"2026-11-02T09:00:00Z"}`,
		`{"event_id":"g","type":"guild.deleted","guild_id":"9","timestamp":"2026-11-20T09:00:00Z"}`,
	})
}
