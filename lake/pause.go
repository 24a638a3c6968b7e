package lake

import (
	"context"
	"math/rand/v2"
	"time"
)

// conflictPause is about how long a writer that lost a race waits before it looks again.
const conflictPause = 50 * time.Millisecond

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
