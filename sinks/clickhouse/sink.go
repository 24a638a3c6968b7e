package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// Sink writes batches into ClickHouse. Its methods are called by one goroutine, the pipeline's; the inserts happen on
// goroutines of its own, which Close ends.
type Sink struct {
	config Config
	stats  counters
	fill   filler
	commit func(ctx context.Context, ranges []schemas.Range, records ...*kgo.Record) error

	current *block   // being filled
	held    []*block // sealed, in order: todo, on their way, or done and waiting for an earlier one
	spare   []*block
	last    []int     // sizes of the state's columns in the block that was sealed last
	used    time.Time // when a block was filled last

	mu      sync.Mutex
	todo    []*block
	fatal   error
	work    *sync.Cond    // todo has grown, or the sink closes
	settled chan struct{} // something was finished; capacity 1
	closing bool

	stop context.CancelFunc // ends the inserters
	wg   sync.WaitGroup
}

// New checks the configuration and returns a sink; it does no I/O.
func New(c Config) (*Sink, error) {
	c = c.withDefaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Sink{config: c, settled: make(chan struct{}, 1)}
	s.work = sync.NewCond(&s.mu)
	s.fill = filler{
		codec: codec.JSON{Epoch: c.Epoch, OpaqueIDs: c.OpaqueIDs}, names: newNameCache(), places: newPlaceCache(), stats: &s.stats,
	}
	return s, nil
}

// Open begins a membership of the consumer group.
func (s *Sink) Open(_ context.Context, commit func(context.Context, []schemas.Range, ...*kgo.Record) error) error {
	s.forget()
	s.commit = commit
	if s.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		s.stop = cancel
		for range s.config.Inserts {
			s.wg.Go(func() { s.inserts(ctx) })
		}
	}
	return nil
}

// Assign needs nothing: a range says where it begins.
func (s *Sink) Assign(context.Context, []schemas.Start) error { return nil }

// Write copies a range's rows into the current block. Refused records are the cold pipeline's to report.
func (s *Sink) Write(ctx context.Context, b *schemas.Batch, r schemas.Range, _ []schemas.DeadLetter) error {
	if err := s.failed(); err != nil {
		return err
	}
	if s.current != nil && !s.current.fits(b.Policy) {
		s.seal()
	}
	if s.current == nil {
		s.current = s.take()
	}
	now := s.config.Now()
	s.used = now
	s.fill.arrival = now.UnixMicro()
	s.fill.add(s.current, b, r.Topic)
	s.current.cover(r, b, now)
	if s.current.rows() >= s.config.MaxRows || s.current.bytes() >= s.config.MaxBytes {
		s.seal()
	}
	return s.settle(ctx)
}

// Tick sends a block that has waited long enough, and commits what has been acknowledged. While every inserter is busy
// the block waits and grows instead: a slow server gets fewer and larger inserts.
func (s *Sink) Tick(ctx context.Context, now time.Time) error {
	if err := s.failed(); err != nil {
		return err
	}
	if s.current != nil && s.current.due(now, &s.config) && len(s.held) < s.config.Inserts {
		s.seal()
	}
	if s.current == nil && len(s.held) == 0 && now.Sub(s.used) > idle {
		s.spare, s.last = nil, nil // memory of a burst is let go
	}
	return s.settle(ctx)
}

// idle is how long memory is kept for blocks to come.
const idle = 10 * time.Second

// Pressure is true while as many blocks are held as may be.
func (s *Sink) Pressure() bool { return len(s.held) >= s.config.MaxBlocks }

// Revoke makes everything durable that came from these sources, or discards it when ctx ends first: another worker then
// reads it again, which changes nothing.
func (s *Sink) Revoke(ctx context.Context, sources []schemas.Source) error {
	err := s.drain(ctx)
	s.Lost(sources)
	if err != nil && ctx.Err() != nil {
		return nil
	}
	return err
}

