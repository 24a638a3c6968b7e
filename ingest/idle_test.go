package ingest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/schemas"
)

// teller is a sink that keeps what it is told of completeness.
type teller struct {
	*memory
	written, idle []schemas.Range // under memory.mu
}

func (s *teller) Write(ctx context.Context, b *schemas.Batch, r schemas.Range, dead []schemas.DeadLetter) error {
	s.mu.Lock()
	s.written = append(s.written, r)
	s.mu.Unlock()
	return s.memory.Write(ctx, b, r, dead)
}

func (s *teller) Idle(r schemas.Range) {
	defer s.enter()()
	s.idle = append(s.idle, r)
}

// A poll at the log's end may be as old as the pressure that kept it back, so it is not taken as the present. Only the
// log's end that is asked for tells how far everything was read.
func TestCompleteOnlyWhenAsked(t *testing.T) {
	topic := testkit.Topic(t, 1, map[string]string{"message.timestamp.type": "CreateTime"})
	s := &teller{memory: newMemory()}
	cfg := config(t, topic, testkit.Name(t), s)
	cfg.Idle = 20 * time.Millisecond
	r := run(t, cfg)
	before := time.Now().Add(-time.Minute).UnixMilli()
	produce(t, topic, 0, 3)
	waitRows(t, s.memory, 3)
	testkit.Eventually(t, patience, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, r := range s.idle {
			if r.From == 3 && r.Next == 3 && r.CompleteMs > before && r.CompleteMs < time.Now().UnixMilli() {
				return nil
			}
		}
		return errors.New("not told of the end")
	})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.written {
		if r.CompleteMs != 0 {
			t.Errorf("[%d, %d) is complete until %d", r.From, r.Next, r.CompleteMs)
		}
	}
}

// A worker whose clock is stepped into the future must not claim that the future is archived.
func TestCompleteDoesNotFollowASteppedClock(t *testing.T) {
	topic := testkit.Topic(t, 1, nil)
	s := &teller{memory: newMemory()}
	cfg := config(t, topic, testkit.Name(t), s)
	cfg.Idle = 20 * time.Millisecond
	var ahead atomic.Int64
	cfg.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	r := run(t, cfg)
	produce(t, topic, 0, 1)
	waitRows(t, s.memory, 1)
	told := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.idle)
	}
	for _, step := range []time.Duration{26 * time.Hour, -26 * time.Hour, 0} {
		ahead.Store(int64(step))
		want := told() + 3 // one may be under way
		testkit.Eventually(t, patience, func() error {
			if told() < want {
				return errors.New("not told of the end")
			}
			return nil
		})
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	back := false
	for _, r := range s.idle {
		if r.CompleteMs > time.Now().UnixMilli() {
			t.Errorf("complete until %s", time.UnixMilli(r.CompleteMs))
		}
		back = back || r.CompleteMs < time.Now().Add(-25*time.Hour).UnixMilli()
	}
	if !back {
		t.Error("the clock was not asked")
	}
}
