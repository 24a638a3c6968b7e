package ingest

import (
	"context"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

// wallClock tells the time by which completeness is judged: the wall clock's, but never later than the clock that a
// membership began with, advanced by what has passed since. A clock that is stepped forward would have the table claim
// that hours to come are archived, for good.
type wallClock struct {
	now   func() time.Time
	began time.Time // by now
	since time.Time // by the monotonic clock
}

func newWallClock(now func() time.Time) wallClock {
	return wallClock{now: now, began: now(), since: time.Now()}
}

func (c wallClock) milli() int64 {
	return min(c.now().UnixMilli(), c.began.Add(time.Since(c.since)).UnixMilli())
}

// clockMarginMs is how far this clock and those of brokers and producers may be apart.
const clockMarginMs = 10_000

// watchIdle tells the sink of sources that stand at their log's end, until ctx is done. Without it the time before which
// everything is archived would stand still with the quietest partition, and with every one that has its producers' times.
func (s *session) watchIdle(ctx context.Context, sink Idler) {
	for {
		wait(ctx, s.cfg.Idle)
		if ctx.Err() != nil {
			return
		}
		if err := s.tellIdle(ctx, sink); err != nil {
			s.cfg.Logger.Debug("log ends are not known", "group", s.cfg.Group, "error", err)
		}
	}
}

// tellIdle asks for the logs' ends after it has noted time and positions: a position that is the end then has everything
// that came before that time. The end is the high watermark, so that an open transaction counts as unread.
func (s *session) tellIdle(ctx context.Context, sink Idler) error {
	at := s.clock.milli() - clockMarginMs
	next := map[partitionKey]int64{}
	s.mu.Lock()
	for key, p := range s.parts {
		next[key] = p.next
	}
	s.mu.Unlock()
	ends, err := s.admin.ListEndOffsets(ctx, s.cfg.Topics...)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, position := range next {
		end, ok := ends.Lookup(key.topic, key.partition)
		p := s.parts[key]
		if ok && end.Err == nil && end.Offset == position && p != nil && p.next == position && !s.closing {
			sink.Idle(schemas.Range{Source: p.src, From: position, Next: position, CompleteMs: at})
		}
	}
	return nil
}
