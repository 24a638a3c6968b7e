package messages_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/clickhouse"
	"github.com/coldstream/coldstream/serve/messages"
)

// recorder keeps the statements that pass, with their settings.
type recorder struct {
	mu         sync.Mutex
	statements []statement
}

type statement struct {
	sql      string
	settings url.Values
}

func (r *recorder) RoundTrip(q *http.Request) (*http.Response, error) {
	body, err := q.GetBody()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.statements = append(r.statements, statement{string(text), q.URL.Query()})
	r.mu.Unlock()
	return http.DefaultTransport.RoundTrip(q)
}

// TestPlans holds the plan of every query of the read path to a golden file: a plan that no longer uses an index, reads
// more parts or granules, or loses its FINAL, fails.
func TestPlans(t *testing.T) {
	a := testkit.ClickHouse(t)
	config := chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database}
	owner, err := chhttp.New(config)
	require.NoError(t, err)
	t.Cleanup(owner.CloseIdle)
	_, err = clickhouse.Migrate(t.Context(), owner, clickhouse.Params{Epoch: schemas.DiscordEpoch})
	require.NoError(t, err)
	require.NoError(t, owner.Exec(t.Context(), "ALTER TABLE state MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1"))
	for part := range 4 { // a day each, of two weeks; a third of the messages in channel 1
		require.NoError(t, owner.Exec(t.Context(), fmt.Sprintf(`INSERT INTO state (channel_id, inv, week, author, content, search)
WITH snowflakeAt(toDateTime('2026-11-0%d 00:00:00', 'UTC')) + number * 4194304 * 4000 AS m, concat('word', toString(number %% 5000)) AS word
SELECT if(number %% 3 = 0, 1, 2 + number %% 50), -m, if(%d < 2, 20261026, 20261102), (0, m, 0, number %% 100, '', 1, snowflakeTime(m)), (0, m, 0, word, 0), (0, m, 0, searchIndexed(word)) FROM numbers(20000)`,
			[]int{1, 2, 8, 9}[part], part)))
	}
	rec := &recorder{}
	config.Transport = rec
	recorded, err := chhttp.New(config)
	require.NoError(t, err)
	r := messages.New(recorded, schemas.DiscordEpoch)
	middle := schemas.DiscordEpoch.ID(1793620800000+6*3600_000, 0) // the second of the four days
	user := int64(7)
	var got strings.Builder
	for _, c := range []struct {
		name string
		ask  func() error
	}{
		{"page before an id", func() error { _, err := r.Before(t.Context(), 1, middle, 50); return err }},
		{"page after an id", func() error { _, err := r.After(t.Context(), 1, middle, 50); return err }},
		{"search", func() error {
			return searched(r.Search(t.Context(), messages.Query{Words: "word77", Before: middle, Limit: 3}))
		}},
		{"search in a channel", func() error {
			return searched(r.Search(t.Context(), messages.Query{Words: "word77", Channels: []int64{1}, Before: middle, Limit: 3}))
		}},
		{"search by an author", func() error {
			return searched(r.Search(t.Context(), messages.Query{Words: "word7", User: &user, Before: middle, Limit: 3}))
		}},
		{"a user's messages", func() error { return searched(r.ByUser(t.Context(), 7, middle, 20)) }},
	} {
		rec.statements = nil
		require.NoError(t, c.ask(), c.name)
		for i, s := range rec.statements {
			fmt.Fprintf(&got, "=== %s, query %d\n", c.name, i+1)
			settings := map[string]string{}
			for name := range s.settings {
				if name != "database" && name != "wait_end_of_query" {
					settings[name] = s.settings.Get(name)
				}
			}
			got.WriteString(testkit.Plan(t, owner.WithSettings(settings), strings.TrimSuffix(s.sql, "\nFORMAT JSONEachRow")))
		}
	}
	testkit.Golden(t, "plans.txt", got.String())
}

func searched(found []messages.Message, err error) error {
	if err == nil && len(found) == 0 {
		return fmt.Errorf("nothing was found")
	}
	return err
}
