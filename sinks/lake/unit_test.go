package lake_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
	sink "github.com/coldstream/coldstream/sinks/lake"
)

// bench is a sink on a made-up table and clock, called as a pipeline would.
type bench struct {
	t       *testing.T
	sink    *sink.Sink
	now     time.Time
	mu      sync.Mutex
	gate    chan struct{} // if set, uploads wait for it
	commits []*lake.Checkpoint
	fail    error
}

func (b *bench) Key(rel string) string { return "t/" + rel }

func (b *bench) EncodeCheckpoint(_ context.Context, c lake.Checkpoint) ([]byte, error) {
	return lake.Encode(c)
}

func (b *bench) Put(ctx context.Context, key string, body []byte) (objects.Info, error) {
	if b.gate != nil {
		select {
		case <-b.gate:
		case <-ctx.Done():
			return objects.Info{}, ctx.Err()
		}
	}
	return objects.Info{Key: key, Size: int64(len(body))}, nil
}

func (b *bench) commit(_ context.Context, ranges []schemas.Range, records ...*kgo.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	c, err := lake.Decode(records[0].Value)
	if err != nil {
		b.t.Fatal(err)
	}
	for i, r := range ranges {
		if s := c.Sources[i]; s.Partition != r.Partition || s.From != r.From || s.Next != r.Next {
			b.t.Errorf("the record says %+v, the commit %+v", s, r)
		}
	}
	b.commits = append(b.commits, c)
	return nil
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func newBench(t *testing.T, change func(*sink.Config)) *bench {
	t.Helper()
	b := &bench{t: t, now: noon}
	cfg := sink.Config{Table: b, Store: b, Worker: "w", Chunks: "chunks", DLQ: "dlq", Epoch: schemas.DiscordEpoch, Now: func() time.Time { return b.now }}
	if change != nil {
		change(&cfg)
	}
	s, err := sink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.sink = s
	if err := s.Open(t.Context(), b.commit); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		done, stop := context.WithCancel(context.Background())
		stop()
		_ = s.Close(done) // ends an upload that a test left waiting
	})
	return b
}

func source(p int32) schemas.Source {
	return schemas.Source{Cluster: "c", Topic: "events", TopicID: "id", Partition: p}
}

// write gives the sink offsets [from, next) of a partition, a row each, and dead letters for some.
func (b *bench) write(p int32, from, next int64, dead int) error {
	batch := schemas.GetBatch()
	defer batch.Release()
	for o := from; o < next; o++ {
		batch.Append(&schemas.Row{EventID: o, Offset: o, Partition: p, TypeName: []byte("x"), Time: b.now.UnixMicro()})
	}
	letters := make([]schemas.DeadLetter, dead)
	return b.sink.Write(b.t.Context(), batch, schemas.Range{Source: source(p), From: from, Next: next, Events: next - from}, letters)
}

func (b *bench) mustWrite(p int32, from, next int64, dead int) {
	b.t.Helper()
	if err := b.write(p, from, next, dead); err != nil {
		b.t.Fatal(err)
	}
}

// at ticks at a time of the day; want is the number of commits that there must be when everything begun has ended.
func (b *bench) at(clock string, want int) {
	b.t.Helper()
	d, err := time.Parse(time.TimeOnly, clock)
	if err != nil {
		b.t.Fatal(err)
	}
	b.now = noon.Add(d.Sub(time.Date(0, 1, 1, 12, 0, 0, 0, time.UTC)))
	testkit.Eventually(b.t, patience, func() error {
		if err := b.sink.Tick(b.t.Context(), b.now); err != nil {
			b.t.Fatal(err)
		}
		if s := b.sink.Stats(); s.Checkpoints < int64(want) {
			return errors.New("waiting for a checkpoint")
		}
		return nil
	})
	if len(b.commits) != want {
		b.t.Fatalf("%s: %d checkpoints, want %d", clock, len(b.commits), want)
	}
}

