package activity_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/jobs/activity"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/clickhouse"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// store is a fresh hot store.
type store struct {
	*testing.T
	access testkit.ClickHouseAccess
	*chhttp.Client
}

func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{T: t, access: testkit.ClickHouse(t)}
	s.Client = s.client(nil)
	_, err := clickhouse.Migrate(t.Context(), s.Client, clickhouse.Params{Epoch: schemas.DiscordEpoch})
	require.NoError(t, err)
	return s
}

func (s *store) client(transport http.RoundTripper) *chhttp.Client {
	c, err := chhttp.New(chhttp.Config{Addr: s.access.Addr, User: s.access.User, Password: s.access.Password, Database: s.access.Database, Transport: transport})
	require.NoError(s, err)
	s.Cleanup(c.CloseIdle)
	return c
}

func (s *store) job(settle time.Duration) *activity.Job {
	j, err := activity.New(activity.Config{Shards: []*chhttp.Client{s.Client}, Settle: settle})
	require.NoError(s, err)
	return j
}

// at is a message's id at a time of 2 November 2026.
func at(clock string, n int64) int64 {
	when, err := time.Parse(time.DateTime, "2026-11-02 "+clock)
	if err != nil {
		panic(err)
	}
	return schemas.DiscordEpoch.ID(when.UnixMilli(), 0) + n
}

const (
	absentText    = "(-1, 0, 0, '', 0)"
	absentAuthor  = "(-1, 0, 0, 0, '', 0, 0)"
	absentDeleted = "(-1, 0, 0, 0, 0)"
)

// insert writes rows of the state as the sink does.
func (s *store) insert(rows ...string) {
	s.Helper()
	require.NoError(s, s.Exec(s.Context(), "INSERT INTO state (channel_id, inv, author, content, deleted) SETTINGS optimize_on_insert = 0 VALUES "+strings.Join(rows, ", ")))
}

func created(channel, id, user int64) string {
	return fmt.Sprintf("(%d, %d, (0, %d, 0, %d, '', 1, snowflakeTime(%d)), (0, %d, 0, 'text', 0), %s)", channel, -id, id, user, id, id, absentDeleted)
}

func edited(channel, id int64) string {
	return fmt.Sprintf("(%d, %d, %s, (1, %d, 0, 'other', 0), %s)", channel, -id, absentAuthor, id+1, absentDeleted)
}

// deleted is a delete, or with flag 0 a restore, of some version.
func deleted(channel, id, version int64, flag int) string {
	return fmt.Sprintf("(%d, %d, %s, %s, (1, %d, 0, %d, 0))", channel, -id, absentAuthor, absentText, id+version, flag)
}

func (s *store) step(j *activity.Job) int64 {
	s.Helper()
	n, err := j.Step(s.Context())
	require.NoError(s, err)
	return n
}

func (s *store) want(query, want string) {
	s.Helper()
	got, err := s.Query(s.Context(), query)
	require.NoError(s, err)
	require.Equal(s, want, strings.ReplaceAll(strings.TrimSpace(string(got)), "\t", " "))
}

const days = "SELECT day, channel_id, messages, edited, deleted, users FROM channel_days ORDER BY day, channel_id"

