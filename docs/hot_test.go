package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/jobs/activity"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/schemas/search"
)

// hotData are the messages that the page's queries are about; the lake is a view with the same columns.
const hotData = `INSERT INTO state (channel_id, inv, ref_hash, week, guild, author, content, search, message_ref, channel_ref, extra)
SELECT c, -m, if(ref = '', 0, xxh3(ref)), 20261116, (1, 290926798626357999, ''), (0, m, 0, u, '', 1, if(ref = '', snowflakeTime(m), toDateTime64('2026-11-20 12:30:00', 6, 'UTC'))),
(toInt8(edited), m + edited, 0, text, if(edited, snowflakeTime(m) + 5, 0)), (toInt8(edited), m + edited, 0, searchIndexed(text)), ref, channel, (0, m, 0, '{"pinned":true}')
FROM values('c Int64, channel String, m Int64, ref String, u Int64, edited UInt8, text String',
(41771983423143937, '', snowflakeAt('2026-11-20 12:00:01') + 1, '', 80351110224678912, 0, 'The deploy was rolled back, see https://example.com'),
(41771983423143937, '', snowflakeAt('2026-11-20 12:00:02') + 1, '', 80351110224678912, 1, 'Größe zählt'),
(41771983423143937, '', snowflakeAt('2026-11-02 09:00:02') + 1, '', 80351110224678912, 1, 'older'),
(coldstreamId('irc/ubuntu'), 'irc/ubuntu', snowflakeAt('2026-11-20 12:30:00') + 7, 'irc/ubuntu/x:1', 5, 0, 'hello'))`

// hotOthers are messages of other channels, so that the plans show what is not read.
const hotOthers = `INSERT INTO state (channel_id, inv, week, author, content, search)
WITH snowflakeAt(toDateTime('2026-11-03 00:00:00', 'UTC')) + number * 4194304 * 60000 AS m
SELECT 100 + number % 50, -m, if(number < 8640, 20261102, 20261109), (0, m, 0, number % 100, '', 1, snowflakeTime(m)), (0, m, 0, 'something else', 0), (0, m, 0, searchIndexed('something else')) FROM numbers(18720)`

const hotLake = `CREATE OR REPLACE VIEW events AS SELECT *, 0 AS kafka_offset, toDateTime64('2026-11-02 09:00:00', 6, 'UTC') AS event_time, 'x' AS content
FROM values('event_id Int64, type String, message_id Nullable(Int64), message_ref Nullable(String)',
(1, 'message.created', 1573488108240896008, NULL), (2, 'message.created', 1, 'msg_abc123'), (3, 'message.deleted', NULL, 'msg_abc123'), (4, 'message.deleted', 1, 'msg_abc123'))`

func TestMain(m *testing.M) { testkit.Main(m) }

// TestHotQueriesRun runs every SQL block of hot.md as the analyst; each must answer with rows, and by the plan of the golden file.
func TestHotQueriesRun(t *testing.T) {
	a := testkit.ClickHouse(t)
	owner := a.Client(t, a.User, a.Password)
	_, err := clickhouse.Migrate(t.Context(), owner, clickhouse.Params{Epoch: schemas.DiscordEpoch, EventsDDL: []string{hotLake}})
	require.NoError(t, err)
	for _, sql := range []string{
		hotData, hotOthers, "INSERT INTO names VALUES ('user', 5, '', 'ada', 1)",
		"INSERT INTO channels VALUES (290926798626357999, 41771983423143937, '', '')",
	} {
		require.NoError(t, owner.Exec(t.Context(), sql))
	}
	require.NoError(t, owner.Exec(t.Context(), "ALTER TABLE activity_hours MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1")) // a part a day, for the plans
	job, err := activity.New(activity.Config{Shards: []*chhttp.Client{owner}})
	require.NoError(t, err)
	_, err = job.Step(t.Context())
	require.NoError(t, err)
	analyst := a.Client(t, a.AnalystUser, a.AnalystPassword)
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(page(t, "hot.md"), -1)
	require.Greater(t, len(blocks), 10)
	var plans strings.Builder
	for _, block := range blocks {
		fmt.Fprintf(&plans, "=== %s\n%s", strings.TrimSpace(block[1]), testkit.Plan(t, analyst, strings.TrimSpace(block[1])))
		rows, err := analyst.Query(t.Context(), strings.TrimSpace(block[1]))
		require.NoError(t, err, block[1])
		require.NotEmpty(t, string(rows), block[1])
	}
	testkit.Golden(t, "hot-plans.txt", plans.String())
	rows, err := analyst.Query(t.Context(), "SELECT groupArray(type) FROM message_events(message = 'msg_abc123')")
	require.NoError(t, err)
	require.Equal(t, "['message.created','message.deleted']\n", string(rows), "the delete that a resolver completed stands for the original")
}

// TestHotSearchTable holds the table of searches to what the database finds.
func TestHotSearchTable(t *testing.T) {
	_, table, found := strings.Cut(page(t, "hot.md"), "| what is typed | finds | and not |\n|---|---|---|\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(table, "\n") {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		require.GreaterOrEqual(t, len(cells), 2, row)
		for _, typed := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[0], -1) {
			require.True(t, hotFinds(cells[1], typed[1]), row)
			if len(cells) > 2 {
				not, _, _ := strings.Cut(strings.Trim(cells[2], " |`"), ":")
				require.False(t, hotFinds(not, typed[1]), row)
			}
		}
	}
}

// hotFinds says whether a text is found, as the index and the views decide it.
func hotFinds(text, typed string) bool {
	indexed := string(search.AppendIndexed(nil, []byte(text)))
	q := search.Parse(typed)
	for _, token := range q.Tokens {
		if !strings.Contains(indexed, " "+token+" ") {
			return false
		}
	}
	for _, p := range q.Phrases {
		if !strings.Contains(indexed, p) {
			return false
		}
	}
	return !q.Empty()
}

// TestHotNamesTestsThatAre holds the page's tables of faults to the tests that they name.
func TestHotNamesTestsThatAre(t *testing.T) {
	var code strings.Builder
	for _, folder := range []string{"../sinks/clickhouse", "../sinks/resolver"} {
		files, err := filepath.Glob(folder + "/*_test.go")
		require.NoError(t, err)
		for _, f := range files {
			text, err := os.ReadFile(f)
			require.NoError(t, err)
			code.Write(text)
		}
	}
	names := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(page(t, "hot.md"), -1)
	require.NotEmpty(t, names)
	for _, n := range names {
		require.Contains(t, code.String(), "func "+n[1]+"(", "hot.md names it")
	}
}