func TestMarks(t *testing.T) {
	b := newBench(t, nil)
	b.at("12:00:00", 0)
	b.mustWrite(0, 0, 3, 0)
	b.at("12:00:29", 0) // the mark of 12:00 and its grace lie before, since the rows came within
	b.at("12:00:30", 1)
	b.mustWrite(0, 3, 5, 0)
	b.at("12:05:00", 1)
	b.at("12:05:29", 1)
	b.at("12:05:30", 2)
	b.at("12:30:00", 2)
	if c := b.commits[1]; c.Sources[0].From != 3 || c.Sources[0].Next != 5 || c.Counters.Events != 2 || len(c.Files) != 1 {
		t.Errorf("record %+v", c)
	}
}

// A clock that is stepped back must not put the next checkpoint off until it has caught up.
func TestClockGoesBack(t *testing.T) {
	b := newBench(t, nil)
	b.at("18:01:00", 0)
	b.mustWrite(0, 0, 3, 0)
	b.at("12:01:00", 1)
	b.mustWrite(0, 3, 4, 0)
	b.at("12:05:29", 1)
	b.at("12:05:30", 2)
	b.mustWrite(0, 4, 5, 1)
	b.at("12:05:40", 3)
	b.mustWrite(0, 5, 6, 1)
	b.at("11:00:00", 4)
	b.mustWrite(0, 6, 7, 1)
	b.at("11:00:10", 5)
}

func TestDeadLettersAreQuickOnceAMark(t *testing.T) {
	b := newBench(t, nil)
	b.at("12:01:00", 0)
	b.mustWrite(0, 0, 1, 1)
	b.at("12:01:09", 0)
	b.at("12:01:10", 1)
	b.mustWrite(0, 1, 2, 1)
	b.at("12:02:00", 1)
	b.at("12:05:30", 2)
	b.mustWrite(0, 2, 3, 1)
	b.at("12:05:40", 3)
}

func TestBudgets(t *testing.T) {
	for name, change := range map[string]func(*sink.Config){
		"rows":  func(c *sink.Config) { c.MaxRows = 10 },
		"bytes": func(c *sink.Config) { c.MaxBytes = 2000 },
		"dead":  func(c *sink.Config) { c.MaxDead = 10 },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, change)
			b.mustWrite(0, 0, 4, 4)
			b.at("12:00:01", 0)
			b.mustWrite(0, 4, 14, 6)
			b.at("12:00:02", 1)
		})
	}
	t.Run("days", func(t *testing.T) {
		b := newBench(t, func(c *sink.Config) { c.MaxDays = 3 })
		for d := range int64(4) {
			b.now = noon.AddDate(0, 0, -int(d))
			b.mustWrite(0, d, d+1, 0)
		}
		b.at("12:00:01", 1)
		if len(b.commits[0].Files) != 4 {
			t.Errorf("%d files", len(b.commits[0].Files))
		}
	})
}

// A source that stands still is told along with others, as long as it is held, and causes no record by itself.
func TestIdleSources(t *testing.T) {
	b := newBench(t, nil)
	still := func(p int32, next, complete int64) schemas.Range {
		return schemas.Range{Source: source(p), From: next, Next: next, CompleteMs: complete}
	}
	b.sink.Idle(still(1, 7, 1000))
	b.at("12:05:30", 0)
	b.mustWrite(0, 0, 3, 0)
	b.sink.Idle(still(0, 3, 2000))
	b.sink.Idle(still(2, 5, 2000))
	b.sink.Lost([]schemas.Source{source(2)})
	b.at("12:10:30", 1)
	got := b.commits[0].Sources
	if len(got) != 2 || got[0].CompleteMs != 2000 || got[1].Partition != 1 || got[1].From != 7 || got[1].Next != 7 || got[1].CompleteMs != 1000 {
		t.Errorf("sources %+v", got)
	}
}

