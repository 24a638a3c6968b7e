package readers_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/internal/testkit/lakekit"
	"github.com/coldstream/coldstream/jobs/compact"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/serve/catalog"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a table that is being written, and what readers need to find it.
type world struct {
	access  testkit.ClickHouseAccess
	table   *lake.Table // of whoever reads; the writer has its own
	catalog string      // URI

	mu    sync.Mutex
	rows  int64 // committed
	left  int   // commits and swaps that may still be made before the next round
	swaps int   // days compacted
}

// odd are documents that some engine could read in another way than the rest: opaque ids, times before 1970 and before
// the epoch, empty and long texts, quotes, line ends and separators, letters beyond the first plane.
var odd = [][]byte{
	[]byte(`{"event_id":"msg_abc123","channel_id":"xyz789","user_id":"u_456","content":"Hello world","timestamp":"2023-05-10T14:30:00Z","deleted":false}`),
	[]byte(`{"event_id":"del_abc123","target_message_id":"msg_xyz456","timestamp":"2023-05-10T15:00:00Z"}`),
	[]byte(`{"event_id":"old","channel_id":"irc/a","user_id":"irc/b","content":"","timestamp":"1961-04-12T06:07:00.000001Z"}`),
	[]byte(`{"event_id":"new","channel_id":"irc/a","user_id":"irc/b","content":"\"quoted\"\n\tand\u001f 😀 Grüße 你好 \\ \u0000 end","timestamp":"2004-11-15T23:59:59.999999Z","x":{"deep":[1,2.50,null,"ü"]}}`),
	[]byte(`{"event_id":"ban","type":"member.banned","user_id":"irc/b","timestamp":"2004-11-16T00:00:00Z","reason":"long ` + string(make20k()) + `"}`),
}

func make20k() []byte {
	b := make([]byte, 20_000)
	for i := range b {
		b[i] = byte('a' + i%26)
	}
	return b
}

// newWorld makes a table with the odd documents in it, in a bucket that the engine may read.
func newWorld(t *testing.T) (*world, *lakekit.Writer) {
	t.Helper()
	w := &world{access: testkit.ClickHouse(t)}
	prefix := testkit.Name(t)
	w.table = lakekit.Open(t, w.access.Lake, prefix)
	writer, err := lakekit.NewWriter(t.Context(), lakekit.Open(t, w.access.Lake, prefix))
	require.NoError(t, err)
	require.NoError(t, writer.Add(t.Context(), lakekit.FirstDay, odd...))
	require.NoError(t, w.commit(t.Context(), writer))
	storage := catalog.Storage{Endpoint: "http://" + w.access.Lake.Endpoint, Region: w.access.Lake.Region}
	server := httptest.NewServer(http.StripPrefix(catalog.Path, catalog.New(catalog.Config{
		Namespace: "lake", Tables: map[string]catalog.Source{"events": lakekit.Open(t, w.access.Lake, prefix)}, Storage: storage,
	})))
	t.Cleanup(server.Close)
	w.catalog = server.URL + catalog.Path
	return w, writer
}

func (w *world) commit(ctx context.Context, writer *lakekit.Writer) error {
	if err := writer.Checkpoint(ctx); err != nil {
		return err
	}
	done, err := writer.Commit(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows += done.Rows
	w.left--
	return err
}

// allow lets writer and compaction make n commits, no more.
func (w *world) allow(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = n
}

func (w *world) allowed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left > 0
}

func (w *world) committed() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rows
}

const (
	perCommit = 250                    // events; they spread over an hour, so that a day closes every 24 commits
	pace      = 400 * time.Millisecond // between two commits
	// aRound is how many commits and swaps are made while the readers of a round read, at most: the table lists a hundred
	// snapshots, and the pinned one must still be among them for the slowest.
	aRound = 80
)

// write goes on committing chat until ctx ends, and gives the error that ended it before.
func (w *world) write(ctx context.Context, writer *lakekit.Writer) error {
	chat, err := lakekit.NewChat(lakekit.FirstDay, perCommit/3600.0, 1)
	if err != nil {
		return err
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if !w.allowed() {
			continue
		}
		if err = writer.Add(ctx, time.Now(), chat.Next(perCommit)...); err == nil {
			err = w.commit(ctx, writer)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("while readers read: %w", err)
		}
	}
}

// compact goes on compacting every day that has more than one file, the one that is being written too, until ctx ends.
func (w *world) compact(ctx context.Context, table *lake.Table) error {
	c, err := compact.New(compact.Config{Table: table, Memory: 32 << 20, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	tick := time.NewTicker(2 * pace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := w.compactOnce(ctx, c); err != nil && ctx.Err() == nil {
			return fmt.Errorf("while readers read: %w", err)
		}
	}
}

func (w *world) compactOnce(ctx context.Context, c *compact.Compactor) error {
	plans, err := c.All(ctx, compact.Range{})
	if err != nil {
		return err
	}
	for i := range plans {
		if !w.allowed() {
			return nil
		}
		r, err := c.Day(ctx, &plans[i])
		if err != nil {
			return err
		}
		if !r.Abandoned {
			w.swapped()
		}
	}
	return nil
}

func (w *world) swapped() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left--
	w.swaps++
}

func (w *world) swapCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.swaps
}
