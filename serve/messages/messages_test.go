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

func TestMain(m *testing.M) { testkit.Main(m) }

// chat fills a fresh hot store with random messages of the last 40 days in many parts, edits and deletes among them, and
// returns its owner.
func chat(t *testing.T) *chhttp.Client {
	t.Helper()
	a := testkit.ClickHouse(t)
	c, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database})
	require.NoError(t, err)
	t.Cleanup(c.CloseIdle)
	_, err = clickhouse.Migrate(t.Context(), c, clickhouse.Params{Epoch: schemas.DiscordEpoch})
	require.NoError(t, err)
	require.NoError(t, c.Exec(t.Context(), "ALTER TABLE state MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1"))
	r := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // made-up chat
	begin := time.Now().Add(-40 * 24 * time.Hour).UnixMilli()
	for part := range 8 {
		var rows []string
		for i := range 150 {
			id := schemas.DiscordEpoch.ID(begin+int64(part*150+i)*40*24*72000/1000*1000/60, uint64(i))
			channel, user := 1+int64(r.IntN(3)), 1+r.IntN(5)
			if part > 1 && channel == 3 {
				channel = 1 // channel 3 has been quiet since
			}
			text := func() string { return strings.Join([]string{pick(r), pick(r), pick(r)}, " ") }
			rows = append(rows, fmt.Sprintf("(%d, %d, (0, %d, 0, %d, '', 1, snowflakeTime(%d)), (0, %d, 0, '%s', 0), (-1, 0, 0, 0, 0), (%d, 100, 'g'), (0, %d, 0, '{\"a\":1}'), '%s')", channel, -id, id, user, id, id, text(), i%2, id, []string{"", "msg_1"}[i%2]))
			switch r.IntN(8) {
			case 0, 1:
				rows = append(rows, fmt.Sprintf("(%d, %d, (-1, 0, 0, 0, '', 0, 0), (1, %d, 0, '%s', snowflakeTime(%d)), (-1, 0, 0, 0, 0), (0, 0, ''), (-1, 0, 0, ''), '')", channel, -id, id+1, text(), id+1))
			case 2:
				rows = append(rows, fmt.Sprintf("(%d, %d, (-1, 0, 0, 0, '', 0, 0), (-1, 0, 0, '', 0), (1, %d, 0, 1, snowflakeTime(%d)), (0, 0, ''), (-1, 0, 0, ''), '')", channel, -id, id+1, id+1))
			}
		}
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		for _, half := range [][]string{rows[:len(rows)/2], rows[len(rows)/2:]} {
			require.NoError(t, c.Exec(t.Context(), "INSERT INTO state (channel_id, inv, author, content, deleted, guild, extra, message_ref) SETTINGS optimize_on_insert = 0 VALUES "+strings.Join(half, ", ")))
		}
	}
	require.NoError(t, c.Exec(t.Context(), "ALTER TABLE state UPDATE search = (tupleElement(content, 'rank'), tupleElement(content, 'version'), 0, searchIndexed(tupleElement(content, 'text'))) WHERE tupleElement(content, 'rank') >= 0 SETTINGS mutations_sync = 2"))
	return c
}

func pick(r *rand.Rand) string {
	words := []string{"the", "the", "the", "deploy", "Größe", "rolled", "back", "again", "https://example.com/x", "自由", "rare" + fmt.Sprint(r.IntN(200))}
	return words[r.IntN(len(words))]
}

// ids are what a query over the views gives.
func ids(t *testing.T, c *chhttp.Client, sql string) []int64 {
	t.Helper()
	type row struct {
		ID int64 `json:"message_id"`
	}
	rows, err := chhttp.Select[row](t.Context(), c, sql)
	require.NoError(t, err, sql)
	out := []int64{}
	for _, r := range rows {
		out = append(out, r.ID)
	}
	return out
}

func idsOf(rows []messages.Message) []int64 {
	out := []int64{}
	for _, m := range rows {
		out = append(out, m.ID)
	}
	return out
}

// TestReader compares what a reader gives with what plain queries over the views give.
func TestReader(t *testing.T) {
	c := chat(t)
	r := messages.New(c, schemas.DiscordEpoch)
	t.Run("pages", func(t *testing.T) { pages(t, c, r) })
	t.Run("searches", func(t *testing.T) { searches(t, c, r) })
	t.Run("a user", func(t *testing.T) { user(t, c, r) })
	// Keys of a user come from a projection, which a merge makes again; so does it the index of words.
	require.NoError(t, c.Exec(t.Context(), "ALTER TABLE state RESET SETTING max_bytes_to_merge_at_max_space_in_pool"))
	require.NoError(t, c.Exec(t.Context(), "OPTIMIZE TABLE state FINAL"))
	t.Run("merged, searches", func(t *testing.T) { searches(t, c, r) })
	t.Run("merged, a user", func(t *testing.T) { user(t, c, r) })
}

