package clickhouse_test

import (
	"slices"
	"testing"
	"time"
)

const (
	firstDocument  = `{"event_id":"msg_abc123","channel_id":"xyz789","user_id":"u_456","content":"Hello world","timestamp":"2023-05-10T14:30:00Z","deleted":false}`
	secondDocument = `{"event_id":"del_abc123","target_message_id":"msg_xyz456","timestamp":"2023-05-10T15:00:00Z"}`
)

func TestTheDesignsFirstDocumentIsAMessage(t *testing.T) {
	h := newHot(t, nil, nil)
	h.write(firstDocument, secondDocument)
	h.flush()
	rows := h.rows("messages")
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	want := message{
		MessageID: rows[0].MessageID, ChannelID: 1062854966631040624, UserID: rows[0].UserID, Content: "Hello world",
		CreatedAt: time.Date(2023, 5, 10, 14, 30, 0, 0, time.UTC).UnixMicro(), MessageRef: "msg_abc123",
	}
	if rows[0] != want || want.UserID == 0 {
		t.Fatalf("got  %+v\nwant %+v", rows[0], want)
	}
	waiting, err := h.client.Query(t.Context(), "SELECT id, event_id, target, decimal, has_channel, completed FROM unresolved")
	if err != nil {
		t.Fatal(err)
	}
	const line = `del_abc123:resolved	del_abc123	msg_xyz456	0	0	{"event_id":"del_abc123:resolved","type":"message.deleted","target_message_id":"msg_xyz456","timestamp":"2023-05-10T15:00:00Z","resolves":"del_abc123"}` + "\n"
	if string(waiting) != line {
		t.Fatalf("got  %s\nwant %s", waiting, line)
	}
}

func TestABulkDeleteTakesItsMessagesAway(t *testing.T) {
	h := newHot(t, nil, nil)
	h.write(
		`{"event_id":"1556000000000000001","channel_id":"5","content":"one","guild_id":"7"}`,
		`{"event_id":"1556000000000000002","channel_id":"5","content":"two"}`,
		`{"event_id":"1556000000000000003","channel_id":"5","content":"three"}`,
		`{"event_id":"line:4","channel_id":"5","content":"four","timestamp":"2026-11-20T10:00:00Z"}`,
		`{"event_id":"bulk:1","type":"message.bulk_deleted","channel_id":"5","message_ids":["1556000000000000001",1556000000000000003,"line:4"],"timestamp":"2026-11-20T11:00:00Z"}`,
		`{"event_id":"bulk:2","type":"message.bulk_deleted","message_ids":["1556000000000000002"],"timestamp":"2026-11-20T11:00:00Z"}`,
	)
	h.flush()
	var left []string
	for _, m := range h.rows("messages") {
		left = append(left, m.Content)
	}
	if want := []string{"two", "four"}; !slices.Equal(left, want) {
		t.Fatalf("left are %q, want %q", left, want)
	}
	waiting, err := h.client.Query(t.Context(), "SELECT id, target_hash != 0, decimal, has_channel FROM unresolved ORDER BY id")
	if want := "bulk:1:line:4:resolved\t1\t0\t1\nbulk:2:1556000000000000002:resolved\t0\t1\t0\n"; err != nil || string(waiting) != want {
		t.Fatalf("%s %v", waiting, err)
	}
}

func TestWhatTheStateIgnoresIsCounted(t *testing.T) {
	h := newHot(t, nil, nil)
	h.write(
		`{"event_id":"1556000000000000001","type":"member.banned","user_id":"4"}`,
		`{"event_id":"1556000000000000002","type":"channel.deleted","channel_id":"5"}`,
		`{"event_id":"1556000000000000003","type":"guild.deleted","guild_id":"5"}`,
		`{"event_id":"a:resolved","type":"message.deleted","target_message_id":"gone","resolves":"a","timestamp":"2026-11-20T11:00:00Z"}`,
	)
	h.flush()
	if s := h.sink.Stats(); s.Ignored != 2 || s.Wide != 2 || s.Rows != 0 || s.Waiting != 0 {
		t.Fatalf("%+v", s)
	}
}

// A text that only looks like a number may name a message that was made under that number.
func TestACompletedDeleteOfADecimalText(t *testing.T) {
	h := newHot(t, nil, nil)
	h.write(
		`{"event_id":"42","channel_id":"5","content":"near the epoch","timestamp":"2015-01-01T10:00:00Z"}`,
		`{"event_id":"d:resolved","type":"message.deleted","channel_id":"5","target_message_id":"42","message_id":"42","resolves":"d","timestamp":"2026-11-20T11:00:00Z"}`,
	)
	h.flush()
	if all, left := h.rows("messages_all"), h.rows("messages"); len(all) != 1 || len(left) != 0 || all[0].MessageID != 42 {
		t.Fatalf("%+v %+v", all, left)
	}
}

func TestAResolvedEditLeavesNoMarkInTheMessage(t *testing.T) {
	h := newHot(t, nil, nil)
	h.write(
		`{"event_id":"1556000000000000001","channel_id":"5","content":"one","color":"red"}`,
		`{"event_id":"e:resolved","type":"message.edited","channel_id":"5","target_message_id":"1556000000000000001","message_id":"1556000000000000001","content":"two","resolves":"e","timestamp":"2026-11-20T11:00:00Z"}`,
	)
	h.flush()
	rows := h.rows("messages")
	if len(rows) != 1 || rows[0].Content != "two" || rows[0].Extra != `{"color":"red"}` || rows[0].EditedAt == 0 {
		t.Fatalf("%+v", rows)
	}
}

func TestNamesAreSentWhenNewOrChanged(t *testing.T) {
	h := newHot(t, nil, nil)
	h.write(
		`{"event_id":"1556000000000000001","channel_id":"irc/go","channel_name":"go","user_id":"4","user_name":"ann"}`,
		`{"event_id":"1556000000000000002","channel_id":"irc/go","channel_name":"go","user_id":"4","user_name":"anna"}`,
	)
	h.flush()
	h.write(
		`{"event_id":"1556000000000000003","channel_id":"irc/go","channel_name":"go","user_id":"4","user_name":"anna"}`,
		`{"event_id":"1555000000000000000","channel_id":"irc/go","channel_name":"go-nuts","user_id":"4","user_name":"old"}`,
	)
	h.flush()
	names, err := h.client.Query(t.Context(), "SELECT kind, id = coldstreamId('irc/go'), ref, name FROM names FINAL ORDER BY kind")
	if want := "channel\t1\tirc/go\tgo\nuser\t0\t\tanna\n"; err != nil || string(names) != want {
		t.Fatalf("%s %v", names, err)
	}
	sent, err := h.client.Query(t.Context(), "SELECT count() FROM names")
	if err != nil || string(sent) != "3\n" { // go, ann, anna
		t.Fatalf("%s rows %v", sent, err)
	}
}
