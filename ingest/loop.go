package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
)

// Pipeline is one consumer group's reading: fetch, decode, process, hand to the sink.
type Pipeline struct {
	cfg   Config
	stats counters

	// mu serialises polls' processing, ticks, commits and rebalance callbacks, so that the sink sees one call at a time
	// and a commit never races with a revoke.
	mu       sync.Mutex
	current  *session
	failures int // memberships that ended in a rewind since the last commit
	fences   int // of these, by a fenced producer
}

// session is one membership of the group, with a client of its own.
type session struct {
	*Pipeline
	client *kgo.Client
	admin  *kadm.Client
	topics map[string]topic
	fail   context.CancelCauseFunc // ends the session
	clock  wallClock
	begun  bool // the producer id is taken; of adjust alone

	offsetsPartitions atomic.Int32 // of Kafka's topic of offsets; 0: not known yet

	// under Pipeline.mu
	parts   map[partitionKey]*partition
	member  string // the group's member id under which parts were taken
	closing bool   // the sink is closed: rebalance callbacks have nothing to do
}

// topic is what is known of a topic for the length of a session.
type topic struct {
	cluster string
	id      kadm.TopicID
	uuid    string
	decoder Decoder
}

type partitionKey struct {
	topic     string
	partition int32
}

// New checks the configuration. Nothing is reached before Run.
func New(cfg Config) (*Pipeline, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Pipeline{cfg: cfg.withDefaults()}, nil
}

// ErrNoProgress says that membership after membership ended in a rewind and not one of them committed anything.
var ErrNoProgress = errors.New("reading again does not help")

// maxRewinds memberships in a row without a commit are more than an outage of moments: whoever runs the pipeline hears
// of it.
const maxRewinds = 10

// Run reads until ctx is done, then closes the sink, leaves the group and returns the sink's error, if any. It returns
// earlier on an error that reading again cannot mend, or did not: ErrNoProgress after ten rewinds without a commit.
func (p *Pipeline) Run(ctx context.Context) error {
	for {
		err := p.member(ctx)
		if !errors.Is(err, schemas.ErrRewind) {
			return err
		}
		if errors.Is(err, ErrFenced) {
			if p.fences++; p.fences >= maxFences {
				return p.end(err)
			}
		}
		p.stats.rewinds.Add(1)
		if p.failures++; p.failures >= maxRewinds {
			return p.end(fmt.Errorf("%w: %d rewinds of group %s without a commit, the last: %w", ErrNoProgress, p.failures, p.cfg.Group, err))
		}
		p.cfg.Logger.Warn("reading again from the committed offsets", "group", p.cfg.Group, "reason", err)
		wait := min(p.cfg.Backoff, 50*time.Millisecond<<min(p.failures, 10))
		select {
		case <-ctx.Done():
			return p.end(nil)
		case <-time.After(wait/2 + rand.N(wait/2+1)):
		}
	}
}

// end closes the sink, which holds nothing, and returns err.
func (p *Pipeline) end(err error) error {
	ctx, cancel := context.WithTimeout(context.Background(), p.cfg.CloseTimeout)
	defer cancel()
	return errors.Join(err, p.cfg.Sink.Close(ctx))
}

// member joins the group, reads until something ends it, and leaves.
func (p *Pipeline) member(parent context.Context) error {
	ctx, fail := context.WithCancelCause(parent)
	defer fail(nil)
	s := &session{Pipeline: p, fail: fail, parts: map[partitionKey]*partition{}, clock: newWallClock(p.cfg.Now)}
	if err := s.open(ctx); err != nil {
		if parent.Err() != nil {
			return p.end(nil)
		}
		return p.finish(s, err)
	}
	defer s.client.CloseAllowingRebalance()
	err := s.read(ctx)
	if parent.Err() != nil && !errors.Is(err, schemas.ErrRewind) && (err == nil || errors.Is(err, context.Canceled)) {
		return s.close()
	}
	return p.finish(s, err)
}

// finish drops what a broken membership held. After an error that ends the pipeline the sink is closed too.
func (p *Pipeline) finish(s *session, err error) error {
	s.mu.Lock()
	s.closing = true
	s.loseAll()
	p.current = nil
	s.mu.Unlock()
	if errors.Is(err, schemas.ErrRewind) {
		return err
	}
	return p.end(err)
}

// close is the graceful end: what is held becomes durable before the group is left.
func (s *session) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.CloseTimeout)
	defer cancel()
	err := s.cfg.Sink.Close(ctx)
	s.closing, s.current = true, nil
	if errors.Is(err, schemas.ErrRewind) { // not durable, so not committed: the next start reads it again
		s.cfg.Logger.Warn("stopped with rows that will be read again", "group", s.cfg.Group, "reason", err)
		return nil
	}
	return err
}

func (s *session) read(ctx context.Context) error {
	watch, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	defer done.Wait()
	defer stop()
	done.Go(func() { s.watchHanging(watch) })
	if idler, ok := s.cfg.Sink.(Idler); ok {
		done.Go(func() { s.watchIdle(watch, idler) })
	}
	for ctx.Err() == nil {
		var err error
		if p, ok := s.cfg.Sink.(Pressurer); ok && s.pressed(p) {
			s.stats.pauses.Add(1)
			wait(ctx, s.cfg.Tick)
		} else {
			err = s.poll(ctx)
		}
		if err == nil {
			err = s.tick(ctx)
		}
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

func (s *session) pressed(p Pressurer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.Pressure()
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (s *session) tick(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.Sink.Tick(ctx, s.cfg.Now())
}

// poll takes one round of fetched records. Rebalance callbacks wait until it is done with them.
func (s *session) poll(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, s.cfg.Tick)
	defer cancel()
	fetches := s.client.PollRecords(short, s.cfg.MaxPoll)
	defer s.client.AllowRebalance()
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if err != nil {
			return
		}
		if err = s.fetchError(f); err == nil && len(f.Records) > 0 {
			err = s.take(ctx, f)
		}
	})
	return err
}

// fetchError tells errors that the client retries by itself from those that end the pipeline.
func (s *session) fetchError(f kgo.FetchTopicPartition) error {
	var loss *kgo.ErrDataLoss
	switch {
	case f.Err == nil, errors.Is(f.Err, context.DeadlineExceeded), errors.Is(f.Err, context.Canceled):
		return nil
	case errors.Is(f.Err, kgo.ErrClientClosed):
		return f.Err
	case errors.Is(f.Err, kerr.OffsetOutOfRange), errors.As(f.Err, &loss):
		return fmt.Errorf("%w: %s/%d: the log no longer has the next offset (retention, or the topic was made again): %s: %w",
			ErrOffsetGone, f.Topic, f.Partition, s.mend("accept-gap"), f.Err)
	case errors.Is(f.Err, kerr.UnknownTopicID), errors.Is(f.Err, kerr.UnknownTopicOrPartition):
		// The client would ask for the old id for ever, thousands of times a second: the next membership looks what is there.
		return fmt.Errorf("%w: fetch %s/%d: the topic was deleted, and perhaps made again: %w", schemas.ErrRewind, f.Topic, f.Partition, f.Err)
	case kerr.IsRetriable(f.Err):
		s.cfg.Logger.Warn("fetch will be tried again", "topic", f.Topic, "partition", f.Partition, "error", f.Err)
		return nil
	}
	var group *kgo.ErrGroupSession
	if errors.As(f.Err, &group) {
		s.cfg.Logger.Warn("group session ended, joining again", "group", s.cfg.Group, "error", f.Err)
		return nil
	}
	return fmt.Errorf("fetch %s/%d: %w", f.Topic, f.Partition, f.Err)
}
