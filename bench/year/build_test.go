package year_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

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

// workers build files side by side, each from a partition of its own.
const workers = 6

// build writes the table unless the folder has it: every window of the days one chunk of rows events, one file each. What
// an earlier run has committed stays. It says whether it is done: it stops at the time given.
func build(t *testing.T, dir string, days, rows int, stop time.Time) bool {
	t.Helper()
	done := filepath.Join(dir, fmt.Sprintf("built-%d-%d", days, rows))
	if _, err := os.Stat(done); err == nil {
		return true
	}
	a, end := serve(t, dir)
	defer end()
	require.NoError(t, lakekit.Open(t, a, "").Store().EnsureBucket(t.Context()))
	table := lakekit.Open(t, a, "")
	began := time.Now()
	writers := fork(t, table)
	chat, err := lakekit.NewChat(first, float64(rows)/window.Seconds(), 1)
	require.NoError(t, err)
	v, err := table.Load(t.Context())
	require.NoError(t, err)
	have := committed(v) / rows
	for range have {
		chat.Next(rows)
	}
	for i, windows := have, days*int(24*time.Hour/window); i < windows; i += perCommit {
		if time.Now().After(stop) {
			fmt.Printf("built %d of %d windows, %d of them in %v; run it again to go on\n", i, windows, i-have, time.Since(began).Round(time.Second))
			return false
		}
		commitHour(t, writers, chat, i, rows)
		if i%(10*288) < perCommit {
			fmt.Printf("built %d of %d windows in %v\n", i, windows, time.Since(began).Round(time.Second))
		}
	}
	require.NoError(t, os.WriteFile(done, nil, 0o600))
	return true
}

func fork(t *testing.T, table *lake.Table) []*lakekit.Writer {
	t.Helper()
	w, err := lakekit.NewWriter(t.Context(), table)
	require.NoError(t, err)
	writers := []*lakekit.Writer{w}
	for p := int32(1); p < workers; p++ {
		f, err := w.Fork(t.Context(), p)
		require.NoError(t, err)
		writers = append(writers, f)
	}
	return writers
}

// committed is the number of rows in the table.
func committed(v *lake.Version) (n int) {
	for _, s := range v.Position.Sources {
		n += int(s.Next)
	}
	return n
}

// commitHour writes the windows from number i on and commits them.
func commitHour(t *testing.T, writers []*lakekit.Writer, chat *lakekit.Chat, i, rows int) {
	t.Helper()
	docs := make([][][]byte, perCommit)
	for k := range docs {
		docs[k] = chat.Next(rows)
	}
	var g errgroup.Group
	for p, w := range writers {
		g.Go(func() error {
			for k := p; k < perCommit; k += len(writers) {
				if err := w.Add(t.Context(), first.Add(time.Duration(i+k)*window), docs[k]...); err != nil {
					return err
				}
				if err := w.Checkpoint(t.Context()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	_, err := writers[0].Commit(t.Context())
	require.NoError(t, err)
}
