package lake

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
)

// commitFunc is ingest.CommitFunc.
type commitFunc = func(ctx context.Context, ranges []schemas.Range, records ...*kgo.Record) error

// Sink is the cold pipeline's sink. One pipeline owns it and calls its methods one at a time; RequestCheckpoint and
// Stats may be called by anyone.
type Sink struct {
	cfg     Config
	commit  commitFunc
	current *buffer
	pending *checkpoint // being uploaded; nil if none

	requested atomic.Bool
	deadMark  time.Time // the mark after which a dead letter last closed a checkpoint
	poisoned  error     // rows of held sources were dropped: the next Tick says so
	stats     counters
}

// New checks the configuration; no I/O.
func New(cfg Config) (*Sink, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Sink{cfg: cfg.withDefaults()}
	s.current = newBuffer(s.cfg.Policy)
	return s, nil
}

// RequestCheckpoint closes what is held at the next tick. It returns at once; the table's position tells when it is done.
func (s *Sink) RequestCheckpoint() { s.requested.Store(true) }

// Open begins a membership.
func (s *Sink) Open(_ context.Context, commit commitFunc) error {
	s.discard()
	s.poisoned = nil
	s.commit = commit
	return nil
}

// Assign has nothing to do: a source is known by its first range.
func (s *Sink) Assign(context.Context, []schemas.Start) error { return nil }

// Write buffers a range.
func (s *Sink) Write(_ context.Context, b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter) error {
	if err := s.current.add(b, r, dead, s.cfg.Now()); err != nil {
		return fmt.Errorf("buffer for the lake: %w", err)
	}
	s.stats.hold(s.current)
	return nil
}

// Idle notes a source that stands still, for the next record that is written anyway: an idle worker writes none.
func (s *Sink) Idle(r schemas.Range) { s.current.idle[keyOf(r.Source)] = r }

// Pressure holds reading back while one checkpoint is being uploaded and the next is full.
func (s *Sink) Pressure() bool { return s.pending != nil && s.full() }

func (s *Sink) full() bool {
	u, c := s.current, &s.cfg
	return u.bytes >= c.MaxBytes || u.rows >= c.MaxRows || len(u.days) > c.MaxDays || len(u.dead) >= c.MaxDead
}

// Tick commits a checkpoint whose files are uploaded, and closes the next when it is due.
func (s *Sink) Tick(ctx context.Context, now time.Time) error {
	if s.poisoned != nil {
		return s.poisoned
	}
	if s.pending != nil {
		select {
		case <-s.pending.done:
			if err := s.finish(ctx); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	if s.due(now) {
		s.start()
	}
	return nil
}

// due says whether what is held must be closed now.
func (s *Sink) due(now time.Time) bool {
	if s.current.empty() {
		s.requested.Store(false)
		return false
	}
	if s.full() || s.requested.Load() || !now.Before(s.markAfter(s.current.opened)) {
		return true
	}
	if now.Before(s.current.opened) { // the clock went back, and the mark may be hours away
		return true
	}
	if len(s.current.dead) > 0 && !now.Before(s.current.firstDead.Add(s.cfg.DeadLetterDelay)) {
		if mark := s.markAfter(now); !mark.Equal(s.deadMark) {
			s.deadMark = mark
			return true
		}
	}
	return false
}

// markAfter is the first of the wall clock's marks, plus grace, after t.
func (s *Sink) markAfter(t time.Time) time.Time {
	return t.Add(-s.cfg.Grace).Truncate(s.cfg.Checkpoint).Add(s.cfg.Checkpoint + s.cfg.Grace)
}

// Revoke commits everything held, if any of it is of the sources: a checkpoint is whole or not at all.
func (s *Sink) Revoke(ctx context.Context, sources []schemas.Source) error {
	defer func() { s.current.forget(sources) }()
	if s.poisoned != nil || !s.holds(sources) {
		return nil // a membership that is poisoned ends anyway
	}
	if err := s.flush(ctx); err != nil {
		s.discard()
		return err
	}
	return nil
}

func (s *Sink) holds(sources []schemas.Source) bool {
	held, _ := s.current.holds(sources)
	if s.pending != nil && !held {
		held, _ = s.pending.buffer.holds(sources)
	}
	return held
}

// flush makes everything durable within ctx.
func (s *Sink) flush(ctx context.Context) error {
	for s.pending != nil || !s.current.empty() {
		if s.pending == nil {
			s.start()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: checkpoint did not end in time: %w", schemas.ErrRewind, ctx.Err())
		case <-s.pending.done:
		}
		if err := s.finish(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Lost drops what is held of the sources. Rows of others that stood in the same checkpoint go too, and then the
// membership has to read again.
func (s *Sink) Lost(sources []schemas.Source) {
	s.current.forget(sources)
	if !s.holds(sources) {
		return
	}
	_, others := s.current.holds(sources)
	if s.pending != nil && !others {
		_, others = s.pending.buffer.holds(sources)
	}
	if others {
		s.poisoned = fmt.Errorf("%w: %v were lost", schemas.ErrRewind, sources)
	}
	s.discard()
}

// Close commits everything held, within ctx, and ends the upload.
func (s *Sink) Close(ctx context.Context) error {
	defer s.discard()
	if s.poisoned != nil || s.commit == nil {
		return nil
	}
	return s.flush(ctx)
}

// discard drops everything held. Files that were uploaded stay, named by no record; sweep finds them.
func (s *Sink) discard() {
	if s.pending != nil {
		s.pending.stop()
		<-s.pending.done
		s.pending.buffer.release()
		s.pending = nil
	}
	s.current.release()
	s.current = newBuffer(s.cfg.Policy)
	s.stats.hold(s.current)
}