// A source lost takes everything with it that stood in the same checkpoint, and then all is read again.
func TestLost(t *testing.T) {
	b := newBench(t, nil)
	b.mustWrite(0, 0, 3, 0)
	b.sink.Lost([]schemas.Source{source(1)})
	b.mustWrite(0, 3, 4, 0)
	b.at("12:00:30", 1)

	b.mustWrite(0, 4, 5, 0)
	b.sink.Lost([]schemas.Source{source(0)})
	b.at("12:05:30", 1)

	b.mustWrite(0, 10, 12, 0)
	b.mustWrite(1, 0, 2, 0)
	b.sink.Lost([]schemas.Source{source(0)})
	if err := b.sink.Tick(t.Context(), b.now); !errors.Is(err, schemas.ErrRewind) {
		t.Errorf("tick: %v", err)
	}
	if err := b.sink.Revoke(t.Context(), []schemas.Source{source(1)}); err != nil {
		t.Errorf("revoke: %v", err)
	}
	if len(b.commits) != 1 {
		t.Errorf("%d commits", len(b.commits))
	}
}

func TestRevokeAndClose(t *testing.T) {
	b := newBench(t, nil)
	b.mustWrite(0, 0, 3, 0)
	if err := b.sink.Revoke(t.Context(), []schemas.Source{source(1)}); err != nil || len(b.commits) != 0 {
		t.Fatalf("revoke of what is not held: %v, %d commits", err, len(b.commits))
	}
	if err := b.sink.Revoke(t.Context(), []schemas.Source{source(0)}); err != nil || len(b.commits) != 1 {
		t.Fatalf("revoke: %v, %d commits", err, len(b.commits))
	}
	b.mustWrite(0, 3, 4, 0)
	if err := b.sink.Close(t.Context()); err != nil || len(b.commits) != 2 {
		t.Fatalf("close: %v, %d commits", err, len(b.commits))
	}
}

// What cannot be made durable in time is dropped, and the caller told.
func TestRevokeInVain(t *testing.T) {
	b := newBench(t, nil)
	b.gate = make(chan struct{})
	b.mustWrite(0, 0, 3, 0)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := b.sink.Revoke(ctx, []schemas.Source{source(0)}); !errors.Is(err, schemas.ErrRewind) {
		t.Errorf("revoke: %v", err)
	}
	if s := b.sink.Stats(); s.HeldRows != 0 || len(b.commits) != 0 {
		t.Errorf("stats %+v", s)
	}
}

// Files that waited so long that sweep may take them are not announced.
func TestMaxAge(t *testing.T) {
	b := newBench(t, func(c *sink.Config) { c.MaxAge = time.Hour })
	b.gate = make(chan struct{})
	b.mustWrite(0, 0, 3, 0)
	b.at("12:05:30", 0) // begins the upload
	b.now = b.now.Add(2 * time.Hour)
	close(b.gate)
	testkit.Eventually(t, patience, func() error {
		err := b.sink.Tick(t.Context(), b.now)
		if err == nil {
			return errors.New("no error yet")
		}
		if !errors.Is(err, schemas.ErrRewind) {
			t.Fatal(err)
		}
		return nil
	})
	if len(b.commits) != 0 {
		t.Error("an old file was announced")
	}
}

func TestGapIsRefused(t *testing.T) {
	b := newBench(t, nil)
	b.mustWrite(0, 0, 3, 0)
	if err := b.write(0, 4, 5, 0); err == nil {
		t.Error("a range after a gap was taken")
	}
}

func TestConfigSaysEverything(t *testing.T) {
	if _, err := sink.New(sink.Config{Checkpoint: -1}); err == nil {
		t.Error("an empty configuration was taken")
	}
}

// A record that cannot be right stops the pipeline instead of being tried for ever.
func TestMalformedRecordEnds(t *testing.T) {
	b := newBench(t, nil)
	batch := schemas.GetBatch()
	defer batch.Release()
	r := schemas.Range{Source: schemas.Source{Topic: "events"}, Next: 1} // neither cluster nor topic id
	if err := b.sink.Write(t.Context(), batch, r, nil); err != nil {
		t.Fatal(err)
	}
	err := b.sink.Close(t.Context())
	if !errors.Is(err, lake.ErrMalformed) || errors.Is(err, schemas.ErrRewind) {
		t.Errorf("close: %v", err)
	}
}
