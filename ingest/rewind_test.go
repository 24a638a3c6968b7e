package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/coldstream/coldstream/ingest"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
)

// stubborn is a sink that wants to rewind at every write of which refuse says so.
type stubborn struct {
	*memory
	writes int
	refuse func(n int) bool
}

func (s *stubborn) Write(ctx context.Context, b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter) error {
	s.writes++
	if s.refuse(s.writes) {
		return fmt.Errorf("%w: write %d", schemas.ErrRewind, s.writes)
	}
	return s.memory.Write(ctx, b, r, dead)
}

// ended waits for a pipeline that ends by itself.
func (r *running) ended(t *testing.T) {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		t.Fatalf("runs on: %+v", r.Stats())
	}
}

// A pipeline that rewinds for ever says so.
func TestRewindsWithoutEnd(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	produce(t, topic, 0, 1)
	cfg := config(t, topic, testkit.Name(t), &stubborn{memory: newMemory(), refuse: func(int) bool { return true }})
	cfg.Backoff = time.Millisecond
	r := run(t, cfg)
	r.ended(t)
	if !errors.Is(r.err, ingest.ErrNoProgress) || r.Stats().Rewinds != 10 {
		t.Errorf("ended after %d rewinds with %v", r.Stats().Rewinds, r.err)
	}
}

// A commit between them makes rewinds the price of an outage.
func TestRewindsWithCommits(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	produce(t, topic, 0, 1)
	m := newMemory()
	cfg := config(t, topic, testkit.Name(t), &stubborn{memory: m, refuse: func(n int) bool { return n != 8 && n < 16 }})
	cfg.Backoff = time.Millisecond
	r := run(t, cfg)
	waitRows(t, m, 1)
	testkit.Eventually(t, patience, func() error {
		if r.Stats().Commits == 0 {
			return errors.New("nothing committed")
		}
		return nil
	})
	produce(t, topic, 1, 1)
	waitRows(t, m, 2)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if s := r.Stats(); s.Rewinds != 14 || s.Commits != 2 {
		t.Errorf("stats %+v", s)
	}
}
