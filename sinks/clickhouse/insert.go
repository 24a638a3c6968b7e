package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coldstream/coldstream/schemas"
)

const (
	// maxRefused bounds the rows of one block that may become dead letters: where more are refused, it is not the
	// rows that are wrong.
	maxRefused = 100
	// doubt is how often an error of unknown meaning is retried before the sink stops.
	doubt = 5
)

// inserter sends blocks, one at a time. It belongs to one goroutine.
type inserter struct {
	config Config
	stats  *counters
	picked *stateColumns // of a lane: the rows of its shard
	lanes  []*inserter   // one a shard; none: there is one server
}

func newInserter(c Config, stats *counters) *inserter {
	w := &inserter{config: c, stats: stats}
	for _, client := range c.Shards {
		lane := c
		lane.Client = client
		w.lanes = append(w.lanes, &inserter{config: lane, stats: stats, picked: newStateColumns()})
	}
	return w
}

// refused is a row that ClickHouse did not take.
type refused struct {
	origin
	err error
}

// load is what a block has for one table. What body returns is the block's own memory.
type load struct {
	table, sql string
	origins    []origin // of each row
	body       func(from, to int) segments
	inserted   *atomic.Int64 // counts rows; nil: nobody asks
}

// loads lists what a block has, in the order in which it is sent.
func (w *inserter) loads(k *block) []load {
	native := func(list []field) func(from, to int) segments {
		return func(from, to int) segments { return encode(list, from, to) }
	}
	waiting := func(from, to int) segments { return segments{jsonRows(k.waiting[from:to])} }
	places := func(from, to int) segments { return segments{jsonRows(k.places[from:to])} }
	removals := func(from, to int) segments { return segments{jsonRows(k.removals[from:to])} }
	return []load{
		{"unresolved", waitingInsert, k.origins.waiting, waiting, &w.stats.waiting},
		{"names", namesInsert, k.origins.names, native(k.names.list), nil},
		{"channels", placesInsert, k.origins.places, places, nil},
		{"removals", removalsInsert, k.origins.removals, removals, &w.stats.wide},
		{"state", stateInsert, k.origins.state, native(k.state.list), &w.stats.rows},
	}
}

// insert makes a block durable. It returns when all of it is acknowledged or is a dead letter, when ctx ends, or with
// an error that wraps ErrStop.
func (w *inserter) insert(ctx context.Context, k *block) error {
	if len(w.lanes) > 0 {
		return w.spread(ctx, k)
	}
	out, err := w.insertLoads(ctx, w.loads(k), k.token)
	if err != nil {
		return err
	}
	return w.bury(ctx, k, out)
}

// insertLoads sends loads to one server, one after the other, and returns the rows that it does not take.
func (w *inserter) insertLoads(ctx context.Context, loads []load, token string) (out []refused, err error) {
	for _, l := range loads {
		n, before := len(l.origins), len(out)
		if n == 0 {
			continue
		}
		if err := w.rows(ctx, l, token, 0, n, &out); err != nil {
			return nil, fmt.Errorf("insert %s into %s: %w", token, l.table, err)
		}
		if l.inserted != nil {
			l.inserted.Add(int64(n - (len(out) - before)))
		}
	}
	return out, nil
}

// rows inserts rows [from, to) of a load, in halves where a row is refused.
func (w *inserter) rows(ctx context.Context, l load, block string, from, to int, out *[]refused) error {
	token := block
	if to-from < len(l.origins) {
		token += ":" + strconv.Itoa(from) + "-" + strconv.Itoa(to)
	}
	err := w.send(ctx, l.sql, l.body(from, to), token)
	if err == nil || errors.Is(err, ErrStop) || ctx.Err() != nil {
		return err
	}
	if to-from == 1 {
		*out = append(*out, refused{l.origins[from], err})
		if len(*out) > maxRefused {
			return fmt.Errorf("%w: more than %d rows of one block are refused, the last with: %w", ErrStop, maxRefused, err)
		}
		return nil
	}
	middle := from + (to-from)/2
	if err := w.rows(ctx, l, block, from, middle, out); err != nil {
		return err
	}
	return w.rows(ctx, l, block, middle, to, out)
}

// send repeats one insert, as it is, until it is acknowledged, or refused for good.
func (w *inserter) send(ctx context.Context, sql string, body segments, token string) error {
	settings := map[string]string{
		"async_insert": "0", "insert_deduplication_token": token,
		// Rows of one message within a block merge later, with all others: doing it on the way in took 70 % of an
		// insert's CPU time (800,000 rows: 4.3 s with, 1.2 s without). Readers use FINAL in any case.
		"optimize_on_insert": "0",
		// What a view makes of the rows (activity_marks) is made again with a retry, also where the rows themselves stand already.
		"deduplicate_blocks_in_dependent_materialized_views": "1",
	}
	for n := 0; ; n++ {
		err := w.attempt(ctx, sql, body, settings)
		if err == nil {
			return nil
		}
		v, known := judge(err)
		if !known && n >= doubt {
			v = stop
		}
		switch {
		case ctx.Err() != nil:
			return err
		case v == stop:
			return stopError(err)
		case v == split:
			return err
		}
		w.stats.retries.Add(1)
		w.config.Log.Warn("insert failed, trying again", "attempt", n+1, "error", err)
		if !sleep(ctx, pause(w.config.Backoff, w.config.MaxBackoff, n)) {
			return err
		}
	}
}

func (w *inserter) attempt(ctx context.Context, sql string, body segments, settings map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, w.config.Timeout)
	defer cancel()
	return w.config.Client.InsertFrom(ctx, sql, body.reader, body.size(), settings)
}

// bury makes dead letters of refused rows.
func (w *inserter) bury(ctx context.Context, k *block, rows []refused) error {
	if len(rows) == 0 {
		return nil
	}
	var letters []schemas.DeadLetter
	have := map[origin]bool{}
	for _, r := range rows {
		if have[r.origin] { // one record can make several rows
			continue
		}
		have[r.origin] = true
		letters = append(letters, schemas.DeadLetter{
			Topic: k.topics[r.source], Partition: r.part, Offset: r.offset, Stage: "insert", Error: r.err.Error(),
		})
	}
	for n := 0; ; n++ {
		err := w.publish(ctx, letters)
		if err == nil {
			w.stats.refused.Add(int64(len(rows)))
			return nil
		}
		w.config.Log.Warn("dead letters not published, trying again", "attempt", n+1, "error", err)
		if !sleep(ctx, pause(w.config.Backoff, w.config.MaxBackoff, n)) {
			return fmt.Errorf("dead letters of block %s: %w", k.token, err)
		}
	}
}

// publish completes dead letters with their records and hands them over.
func (w *inserter) publish(ctx context.Context, letters []schemas.DeadLetter) error {
	for i := range letters {
		if letters[i].Value != nil {
			continue
		}
		if err := reread(ctx, w.config.Reread, &letters[i]); err != nil {
			return fmt.Errorf("%s: %w", letters[i].ID(), err)
		}
	}
	return w.config.DeadLetter(ctx, letters)
}

// pause is the n-th pause, from half of its length to all of it.
func pause(first, most time.Duration, n int) time.Duration {
	d := most
	if n < 16 {
		d = min(most, first<<n)
	}
	return d/2 + rand.N(d/2+1)
}

// sleep waits unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
