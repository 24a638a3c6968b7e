package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/schemas"
)

// Config says where and how a sink writes. The zero value of a number or duration means its default.
type Config struct {
	Client *chhttp.Client
	// Shards are, where the store is spread over servers, a client of each shard on the database of its own tables, in the order
	// that decides where a channel is; Client is then not used.
	Shards []*chhttp.Client
	Epoch  schemas.Epoch
	// OpaqueIDs declares every id of the topic opaque; it matters for the ids inside of bulk deletes.
	OpaqueIDs bool

	// NoSearch makes no words for the index: inserts cost about half, and what is written is not found by a search.
	NoSearch bool

	// MaxRows is how many rows a block holds at most before it is sent. Default 262,144.
	MaxRows int
	// MaxBytes is how many bytes of columns a block holds before it is sent. Default 128 MiB. MaxBlocks and one more of
	// them may be held.
	MaxBytes int
	// MaxAge is how long a block waits for more rows: twice as long while it has a sixteenth of MaxRows by then, eight times
	// while these are a backlog. Default 250 ms; the pipeline's tick must not be slower.
	MaxAge time.Duration
	// MaxBlocks bounds the blocks that are sealed and not committed: at that many the pipeline is asked to pause. Default 3.
	MaxBlocks int
	// Inserts is how many blocks are on their way at the same time. Default 2.
	Inserts int
	// Timeout bounds one attempt at an insert. Default 60 s.
	Timeout time.Duration
	// Backoff is the pause after a first failed attempt; it doubles up to MaxBackoff, each with jitter. Defaults 100 ms, 10 s.
	Backoff, MaxBackoff time.Duration

	// Reread opens a client that is given one record's offset to read, so that a dead letter carries the original bytes.
	Reread []kgo.Opt
	// DeadLetter publishes rows that ClickHouse refused; it returns when they are durable. Required.
	DeadLetter func(ctx context.Context, letters []schemas.DeadLetter) error
	Log        *slog.Logger
	Now        func() time.Time // default time.Now
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		value *int
		def   int
	}{{&c.MaxRows, 262_144}, {&c.MaxBytes, 128 << 20}, {&c.MaxBlocks, 3}, {&c.Inserts, 2}} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&c.MaxAge, 250 * time.Millisecond}, {&c.Timeout, time.Minute}, {&c.Backoff, 100 * time.Millisecond}, {&c.MaxBackoff, 10 * time.Second}} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// clients are those of the servers that rows go to.
func (c Config) clients() []*chhttp.Client {
	if len(c.Shards) > 0 {
		return c.Shards
	}
	return []*chhttp.Client{c.Client}
}

// Validate reports every mistake at once.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, a ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("hot sink: "+format, a...))
		}
	}
	check(!slices.Contains(c.clients(), nil), "no ClickHouse client")
	check(c.DeadLetter != nil, "no way for dead letters")
	check(c.MaxRows > 0 && c.MaxBytes > 0 && c.MaxBlocks > 0 && c.Inserts > 0, "rows, bytes, blocks and inserts must be positive")
	check(c.MaxAge > 0 && c.Timeout > 0 && c.Backoff > 0, "age, timeout and backoff must be positive")
	check(c.MaxBackoff >= c.Backoff, "the largest backoff %v is below the first %v", c.MaxBackoff, c.Backoff)
	return errors.Join(errs...)
}
