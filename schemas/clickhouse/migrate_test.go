package clickhouse_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/clickhouse"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func open(t *testing.T, transport http.RoundTripper) *chhttp.Client {
	t.Helper()
	a := testkit.ClickHouse(t)
	c, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: a.User, Password: a.Password, Database: a.Database, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

var params = clickhouse.Params{Epoch: schemas.DiscordEpoch}

func migrated(t *testing.T) *chhttp.Client {
	t.Helper()
	c := open(t, nil)
	if _, err := clickhouse.Migrate(t.Context(), c, params); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMigrationsApplyOnce(t *testing.T) {
	c := open(t, nil)
	if err := clickhouse.Check(t.Context(), c); !errors.Is(err, clickhouse.ErrNotMigrated) {
		t.Fatalf("before: %v", err)
	}
	pending, err := clickhouse.Pending(t.Context(), c)
	if err != nil || len(pending) != len(clickhouse.Migrations()) {
		t.Fatalf("%v pending, %v", pending, err)
	}
	for round, want := range []int{len(pending), 0} {
		applied, err := clickhouse.Migrate(t.Context(), c, params)
		if err != nil || len(applied) != want {
			t.Fatalf("round %d applied %v, %v", round, applied, err)
		}
	}
	if err := clickhouse.Check(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestAMigrationThatWasBrokenOffGoesOn(t *testing.T) {
	c := migrated(t)
	for _, sql := range []string{"DROP VIEW messages", "DROP TABLE names", "ALTER TABLE schema_migrations DELETE WHERE version >= 2 SETTINGS mutations_sync = 1"} {
		if err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := clickhouse.Migrate(t.Context(), c, params); err != nil {
		t.Fatal(err)
	}
	if err := c.Exec(t.Context(), "SELECT * FROM messages, names"); err != nil {
		t.Fatal(err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	c := migrated(t)
	if err := c.Exec(t.Context(), "INSERT INTO schema_migrations (version, name) SELECT 9999, 'of the future'"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{clickhouse.Check(t.Context(), c), second(clickhouse.Migrate(t.Context(), c, params))} {
		if !errors.Is(err, clickhouse.ErrNewerSchema) || !strings.Contains(err.Error(), "9999") {
			t.Fatalf("got %v", err)
		}
	}
}

func second[A any](_ A, err error) error { return err }

// oldEngine answers the question for the version.
type oldEngine string

func (v oldEngine) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if string(body) != "SELECT version()" {
		return nil, fmt.Errorf("an old engine was asked for %s", body)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(v) + "\n")), Request: r}, nil
}

func TestAnOldEngineIsRefusedBeforeAnythingElse(t *testing.T) {
	for _, version := range []string{"26.6.9.1", "25.12.1.2", "9.1", "unreadable"} {
		_, err := clickhouse.Migrate(t.Context(), open(t, oldEngine(version)), params)
		if !errors.Is(err, clickhouse.ErrOldEngine) || !strings.Contains(err.Error(), version) {
			t.Fatalf("%s: %v", version, err)
		}
	}
}

func TestFunctions(t *testing.T) {
	c := migrated(t)
	opaque := schemas.OpaqueNumber(schemas.HashRef("irc/ubuntu"))
	for sql, want := range map[string]string{
		"SELECT snowflakeTime(175928847299117063)":                                             "2016-04-30 11:18:25.796",
		"SELECT snowflakeTime(-1)":                                                             "2014-12-31 23:59:59.999",
		"SELECT snowflakeAt(toDateTime64('2016-04-30 11:18:25.796', 3, 'UTC'))":                fmt.Sprint(int64(175928847299117063) >> 22 << 22),
		"SELECT coldstreamId('irc/ubuntu')":                                                    fmt.Sprint(opaque),
		"SELECT coldstreamId('-7'), coldstreamId('0'), coldstreamId('9223372036854775807')":    "-7\t0\t9223372036854775807",
		"SELECT coldstreamId('007') = 7, coldstreamId('9223372036854775808') < 0":              "0\t0",
		"SELECT coldstreamId(t) FROM (SELECT arrayJoin(['irc/ubuntu', '12']) AS t) ORDER BY t": "12\n" + fmt.Sprint(opaque),
	} {
		got, err := c.Query(t.Context(), sql)
		if err != nil || strings.TrimSuffix(string(got), "\n") != want {
			t.Errorf("%s: got %q, %v, want %q", sql, got, err, want)
		}
	}
}

// fill makes a month of 200 channels in several parts, partial edits among them.
const fill = `INSERT INTO state (channel_id, inv, ref_hash, late, week, author, content)
SELECT number %% 200, -snowflakeAt(t), 0, 0, toYYYYMMDD(toMonday(t)), (0, number, 0, 7, '', 1, t), (0, number, 0, 'text', toDateTime64(0, 6, 'UTC'))
FROM (SELECT number, toDateTime64('2026-11-02 00:00:00', 6, 'UTC') + toIntervalSecond(number * 20 + %d) AS t FROM numbers(100000))`

func TestFiltersOnTheViewsReadLittle(t *testing.T) {
	c := migrated(t)
	for part := range 2 {
		if err := c.Exec(t.Context(), fmt.Sprintf(fill, part)); err != nil {
			t.Fatal(err)
		}
	}
	const hour = "snowflakeAt(toDateTime64('2026-11-10 10:00:00', 3, 'UTC')) AND message_id < snowflakeAt(toDateTime64('2026-11-10 11:00:00', 3, 'UTC'))"
	for _, q := range []struct {
		where  string
		within float64 // of all granules
		index  string
	}{
		{"message_id >= " + hour, 0.35, "by_id"},
		{"channel_id = 17", 0.05, "channel_id"},
		{"channel_id = coldstreamId('17')", 0.05, "channel_id"},
		{"channel_id = 17 AND message_id >= " + hour, 0.03, "channel_id"},
		{"channel_id = 17 AND created_at >= '2026-11-10 10:00:00' AND created_at < '2026-11-10 11:00:00'", 0.05, "by_time"},
		{"message_id = " + "(SELECT max(message_id) FROM messages WHERE channel_id = 17)", 0.15, "by_message"},
	} {
		plan, err := c.Query(t.Context(), "EXPLAIN indexes = 1 SELECT content FROM messages WHERE "+q.where)
		if err != nil {
			t.Fatal(err)
		}
		if read, all := granules(t, string(plan)); float64(read) > q.within*float64(all) || !strings.Contains(string(plan), q.index) {
			t.Errorf("%s reads %d of %d granules, want %.0f %% at most, by %s\n%s", q.where, read, all, 100*q.within, q.index, plan)
		}
	}
}

// The resolver looks targets up without knowing their channel.
func TestTheResolversSearchesUseTheBloomIndexes(t *testing.T) {
	c := migrated(t)
	if err := c.Exec(t.Context(), fmt.Sprintf(fill, 0)); err != nil {
		t.Fatal(err)
	}
	for where, index := range map[string]string{"ref_hash IN (17, 18)": "by_ref", "ref_hash = 0 AND -inv IN (17, 18)": "by_message"} {
		plan, err := c.Query(t.Context(), "EXPLAIN indexes = 1 SELECT channel_id FROM state WHERE "+where+" AND tupleElement(author, 'rank') >= 0")
		if err != nil {
			t.Fatal(err)
		}
		if read, all := granules(t, string(plan)); read > all/20 || !strings.Contains(string(plan), index) {
			t.Errorf("%s reads %d of %d granules\n%s", where, read, all, plan)
		}
	}
}

var granulesPattern = regexp.MustCompile(`Granules: (\d+)(?:/(\d+))?`)

// granules reads from a plan how many granules the outer table is read in, and how many there are.
func granules(t *testing.T, plan string) (read, all int) {
	t.Helper()
	for _, m := range granulesPattern.FindAllStringSubmatch(plan, -1) {
		var n, of int
		if _, err := fmt.Sscan(m[1], &n); err != nil {
			t.Fatal(err)
		}
		if m[2] == "" {
			read = max(read, n)
			continue
		}
		if _, err := fmt.Sscan(m[2], &of); err != nil {
			t.Fatal(err)
		}
		all = max(all, of)
	}
	return read, all
}
