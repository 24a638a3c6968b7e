package lake

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/deadletter"
	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas"
)

// checkpoint is a closed buffer on its way: its goroutine builds and uploads files, then closes done.
type checkpoint struct {
	id     string
	buffer *buffer
	ranges []schemas.Range
	closed time.Time
	stop   context.CancelFunc
	done   chan struct{}

	// Set before done is closed.
	files  []lake.DataFile
	record []byte
	err    error
}

// start closes the current buffer and begins its upload.
func (s *Sink) start() {
	s.requested.Store(false)
	ctx, stop := context.WithCancel(context.Background())
	cp := &checkpoint{
		id: uuid.NewString(), buffer: s.current, ranges: s.current.close(), closed: s.cfg.Now(),
		stop: stop, done: make(chan struct{}),
	}
	s.pending, s.current = cp, newBuffer(s.cfg.Policy)
	s.stats.hold(s.current)
	u := uploader{cfg: &s.cfg, stats: &s.stats, cp: cp}
	go func() {
		defer close(cp.done)
		defer stop()
		faults.Point(faults.WorkerClosed)
		cp.err = u.run(ctx)
	}()
}

// finish commits the pending checkpoint, whose upload is done, and lets go of its buffer.
func (s *Sink) finish(ctx context.Context) error {
	cp := s.pending
	if cp.err != nil {
		return fmt.Errorf("checkpoint %s: %w", cp.id, cp.err)
	}
	if age := lake.Age(s.cfg.Now(), cp.closed); age > s.cfg.MaxAge {
		return fmt.Errorf("%w: checkpoint %s: its files are %v old, and sweep may soon take them", schemas.ErrRewind, cp.id, age)
	}
	if err := s.commit(ctx, cp.ranges, s.records(cp)...); err != nil {
		return fmt.Errorf("checkpoint %s: %w", cp.id, err)
	}
	s.pending = nil
	s.stats.commit(cp, s.cfg.Now())
	s.cfg.Logger.Debug("checkpoint", "id", cp.id, "rows", cp.buffer.rows, "files", len(cp.files), "dead", len(cp.buffer.dead))
	cp.buffer.release()
	faults.Point(faults.WorkerReleased)
	return nil
}

// describe is the checkpoint's record, once its files are known.
func (cp *checkpoint) describe(cfg *Config) lake.Checkpoint {
	c := lake.Checkpoint{
		ID: cp.id, Worker: cfg.Worker, Policy: cfg.Policy, ErasuresNext: cfg.ErasuresNext(),
		CreatedMs: cp.closed.UnixMilli(), Files: cp.files,
	}
	for _, r := range cp.ranges {
		c.Sources = append(c.Sources, lake.SourceRange{
			Cluster: r.Cluster, Topic: r.Topic, TopicID: r.TopicID, Partition: r.Partition, From: r.From, Next: r.Next, CompleteMs: r.CompleteMs,
		})
		c.Counters.Events += r.Events
		c.Counters.Repeats += r.Repeats
		c.Counters.Dead += r.Dead
	}
	return c
}

// records are what the transaction writes: the checkpoint's record and its dead letters.
func (s *Sink) records(cp *checkpoint) []*kgo.Record {
	out := make([]*kgo.Record, 0, 1+len(cp.buffer.dead))
	out = append(out, &kgo.Record{Topic: s.cfg.Chunks, Key: []byte(cp.id), Value: cp.record})
	for i := range cp.buffer.dead {
		out = append(out, deadletter.Record(s.cfg.DLQ, &cp.buffer.dead[i]))
	}
	return out
}
