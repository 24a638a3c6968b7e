package messages_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/serve/messages"
)

// TestTheReaderMergesAsTheTableDoes fills a few messages with very many rows whose parts tie in rank, version and policy,
// over many parts of the table, and compares pages, searches and a user's messages, value by value, with the views: a
// message may have more rows than a page asks for.
func TestTheReaderMergesAsTheTableDoes(t *testing.T) {
	a := testkit.ClickHouse(t)
	c, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database})
	require.NoError(t, err)
	t.Cleanup(c.CloseIdle)
	_, err = clickhouse.Migrate(t.Context(), c, clickhouse.Params{Epoch: schemas.DiscordEpoch})
	require.NoError(t, err)
	require.NoError(t, c.Exec(t.Context(), "ALTER TABLE state MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1"))
	r := rand.New(rand.NewPCG(11, 12)) //nolint:gosec // made-up rows
	begin := time.Now().Add(-48 * time.Hour).UnixMilli()
	texts := []string{"alpha beta", "beta", "gamma alpha", ""}
	of := func(part string) string { // a part with a value, or the value of one that is not there
		switch version := 1 + r.IntN(2); part {
		case "author":
			return fmt.Sprintf("(%d, %d, %d, %d, '%s', %d, fromUnixTimestamp64Milli(toInt64(%d)))", r.IntN(2)-1, version, r.IntN(2), 1+r.IntN(2), []string{"", "u"}[r.IntN(2)], r.IntN(2), begin+int64(r.IntN(2)))
		case "deleted":
			return fmt.Sprintf("(%d, %d, %d, %d, fromUnixTimestamp64Milli(toInt64(%d)))", r.IntN(3)-1, version, r.IntN(2), r.IntN(8)/6, begin)
		default:
			return fmt.Sprintf("(%d, %d, %d, '{\"a\":%d}')", r.IntN(3)-1, version, r.IntN(2), r.IntN(3))
		}
	}
	for range 12 {
		var rows []string
		for range 100 {
			i := r.IntN(30)
			if r.IntN(2) == 0 {
				i = 7 // one message with hundreds of rows
			}
			id := schemas.DiscordEpoch.ID(begin+int64(i)*3_600_000, uint64(i))
			rank, version, policy, text := r.IntN(3)-1, 1+r.IntN(2), r.IntN(2), texts[r.IntN(len(texts))]
			rows = append(rows, fmt.Sprintf("(%d, %d, %d, %s, (%d, %d, %d, '%s', fromUnixTimestamp64Milli(toInt64(%d))), (%d, %d, %d, searchIndexed('%s')), %s, (%d, %d, '%s'), %s, '%s', '%s')",
				1+i%2, -id, r.IntN(2)*i/29, of("author"), rank, version, policy, text, begin+int64(r.IntN(2)), rank, version, policy, text, of("deleted"),
				r.IntN(2), r.IntN(2), []string{"", "g"}[r.IntN(2)], of("extra"), []string{"", "m"}[r.IntN(2)], []string{"", "c"}[r.IntN(2)]))
		}
		require.NoError(t, c.Exec(t.Context(), "INSERT INTO state (channel_id, inv, ref_hash, author, content, search, deleted, guild, extra, message_ref, channel_ref) SETTINGS optimize_on_insert = 0 VALUES "+strings.Join(rows, ", ")))
	}
	reader := messages.New(c, schemas.DiscordEpoch)
	for channel := range int64(3) {
		for _, limit := range []int{1, 4, 30} {
			newest := fmt.Sprintf("SELECT * FROM messages WHERE channel_id = %d ORDER BY message_id DESC LIMIT %d", channel, limit)
			equal(t, c, newest, must(reader.Before(t.Context(), channel, messages.Newest, limit)))
			oldest := fmt.Sprintf("SELECT * FROM (SELECT * FROM messages WHERE channel_id = %d ORDER BY message_id LIMIT %d) ORDER BY message_id DESC", channel, limit)
			equal(t, c, oldest, must(reader.After(t.Context(), channel, 0, limit)))
		}
	}
	for user := range int64(3) {
		equal(t, c, fmt.Sprintf("SELECT * FROM messages WHERE user_id = %d ORDER BY message_id DESC", user), must(reader.ByUser(t.Context(), user, messages.Newest, 100)))
		for _, word := range []string{"alpha", "beta", "gamma"} {
			equal(t, c, fmt.Sprintf("SELECT * FROM messages WHERE user_id = %d AND has(splitByChar(' ', content), '%s') ORDER BY message_id DESC", user, word),
				must(reader.Search(t.Context(), messages.Query{Words: word, User: &user, Before: messages.Newest, Limit: 100})))
		}
	}
	equal(t, c, "SELECT * FROM messages WHERE content = 'gamma alpha' ORDER BY message_id DESC", must(reader.Search(t.Context(), messages.Query{Words: `"gamma alpha"`, Before: messages.Newest, Limit: 100})))
}

// equal compares messages with those that a query over the views gives.
func equal(t *testing.T, c *chhttp.Client, sql string, got []messages.Message) {
	t.Helper()
	rows, err := chhttp.Select[viewed](t.Context(), c.WithSettings(map[string]string{"date_time_output_format": "iso"}), sql)
	require.NoError(t, err)
	want := make([]messages.Message, len(rows))
	for i := range rows {
		want[i] = messages.Message(rows[i])
	}
	require.Equal(t, want, append([]messages.Message{}, got...), sql)
}

// viewed is a row of the view `messages`.
type viewed struct {
	ID         int64      `json:"message_id"`
	ChannelID  int64      `json:"channel_id"`
	GuildID    *int64     `json:"guild_id"`
	UserID     *int64     `json:"user_id"`
	Content    string     `json:"content"`
	CreatedAt  time.Time  `json:"created_at"`
	EditedAt   *time.Time `json:"edited_at"`
	Extra      string     `json:"extra"`
	MessageRef string     `json:"message_ref"`
	ChannelRef string     `json:"channel_ref"`
	GuildRef   string     `json:"guild_ref"`
	UserRef    string     `json:"user_ref"`
}
