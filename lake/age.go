package lake

import "time"

// Age is how old something is that was made at a time, by the clock that says more. A monotonic clock stands still while the
// machine sleeps, and the wall clock may be set back; whoever must give up a file before sweep takes it can trust neither
// alone.
func Age(now, made time.Time) time.Duration {
	return max(now.Sub(made), now.Round(0).Sub(made.Round(0)))
}
