// Package resolver completes edits, deletes and restores whose channel or message could not be known from the event.
//
// The hot sink leaves them in ClickHouse's table `unresolved`, before it commits their offsets; so they wait through
// restarts. The type to know is [Resolver]: it looks their targets up in the table `state`, publishes the completed
// event to the events topic, keyed by channel, and then marks the row as done. The completed event's id is derived from
// the original's and its time is the original's, so that publishing it twice is harmless; many resolvers may run. What
// cannot be found in time becomes a dead letter of stage "resolve". A target that names several messages is not
// guessed: it waits, and its dead letter says so.
//
// Deletes of whole channels and guilds lie in the table `removals`. The resolver writes them into the state of the messages
// that they take, in ClickHouse and without an event for each, and again when more of these messages arrive.
//
// It keeps the keys of what waits in memory (about 150 bytes an event, 200,000 at most; what is beyond gets its turn at
// a later search of everything). An error of ClickHouse or Kafka is logged, and the next look tries again.
package resolver

import (
	"context"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
)

// maxWaiting bounds the rows held in memory.
const maxWaiting = 200_000

// Resolver looks up what waits. Use it from one goroutine.
type Resolver struct {
	config  Config
	waiting map[string]row // by id
	shards  []*shard       // at least one
	full    time.Time      // of the last search of everything
	swept   time.Time      // of the last look at all messages of deleted channels
}

// shard is a server, or the replicas of one shard.
type shard struct {
	client   *chhttp.Client
	looked   int64 // server time of the last look at new parts, Unix seconds
	removals int64 // rows of the table removals at the last look
	news     parts // what was new at this look
}

// New checks the configuration; it does no I/O.
func New(c Config) (*Resolver, error) {
	c = c.withDefaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r := &Resolver{config: c, waiting: map[string]row{}}
	for _, client := range c.Shards {
		r.shards = append(r.shards, &shard{client: client})
	}
	return r, nil
}

// Run looks again and again until ctx ends.
func (r *Resolver) Run(ctx context.Context) error {
	tick := time.NewTicker(r.config.Every)
	defer tick.Stop()
	for {
		if n, err := r.Step(ctx, time.Now()); err != nil && ctx.Err() == nil {
			r.config.Log.Warn("resolver", "error", err)
		} else if n > 0 {
			r.config.Log.Debug("resolver", "completed", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Step is one look: it returns how many events it completed. now decides whether a search of everything is due, and
// what has waited too long.
func (r *Resolver) Step(ctx context.Context, now time.Time) (completed int, err error) {
	completed, err = r.look(ctx, now)
	if err != nil {
		r.full, r.swept = time.Time{}, time.Time{} // what was looked at and what was not is no longer known
		return completed, err
	}
	return completed, r.giveUp(ctx, now)
}

func (r *Resolver) look(ctx context.Context, now time.Time) (completed int, err error) {
	for _, s := range r.shards {
		if s.news, err = s.newParts(ctx); err != nil {
			return 0, err
		}
	}
	if now.Sub(r.full) >= r.config.Retry {
		if completed, err = r.everything(ctx); err == nil {
			r.full = now
		}
	} else {
		completed, err = r.news(ctx)
	}
	if err != nil {
		return completed, err
	}
	all := now.Sub(r.swept) >= r.config.Sweep
	for _, s := range r.shards {
		if err := s.remove(ctx, all); err != nil {
			return completed, err
		}
	}
	if all {
		r.swept = now
	}
	for _, s := range r.shards {
		s.looked = s.news.at
	}
	return completed, nil
}

// everything reads anew what waits and searches the whole state table for it.
func (r *Resolver) everything(ctx context.Context) (int, error) {
	clear(r.waiting)
	if _, err := r.load(ctx, "FINAL WHERE status = 0"); err != nil {
		return 0, err
	}
	return r.search(ctx, r.rows(), false)
}

// news searches the whole state table for what has begun to wait, and what was inserted into it for everything else. A
// part may merge into another before it is read: then the other one is new at the next look.
func (r *Resolver) news(ctx context.Context) (completed int, err error) {
	if n := r.shards[0].news; n.unresolved != "" {
		fresh, err := r.load(ctx, "WHERE status = 0 AND "+n.unresolved)
		if err != nil {
			return 0, err
		}
		if completed, err = r.search(ctx, fresh, false); err != nil {
			return completed, err
		}
	}
	if len(r.waiting) > 0 {
		more, err := r.search(ctx, r.rows(), true)
		completed += more
		if err != nil {
			return completed, err
		}
	}
	return completed, nil
}

// Waiting is how many events wait for their message.
func (r *Resolver) Waiting(ctx context.Context) (int64, error) { return Waiting(ctx, r.config.Client) }
