package year_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/jobs/compact"
	"github.com/coldstream/coldstream/lake"
)

// compactCopy copies the table, by links, compacts all of its days but the last, and commits once more: the state of a table
// whose days are compacted once they are closed, while it goes on. It says whether it is done: it stops at the time given, and goes on when called again.
func compactCopy(t *testing.T, from, to string, days int, stop time.Time) bool {
	t.Helper()
	done := filepath.Join(to, fmt.Sprintf("compacted-%d-and-on", days))
	if _, err := os.Stat(done); err == nil {
		return true
	}
	copied := filepath.Join(to, "copied")
	if _, err := os.Stat(copied); err != nil {
		require.NoError(t, os.RemoveAll(to))
		require.NoError(t, os.MkdirAll(filepath.Join(to, "s3"), 0o700))
		// An object is never written in place: a link to it stays what it was.
		out, err := exec.CommandContext(t.Context(), "cp", "-al", filepath.Join(from, "s3", "objects"), filepath.Join(to, "s3")).CombinedOutput()
		require.NoErrorf(t, err, "%s", out)
		require.NoError(t, os.WriteFile(copied, nil, 0o600))
	}
	a, end := serve(t, to)
	defer end()
	c, err := compact.New(compact.Config{Table: lakekit.Open(t, a, "")})
	require.NoError(t, err)
	plans, err := c.All(t.Context(), compact.Range{From: first, To: first.AddDate(0, 0, days-1)})
	require.NoError(t, err)
	begin, in, out := time.Now(), 0, 0
	for i := range plans {
		if time.Now().After(stop) {
			fmt.Printf("compacted %d of %d days in %v; run it again to go on\n", i, len(plans), time.Since(begin).Round(time.Second))
			return false
		}
		r, err := c.Day(t.Context(), &plans[i])
		require.NoError(t, err)
		in, out = in+r.FilesIn, out+r.FilesOut
	}
	commitMore(t, lakekit.Open(t, a, ""), days)
	fmt.Printf("compacted %d days: %d files became %d in %v\n", len(plans), in, out, time.Since(begin).Round(time.Second))
	require.NoError(t, os.WriteFile(done, nil, 0o600))
	return true
}

// commitMore commits an hour of the day after the last.
func commitMore(t *testing.T, table *lake.Table, days int) {
	t.Helper()
	const rows = 200
	chat, err := lakekit.NewChat(first.AddDate(0, 0, days), rows/window.Seconds(), 2)
	require.NoError(t, err)
	commitHour(t, fork(t, table), chat, days*int(24*time.Hour/window), rows)
}
