package year_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
)

// TestHourOfACompactedDay: ClickHouse reads of a compacted day what an hour needs and the file's footer, not the file.
func TestHourOfACompactedDay(t *testing.T) {
	dir := t.TempDir()
	compacted := dir + "/compacted"
	stop := time.Now().Add(time.Hour)
	require.True(t, build(t, dir, 2, 100, stop))
	require.True(t, compactCopy(t, dir, compacted, 2, stop))
	a, end := serve(t, compacted)
	t.Cleanup(end)
	noon := first.Add(12 * time.Hour)
	hour := hourAt(t, a, noon)
	require.Equal(t, 1, hour.files)
	ch, c := engine(t, a)
	read := func() int64 {
		c.reset()
		require.NoError(t, ch.Exec(t.Context(), "SELECT *"+between(noon, time.Hour)+" FORMAT Null"))
		return c.data.Load()
	}
	require.Less(t, read(), hour.bytes/3, "the first time: the footer as well")
	require.Less(t, float64(read()), 1.2*float64(hour.groups), "the footer is known")
}

func hourAt(t *testing.T, a testkit.S3Access, at time.Time) own {
	t.Helper()
	table := lakekit.Open(t, a, "")
	v, err := table.Load(t.Context())
	require.NoError(t, err)
	return hourOf(t, table, v, at)
}
