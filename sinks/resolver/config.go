package resolver

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

// Producer publishes records and waits for their acknowledgement; *kgo.Client is one.
type Producer interface {
	ProduceSync(ctx context.Context, records ...*kgo.Record) kgo.ProduceResults
}

// Config says where a resolver looks and publishes. The zero value of a duration means its default.
type Config struct {
	Client *chhttp.Client
	// Shards are, where the store is spread over servers, a client of each shard on the database of its own tables, the first
	// being the one where waiting events lie; Client is then not used.
	Shards   []*chhttp.Client
	Producer Producer
	Topic    string // of events
	// DeadLetter publishes what could not be resolved; it returns when that is durable. Required.
	DeadLetter func(ctx context.Context, letters []schemas.DeadLetter) error

	// Every is the pause between two looks at what is new. Default 500 ms; a look costs one small query
	// while nothing waits.
	Every time.Duration
	// Retry is the pause between two searches of the whole state table for everything that waits. Default 1 minute. It
	// is a net below the search of what was inserted since the last look.
	Retry time.Duration
	// Sweep is the pause between two looks at all messages of deleted channels, a net below the look at what was inserted.
	// It reads what the state holds of these channels. Default 1 hour; the first is at the start.
	Sweep time.Duration
	// GiveUp is how long an event may wait, from its arrival in ClickHouse, before it becomes a dead letter: the time of
	// its record does not matter, so an old log waits as long as any. Default 7 days.
	GiveUp time.Duration
	Log    *slog.Logger
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&c.Every, 500 * time.Millisecond}, {&c.Retry, time.Minute}, {&c.Sweep, time.Hour}, {&c.GiveUp, 7 * 24 * time.Hour}} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if len(c.Shards) == 0 {
		c.Shards = []*chhttp.Client{c.Client}
	}
	c.Client = c.Shards[0]
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate reports every mistake at once.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, text string) {
		if !ok {
			errs = append(errs, fmt.Errorf("resolver: %s", text))
		}
	}
	check(len(c.Shards) > 0 && !slices.Contains(c.Shards, nil), "no ClickHouse client")
	check(c.Producer != nil, "no producer")
	check(c.Topic != "", "no topic")
	check(c.DeadLetter != nil, "no way for dead letters")
	check(c.Every > 0 && c.Retry > 0 && c.Sweep > 0 && c.GiveUp > 0, "pauses must be positive")
	return errors.Join(errs...)
}
