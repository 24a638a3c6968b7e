package clickhouse_test

import (
	"testing"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas/clickhouse"
)

// analyst is a client that may only read, of a database with three messages in two channels.
func analyst(t *testing.T) *chhttp.Client {
	t.Helper()
	a := testkit.ClickHouse(t)
	owner, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(owner.CloseIdle)
	p := params
	p.EventsDDL = []string{"CREATE OR REPLACE VIEW events AS SELECT 7 AS event_id, 'message.created' AS type, 101 AS message_id, CAST(NULL, 'Nullable(String)') AS message_ref, 5 AS kafka_offset"}
	if _, err := clickhouse.Migrate(t.Context(), owner, p); err != nil {
		t.Fatal(err)
	}
	err = owner.Exec(t.Context(), `INSERT INTO state (channel_id, inv, week, author, content, search)
SELECT c, -m, 20261102, (0, m, 0, u, '', 1, toDateTime64('2026-11-02 09:00:00', 6, 'UTC')), (0, m, 0, text, 0), (0, m, 0, searchIndexed(text))
FROM values('c Int64, m Int64, u Int64, text String', (5, 101, 9, 'one apple'), (5, 102, 8, 'two Äpples'), (6, 103, 9, 'three apples'))`)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: a.AnalystUser, Password: a.AnalystPassword, Database: a.Database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.CloseIdle)
	return reader
}

func TestAnAnalystUsesTheViewsWithParameters(t *testing.T) {
	c := analyst(t)
	for query, want := range map[string]string{
		"SELECT message_id FROM channel_page(channel = 5, before = 9223372036854775807, limit = 10)":         "102\n101\n",
		"SELECT message_id FROM channel_page(channel = 5, before = 102, limit = 10)":                         "101\n",
		"SELECT message_id FROM channel_page(channel = 5, before = 9223372036854775807, limit = 1)":          "102\n",
		"SELECT message_id FROM user_messages(user = 9) WHERE channel_id = 6":                                "103\n",
		"SELECT message_id FROM search_messages(words = 'apples') ORDER BY message_id":                       "102\n103\n",
		"SELECT message_id FROM search_messages(words = '\"three apples\"')":                                 "103\n",
		"SELECT message_id FROM search_messages(words = 'apples') WHERE channel_id = 5":                      "102\n",
		"SELECT type FROM message_events(message = '101')":                                                   "message.created\n",
		"SELECT snowflakeTime(1105864320614400005), coldstreamId('5'), coldstreamId('irc/ubuntu') > 1000000": "2023-05-10 14:30:00.000\t5\t1\n",
	} {
		got, err := c.Query(t.Context(), query)
		if err != nil || string(got) != want {
			t.Errorf("%s\ngot %q, %v, want %q", query, got, err, want)
		}
	}
	if err := c.Exec(t.Context(), "INSERT INTO names (kind, id, name) VALUES ('user', 1, 'x')"); err == nil {
		t.Error("an analyst writes")
	}
}
