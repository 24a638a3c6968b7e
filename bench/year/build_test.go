package year_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/lake"
)

const (
	bucket = "year"
	window = 5 * time.Minute
	// perCommit is how many windows a commit takes. One each would be a commit every five minutes, and 15 GB of versions
	// that nobody needs after the next; the manifests come out alike, because they are merged by their number and size.
	perCommit = 12
)

var first = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)

// build writes the table unless the folder has it: every window of the days one chunk of rows events, one file each.
func build(t *testing.T, dir string, table *lake.Table, days, rows int) {
	t.Helper()
	done := filepath.Join(dir, fmt.Sprintf("built-%d-%d", days, rows))
	if _, err := os.Stat(done); err == nil {
		return
	}
	began := time.Now()
	w, err := lakekit.NewWriter(t.Context(), table)
	require.NoError(t, err)
	chat, err := lakekit.NewChat(first, float64(rows)/window.Seconds(), 1)
	require.NoError(t, err)
	windows := days * int(24*time.Hour/window)
	for i := range windows {
		require.NoError(t, w.Add(t.Context(), first.Add(time.Duration(i)*window), chat.Next(rows)...))
		require.NoError(t, w.Checkpoint(t.Context()))
		if (i+1)%perCommit == 0 {
			_, err = w.Commit(t.Context())
			require.NoError(t, err)
		}
		if (i+1)%2880 == 0 {
			fmt.Printf("built %d of %d windows in %v\n", i+1, windows, time.Since(began).Round(time.Second))
		}
	}
	require.NoError(t, os.WriteFile(done, nil, 0o600))
}

// ensureBucket makes the bucket of a store that stays.
func ensureBucket(ctx context.Context, t *testing.T, a testkit.S3Access) {
	t.Helper()
	require.NoError(t, lakekit.Open(t, a, "").Store().EnsureBucket(ctx))
}
