package lake

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
	"github.com/coldstream/coldstream/schemas"
)

// Store puts an object under a name that was never used before, and may do so more than once.
type Store interface {
	Put(ctx context.Context, key string, body []byte) (objects.Info, error)
}

// Table is what the sink needs to know of the table of events: lake.Table.
type Table interface {
	Key(rel string) string
	EncodeCheckpoint(ctx context.Context, c lake.Checkpoint) ([]byte, error)
}

// Config is what a Sink needs. Zero values take the defaults named.
type Config struct {
	Table  Table
	Store  Store  // where the table's files go
	Worker string // stable instance id
	Chunks string // topic of checkpoint records
	DLQ    string // topic of dead letters
	Epoch  schemas.Epoch

	// Policy is the redaction policy in force, told in each record; 0 for none.
	Policy int64
	// ErasuresNext says how far the worker has read topic `erasures`; nil: nothing.
	ErasuresNext func() int64

	// Checkpoint is the distance of the wall clock's marks at which everything held is closed; default 5 minutes.
	Checkpoint time.Duration
	// Grace is how long after a mark it waits for late rows; default 30 seconds, negative for none.
	Grace time.Duration
	// DeadLetterDelay closes a checkpoint this long after the first dead letter it holds, once between two marks;
	// default 10 seconds, negative for at once.
	DeadLetterDelay time.Duration

	MaxBytes int // buffered bytes that close a checkpoint; default 192 MiB. Twice as much may be held in all
	MaxRows  int // the same in rows; default 2,000,000
	MaxDays  int // the same in event-time days; default 64
	MaxDead  int // the same in dead letters; default 10,000

	// FileBytes is the buffered size from which a window gets a file of its own; default 64 MiB.
	FileBytes int
	// MaxAge is how old a file may get before its record is written: a quarter of the margin after which `sweep` deletes
	// files that no record names. Default 6 hours.
	MaxAge time.Duration

	Logger *slog.Logger
	Now    func() time.Time
}

func (c Config) withDefaults() Config {
	durations := []struct {
		d    *time.Duration
		zero time.Duration
	}{
		{&c.Checkpoint, 5 * time.Minute}, {&c.Grace, 30 * time.Second}, {&c.DeadLetterDelay, 10 * time.Second}, {&c.MaxAge, 6 * time.Hour},
	}
	for _, v := range durations {
		if *v.d == 0 {
			*v.d = v.zero
		}
		*v.d = max(*v.d, 0)
	}
	numbers := []struct {
		n    *int
		zero int
	}{
		{&c.MaxBytes, 192 << 20}, {&c.MaxRows, 2_000_000}, {&c.MaxDays, 64}, {&c.MaxDead, 10_000}, {&c.FileBytes, 64 << 20},
	}
	for _, v := range numbers {
		if *v.n == 0 {
			*v.n = v.zero
		}
	}
	if c.ErasuresNext == nil {
		c.ErasuresNext = func() int64 { return 0 }
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = faults.Now
	}
	return c
}

// Validate reports everything that is wrong, before any I/O.
func (c Config) Validate() error {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("lake sink: "+what))
		}
	}
	need(c.Table != nil && c.Store != nil, "no table or store")
	need(c.Worker != "", "no worker id")
	need(c.Chunks != "" && c.DLQ != "", "no topic for checkpoints or dead letters")
	need(c.Checkpoint >= 0 && c.MaxAge >= 0, "a negative duration")
	need(c.MaxBytes >= 0 && c.MaxRows >= 0 && c.MaxDays >= 0 && c.MaxDead >= 0 && c.FileBytes >= 0, "a negative budget")
	return errors.Join(errs...)
}
