package lake

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// conflictPause is about how long a writer that lost a race waits before it looks again.
	conflictPause = 50 * time.Millisecond
	// registerWait is the wait between two tries from which onNewest gives up; some thirty seconds after it began.
	registerWait = 10 * time.Second
)

// onNewest tries a small commit on the newest version, again and again while other writers are faster. what is for errors.
func (t *Table) onNewest(ctx context.Context, what string, try func(*Version) error) error {
	var last error
	for wait := conflictPause; wait < registerWait; wait += wait / 2 {
		v, err := t.Load(ctx)
		if err == nil {
			err = try(v)
		}
		if err == nil {
			return nil
		}
		last = err
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnsettled) {
			break
		}
		if err = pause(ctx, wait); err != nil {
			last = errors.Join(last, err)
			break
		}
	}
	return fmt.Errorf("%s: %w", what, last)
}

// pause waits for d, give or take a half, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