func pages(t *testing.T, c *chhttp.Client, r *messages.Reader) {
	for _, channel := range []int64{1, 3, 99} {
		all := ids(t, c, fmt.Sprintf("SELECT message_id FROM messages WHERE channel_id = %d ORDER BY message_id DESC", channel))
		require.Equal(t, channel != 99, len(all) > 50)
		bounds := []int64{messages.Newest, -1 << 63, 0}
		for i := 0; i < len(all); i += 150 {
			bounds = append(bounds, all[i], all[i]+1)
		}
		for _, b := range bounds {
			for _, limit := range []int{20} {
				select20 := func(where, order string) []int64 {
					return ids(t, c, fmt.Sprintf("SELECT message_id FROM (SELECT message_id FROM messages WHERE channel_id = %d AND message_id %s %d ORDER BY message_id %s LIMIT %d) ORDER BY message_id DESC", channel, where, b, order, limit))
				}
				page, err := r.Before(t.Context(), channel, b, limit)
				require.NoError(t, err)
				require.Equal(t, select20("<", "DESC"), idsOf(page), "before %d", b)
				page, err = r.After(t.Context(), channel, b, limit)
				require.NoError(t, err)
				require.Equal(t, select20(">", "ASC"), idsOf(page), "after %d", b)
			}
		}
	}
	all := ids(t, c, "SELECT message_id FROM messages WHERE channel_id = 1 ORDER BY message_id DESC")
	page, err := r.Around(t.Context(), 1, all[100], 20)
	require.NoError(t, err)
	require.Equal(t, all[90:110], idsOf(page))
	same(t, c, append(page, must(r.Before(t.Context(), 3, messages.Newest, 50))...))
}

// same compares every value with the view's.
func same(t *testing.T, c *chhttp.Client, got []messages.Message) {
	t.Helper()
	edited := 0
	for i := range got {
		rows, err := chhttp.Select[viewed](t.Context(), c.WithSettings(map[string]string{"date_time_output_format": "iso"}), fmt.Sprintf("SELECT * FROM messages WHERE channel_id = %d AND message_id = %d", got[i].ChannelID, got[i].ID))
		require.NoError(t, err)
		require.Equal(t, []messages.Message{messages.Message(rows[0])}, got[i:i+1])
		if got[i].EditedAt != nil {
			edited++
		}
	}
	require.NotZero(t, edited)
	require.NotZero(t, got[0].UserID)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// searches compares searches with a comparison of every message's text.
func searches(t *testing.T, c *chhttp.Client, r *messages.Reader) {
	author := int64(2)
	middle := ids(t, c, "SELECT message_id FROM messages ORDER BY message_id LIMIT 1 OFFSET 400")[0]
	for name, test := range map[string]struct {
		q     messages.Query
		where string
	}{
		"common":       {messages.Query{Words: "THE"}, "has(splitByChar(' ', content), 'the')"},
		"common, all":  {messages.Query{Words: "the", Limit: 2000}, "has(splitByChar(' ', content), 'the')"},
		"rare":         {messages.Query{Words: "rare17"}, "has(splitByChar(' ', content), 'rare17')"},
		"folded":       {messages.Query{Words: "grosse"}, "has(splitByChar(' ', content), 'Größe')"},
		"nothing":      {messages.Query{Words: "absent"}, "0"},
		"no letters":   {messages.Query{Words: "%s !'\\"}, "has(splitByChar(' ', content), 's')"},
		"phrase":       {messages.Query{Words: `"rolled back"`}, "position(concat(' ', content, ' '), ' rolled back ') > 0"},
		"two words":    {messages.Query{Words: "rolled deploy"}, "hasAll(splitByChar(' ', content), ['rolled', 'deploy'])"},
		"part":         {messages.Query{Words: "由"}, "position(content, '由') > 0"},
		"in a channel": {messages.Query{Words: "the", Channels: []int64{3, 99}}, "channel_id = 3 AND has(splitByChar(' ', content), 'the')"},
		"by a user":    {messages.Query{Words: "the", User: &author}, "user_id = 2 AND has(splitByChar(' ', content), 'the')"},
		"links":        {messages.Query{Links: true}, "position(content, 'https') > 0"},
		"words, links": {messages.Query{Links: true, Words: "deploy"}, "position(content, 'https') > 0 AND has(splitByChar(' ', content), 'deploy')"},
		"before":       {messages.Query{Words: "the", Before: middle}, fmt.Sprintf("message_id < %d AND has(splitByChar(' ', content), 'the')", middle)},
		"after":        {messages.Query{Words: "the", After: middle}, fmt.Sprintf("message_id > %d AND has(splitByChar(' ', content), 'the')", middle)},
	} {
		if test.q.Limit == 0 {
			test.q.Limit = 25
		}
		if test.q.Before == 0 {
			test.q.Before = messages.Newest
		}
		found, err := r.Search(t.Context(), test.q)
		require.NoError(t, err, name)
		require.Equal(t, ids(t, c, fmt.Sprintf("SELECT message_id FROM messages WHERE %s ORDER BY message_id DESC, channel_id LIMIT %d", test.where, test.q.Limit)), idsOf(found), name)
	}
}

func user(t *testing.T, c *chhttp.Client, r *messages.Reader) {
	for _, limit := range []int{7, 1000} {
		found, err := r.ByUser(t.Context(), 4, messages.Newest, limit)
		require.NoError(t, err)
		require.Equal(t, ids(t, c, fmt.Sprintf("SELECT message_id FROM messages WHERE user_id = 4 ORDER BY message_id DESC, channel_id LIMIT %d", limit)), idsOf(found))
	}
	require.ElementsMatch(t, ids(t, c, "SELECT message_id FROM messages WHERE user_id = 4"), ids(t, c, "SELECT message_id FROM user_messages(user = 4)"))
}
