package compact

import (
	"errors"
	"log/slog"
	"time"

	"github.com/coldstream/coldstream/lake"
)

// Config is what a Compactor needs. Zero values take the defaults named.
type Config struct {
	Table *lake.Table

	// After is how long after its end a day is closed, so that its last windows have been archived; default 1 hour,
	// negative: at once. A schedule also leaves a day alone for as long after a file was last added to it.
	After time.Duration
	// LateFiles is how many files of late events pile up beside a compacted day before a schedule merges them; default 32.
	LateFiles int
	// FileBytes is the size from which a file is closed and the next begun; default 128 MiB. A file is built in memory.
	FileBytes int64
	// Memory is about what a run takes at most, beside the file that it builds; default 512 MiB. A window that does not fit
	// into half of it becomes more than one chunk.
	Memory int64
	// MaxAge is how old the uploaded files may get before they are swapped in; older ones are given up, because `sweep`
	// takes files that no version names. Default 6 hours, a quarter of sweep's margin.
	MaxAge time.Duration

	Log *slog.Logger
	Now func() time.Time
	// Progress, if set, is told of rows as they are read: how many, since it was last told.
	Progress func(rows int64)
}

func (c Config) withDefaults() Config {
	if c.After == 0 {
		c.After = time.Hour
	}
	c.After = max(c.After, 0)
	if c.LateFiles == 0 {
		c.LateFiles = 32
	}
	if c.FileBytes == 0 {
		c.FileBytes = 128 << 20
	}
	if c.Memory == 0 {
		c.Memory = 512 << 20
	}
	if c.MaxAge == 0 {
		c.MaxAge = 6 * time.Hour
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Progress == nil {
		c.Progress = func(int64) {}
	}
	return c
}

// Validate reports everything that is wrong, before any I/O.
func (c Config) Validate() error {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("compact: "+what))
		}
	}
	need(c.Table != nil, "no table")
	need(c.LateFiles >= 0 && c.FileBytes >= 0 && c.Memory >= 0 && c.MaxAge >= 0, "a negative bound")
	return errors.Join(errs...)
}