// Lost lets go of sources: their rows may still be inserted, and are not committed.
func (s *Sink) Lost(sources []schemas.Source) {
	s.fill.names.forget()
	s.fill.places.forget()
	if s.current != nil {
		if s.current.ranges = without(s.current.ranges, sources); len(s.current.ranges) == 0 {
			s.current = nil
		}
	}
	for _, k := range s.held {
		k.ranges = without(k.ranges, sources)
	}
}

// Close makes everything durable as far as ctx allows and ends the inserters.
func (s *Sink) Close(ctx context.Context) error {
	err := s.drain(ctx)
	s.mu.Lock()
	s.closing = true
	s.todo = nil
	s.work.Broadcast()
	s.mu.Unlock()
	if s.stop != nil {
		s.stop()
	}
	s.wg.Wait()
	for _, c := range s.config.clients() {
		c.CloseIdle()
	}
	if err != nil {
		return fmt.Errorf("hot sink: close: %w", err)
	}
	return nil
}

// drain waits until every block is committed, or ctx ends.
func (s *Sink) drain(ctx context.Context) error {
	if s.current != nil {
		s.seal()
	}
	for {
		if err := s.failed(); err != nil {
			return err
		}
		if err := s.settle(ctx); err != nil {
			return err
		}
		if len(s.held) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.settled:
		}
	}
}

// seal hands the current block to the inserters.
func (s *Sink) seal() {
	k := s.current
	s.current = nil
	k.seal()
	s.last = sizes(k.state.list)
	s.held = append(s.held, k)
	s.stats.held.Store(int64(len(s.held)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.rows() == 0 {
		k.done = true
		return
	}
	s.todo = append(s.todo, k)
	s.work.Signal()
}

// settle commits the blocks at the front that are done.
func (s *Sink) settle(ctx context.Context) error {
	n := s.finished()
	if n == 0 {
		return nil
	}
	var ranges []schemas.Range
	for _, k := range s.held[:n] {
		for _, r := range k.ranges {
			ranges = merge(ranges, r)
		}
	}
	if len(ranges) > 0 {
		if err := s.commit(ctx, ranges); err != nil {
			if errors.Is(err, schemas.ErrRewind) {
				s.forget()
			}
			return fmt.Errorf("hot sink: commit: %w", err)
		}
	}
	s.stats.blocks.Add(int64(n))
	for _, k := range s.held[:n] {
		k.reset()
		s.spare = append(s.spare, k)
	}
	s.held = append(s.held[:0], s.held[n:]...)
	s.stats.held.Store(int64(len(s.held)))
	return nil
}

func (s *Sink) finished() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(s.held) && s.held[n].done {
		n++
	}
	return n
}

// forget lets go of everything held. A block on its way may still arrive, which changes nothing.
func (s *Sink) forget() {
	s.mu.Lock()
	s.todo = nil
	s.mu.Unlock()
	s.current, s.held = nil, nil
	s.stats.held.Store(0)
	s.fill.names.forget()
	s.fill.places.forget()
}

func (s *Sink) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fatal
}

func (s *Sink) take() *block {
	if n := len(s.spare); n > 0 {
		k := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return k
	}
	k := newBlock(s.config.NoSearch)
	if s.last != nil {
		makeRoom(k.state.list, s.last)
	}
	return k
}

// inserts is one inserter's loop.
func (s *Sink) inserts(ctx context.Context) {
	w := newInserter(s.config, &s.stats)
	for {
		k := s.next()
		if k == nil {
			return
		}
		err := w.insert(ctx, k)
		s.mu.Lock()
		switch {
		case err == nil:
			k.done = true
		case ctx.Err() == nil && s.fatal == nil:
			s.fatal = err
		}
		s.mu.Unlock()
		select {
		case s.settled <- struct{}{}:
		default:
		}
	}
}

// next waits for a block; nil when the sink closes.
func (s *Sink) next() *block {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.todo) == 0 && !s.closing {
		s.work.Wait()
	}
	if len(s.todo) == 0 {
		return nil
	}
	k := s.todo[0]
	s.todo = s.todo[1:]
	return k
}
