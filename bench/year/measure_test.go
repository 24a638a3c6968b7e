package year_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas/parquet"
)

// runs is how often each question is asked; the first is told apart, because caches are cold.
const runs = 7

// own is what an hour takes in the table: the row groups of its windows, and the files that these are in.
type own struct {
	files         int
	bytes, groups int64
}

func (o own) String() string {
	return fmt.Sprintf("its row groups have %d bytes, in %d files of %d bytes", o.groups, o.files, o.bytes)
}

// hourOf finds what an hour takes, from the footers of the files that may have rows of it.
func hourOf(t *testing.T, table *lake.Table, v *lake.Version, at time.Time) (o own) {
	t.Helper()
	files, err := v.Files(t.Context(), lake.Filter{From: at, To: at.Add(time.Hour)})
	require.NoError(t, err)
	blocks := table.Store().Blocks(64 << 20)
	for _, f := range files {
		r, err := parquet.Open(blocks.Open(t.Context(), table.Key(f.Path), f.Size), f.Size)
		require.NoError(t, err)
		o.files, o.bytes = o.files+1, o.bytes+f.Size
		for _, c := range r.Chunks() {
			if w := time.UnixMilli(c.WindowMs); !w.Before(at) && w.Before(at.Add(time.Hour)) {
				o.groups += r.CompressedBytes(c)
			}
		}
	}
	return o
}

// measure asks for an hour, and for the day that it is in, and prints what it took.
func measure(t *testing.T, title string, a testkit.S3Access, at time.Time) {
	t.Helper()
	table := lakekit.Open(t, a, "")
	v, err := table.Load(t.Context())
	require.NoError(t, err)
	list, err := v.Manifests(t.Context())
	require.NoError(t, err)
	var metas int64
	for _, m := range list {
		metas += m.Size
	}
	begin := time.Now()
	_, err = v.Files(t.Context(), lake.Filter{From: at, To: at.Add(time.Hour)})
	require.NoError(t, err)
	fmt.Printf("\n%s: %d rows, %d manifests of %d bytes in all; planned by us in %v\nthe hour from %s: %s\n", title, committed(v), len(list), metas,
		time.Since(begin).Round(100*time.Microsecond), at.Format(time.DateTime), hourOf(t, table, v, at))
	askClickHouse(t, a, at)
	askPyIceberg(t, a, at)
}

// engine is ClickHouse over the table, with a counter between it and the store.
func engine(t *testing.T, a testkit.S3Access) (*chhttp.Client, *counter) {
	t.Helper()
	c := newCounter(t, a.Endpoint)
	a.Endpoint = c.addr
	s, err := clickhouse.Start(t.Context(), clickhouse.Config{
		Dir: t.TempDir(), Addr: "127.0.0.1:0", User: "u", Password: "p", AnalystUser: "a", AnalystPassword: "p",
		S3: &clickhouse.S3Access{Endpoint: "http://" + a.Endpoint, AccessKey: a.AccessKey, SecretKey: a.SecretKey, Bucket: a.Bucket},
	})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	full, err := chhttp.New(chhttp.Config{Addr: s.Addr(), User: "u", Password: "p", Database: "default"})
	require.NoError(t, err)
	defer full.CloseIdle()
	for _, sql := range lake.EngineDDL(lakekit.Open(t, a, ""), lake.EngineOptions{}) {
		require.NoError(t, full.Exec(t.Context(), sql))
	}
	analyst, err := chhttp.New(chhttp.Config{Addr: s.Addr(), User: "a", Password: "p", Database: "default"})
	require.NoError(t, err)
	t.Cleanup(analyst.CloseIdle)
	return analyst, c
}

func between(from time.Time, d time.Duration) string {
	return fmt.Sprintf(" FROM events WHERE event_time >= '%s' AND event_time < '%s'", from.Format(time.DateTime), from.Add(d).Format(time.DateTime))
}

func askClickHouse(t *testing.T, a testkit.S3Access, at time.Time) {
	t.Helper()
	ch, c := engine(t, a)
	day := at.Truncate(24 * time.Hour)
	for _, q := range [][2]string{
		{"planning: an hour before the first", "SELECT *" + between(first.AddDate(0, 0, -7), time.Hour)},
		{"an hour, all columns", "SELECT *" + between(at, time.Hour)},
		{"an hour, three columns", "SELECT channel_id, user_id, content" + between(at, time.Hour)},
		{"group-by over a day", "SELECT channel_id, count() AS n" + between(day, 24*time.Hour) + " GROUP BY 1 ORDER BY n DESC LIMIT 10"},
	} {
		var took []time.Duration
		var cold string
		for i := range runs {
			c.reset()
			begin := time.Now()
			require.NoError(t, ch.Exec(t.Context(), q[1]+" FORMAT Null"))
			took = append(took, time.Since(begin))
			if i == 0 {
				cold = c.String()
			}
		}
		report("ClickHouse", q[0], took, cold, c.String())
	}
}

func report(reader, question string, took []time.Duration, first, last string) {
	rest := slices.Sorted(slices.Values(took[1:]))
	fmt.Printf("%s, %s: first %v (%s); then %v (%s)\n", reader, question, took[0].Round(time.Millisecond), first,
		rest[len(rest)/2].Round(100*time.Microsecond), last)
}