// TestEachMessageCountsOnceAsItIs follows messages through redelivery, edits, deletes, restores and late arrivals.
func TestEachMessageCountsOnceAsItIs(t *testing.T) {
	s := newStore(t)
	j := s.job(time.Hour)
	a, b, c := at("09:10:00", 1), at("09:20:00", 2), at("11:00:00", 3)
	s.insert(created(5, a, 1), created(5, b, 1), created(5, c, 2), created(6, a, 2))
	require.EqualValues(t, 3, s.step(j), "two hours of one channel, one of the other")
	s.want(days, "2026-11-02 5 3 0 0 2\n2026-11-02 6 1 0 0 1")
	require.Zero(t, s.step(j), "nothing was touched")

	s.insert(created(5, a, 1), created(5, b, 1)) // delivered again
	require.EqualValues(t, 1, s.step(j))
	s.want(days, "2026-11-02 5 3 0 0 2\n2026-11-02 6 1 0 0 1")

	s.insert(edited(5, a), deleted(5, c, 1, 1))
	s.step(j)
	s.want(days, "2026-11-02 5 2 1 1 1\n2026-11-02 6 1 0 0 1")

	s.insert(deleted(5, c, 2, 0), deleted(6, a, 1, 1)) // restored; the other channel's only one deleted
	s.insert(deleted(5, at("10:00:00", 9), 1, 1))      // a delete that came before its message
	s.step(j)
	s.want(days, "2026-11-02 5 3 1 0 2\n2026-11-02 6 0 0 1 0")

	s.insert(created(5, at("10:00:00", 9), 7), created(5, at("09:30:00", 8)-int64(48*3600_000)<<22, 3)) // it comes; and one two days late
	s.step(j)
	s.want(days, "2026-10-31 5 1 0 0 1\n2026-11-02 5 3 1 1 2\n2026-11-02 6 0 0 1 0")
	require.NoError(t, s.Exec(t.Context(), "OPTIMIZE TABLE state FINAL"))
	require.NoError(t, s.Exec(t.Context(), "OPTIMIZE TABLE activity_hours FINAL"))
	s.want(days, "2026-10-31 5 1 0 0 1\n2026-11-02 5 3 1 1 2\n2026-11-02 6 0 0 1 0")

	require.NoError(t, s.Exec(t.Context(), "INSERT INTO channels VALUES (100, 5, '', ''), (100, 6, '', '')"))
	s.want("SELECT day, messages, users FROM guild_days WHERE guild_id = 100 ORDER BY day", "2026-10-31 1 1\n2026-11-02 3 2")
	s.want("SELECT uniqExactMerge(users) FROM activity WHERE channel_id = 5", "3")
}

// TestWhatWasUnderWayIsCountedAgain: an insert notes its hours before its rows are seen.
func TestWhatWasUnderWayIsCountedAgain(t *testing.T) {
	s := newStore(t)
	j := s.job(300 * time.Millisecond)
	s.insert(created(5, at("09:00:00", 1), 1))
	require.EqualValues(t, 1, s.step(j))
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := s.step(j); n != 1 {
			return fmt.Errorf("%d hours were counted again", n)
		}
		return nil
	})
	require.Zero(t, s.step(j), "settled")
}

// breaks fails requests that contain a text.
type breaks struct{ text string }

func (b *breaks) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	text := make([]byte, 1<<16)
	n, _ := body.Read(text)
	if b.text != "" && strings.Contains(string(text[:n]), b.text) {
		return nil, fmt.Errorf("broken on purpose")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestARestartForgetsNothing: what a job had not counted, or not noted as counted, the next one counts.
func TestARestartForgetsNothing(t *testing.T) {
	s := newStore(t)
	for _, broken := range []string{"INSERT INTO activity_hours", "INSERT INTO activity_touched"} {
		s.insert(created(5, at("09:00:00", int64(len(broken))), 1))
		j, err := activity.New(activity.Config{Shards: []*chhttp.Client{s.client(&breaks{broken})}, Settle: time.Hour})
		require.NoError(t, err)
		_, err = j.Step(t.Context())
		require.ErrorContains(t, err, "broken on purpose")
		require.EqualValues(t, 1, j.Stats().Failures)
	}
	require.EqualValues(t, 1, s.step(s.job(time.Hour)))
	s.want(days, "2026-11-02 5 2 0 0 1")
}

// TestWhatStoodBeforeIsCounted: the migration notes every hour of a store that it finds.
func TestWhatStoodBeforeIsCounted(t *testing.T) {
	s := newStore(t)
	s.insert(created(5, at("09:00:00", 1), 1), created(5, at("12:00:00", 1), 1))
	for _, sql := range []string{"DROP VIEW activity_marks", "DROP TABLE activity_touched", "DROP TABLE activity_hours", "ALTER TABLE schema_migrations DELETE WHERE version >= 8 SETTINGS mutations_sync = 2"} {
		require.NoError(t, s.Exec(t.Context(), sql))
	}
	_, err := clickhouse.Migrate(t.Context(), s.Client, clickhouse.Params{Epoch: schemas.DiscordEpoch})
	require.NoError(t, err)
	require.EqualValues(t, 2, s.step(s.job(time.Hour)))
	s.want(days, "2026-11-02 5 2 0 0 1")
}
