package messages

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/schemas"
)

// Newest as a bound means that there is none.
const Newest int64 = 1<<63 - 1

const oldest int64 = -1 << 63

// Reader asks one ClickHouse. It is safe for many goroutines.
type Reader struct {
	pages, states, words, users *chhttp.Client // each with the settings of its queries
	epoch                       schemas.Epoch
	now                         func() time.Time

	mu    sync.Mutex
	spans map[int64]time.Duration // how far the last page of a channel reached
}

// maxSpans bounds the channels remembered: some 100 bytes each.
const maxSpans = 50_000

// New returns a reader; it does no I/O. The client's user must be allowed to change settings.
func New(client *chhttp.Client, epoch schemas.Epoch) *Reader {
	// What the engine would compile, postpone or format in threads of their own costs a short query more than it saves. Whether
	// a projection would do is found out by analysing it as well, which takes half as long as the query.
	common := map[string]string{
		"compile_expressions": "0", "compile_aggregate_expressions": "0", "output_format_parallel_formatting": "0", "optimize_use_projections": "0",
		"query_plan_optimize_lazy_materialization": "0", "use_top_k_dynamic_filtering": "0", "date_time_output_format": "iso",
		"distributed_product_mode": "local", "optimize_skip_unused_shards": "1", // of a store over shards; a message and its keys are on one
	}
	with := func(settings map[string]string) *chhttp.Client {
		all := maps.Clone(common)
		maps.Copy(all, settings)
		return client.WithSettings(all)
	}
	return &Reader{
		// One thread and small blocks, so that ClickHouse stops where a page is full.
		pages: with(map[string]string{"max_threads": "1", "max_block_size": "256"}),
		// Scattered keys are few rows that take long: by default one thread takes up to 163,840 rows.
		states: with(map[string]string{"max_threads": "4", "merge_tree_min_rows_for_concurrent_read": "1", "merge_tree_min_bytes_for_concurrent_read": "1"}),
		// Keys come from postings, without the texts. Never together with FINAL, which then misses rows, nor with the dynamic
		// filter of ORDER BY … LIMIT, under which the words are taken apart by another rule than the index's (26.7).
		// Conditions stay in their order: ClickHouse would compare a phrase first.
		words: with(map[string]string{"query_plan_direct_read_from_text_index": "1", "allow_reorder_prewhere_conditions": "0"}),
		users: with(map[string]string{"optimize_use_projections": "1"}),
		epoch: epoch, now: time.Now, spans: map[int64]time.Duration{},
	}
}

// key is where a message lies in the state table.
type key struct {
	Channel int64 `json:"channel_id"`
	Inv     int64 `json:"inv"`
}

// in is the condition for some keys.
func in(keys []key) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = fmt.Sprintf("(%d,%d)", k.Channel, k.Inv)
	}
	return "(channel_id, inv) IN (" + strings.Join(list, ",") + ")"
}

// of reads the states of some keys, newest first.
func (r *Reader) of(ctx context.Context, keys []key, columns string) ([]row, error) {
	rows, err := chhttp.Select[row](ctx, r.states, "SELECT "+columns+" FROM state WHERE "+in(keys))
	return mergeRows(rows), err
}

// walk reads messages newest first: next gives the next n keys, fewer at the end, and read the messages that are still
// there of them.
func walk(limit int, next func(n int) ([]key, error), read func([]key) ([]Message, error)) ([]Message, error) {
	var out []Message
	for n := limit + limit/8 + 2; ; n *= 2 {
		keys, err := next(n)
		if err != nil {
			return nil, err
		}
		if len(keys) > 0 {
			found, err := read(keys)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
		if len(out) >= limit {
			return out[:limit], nil
		}
		if len(keys) < n {
			return out, nil
		}
	}
}

// beyond is the condition for keys after one, in the order of inv and channel.
func beyond(k *key) string {
	if k == nil {
		return "1"
	}
	return fmt.Sprintf("inv >= %d AND (inv, channel_id) > (%d, %d)", k.Inv, k.Inv, k.Channel)
}

// between is the condition for messages at or above lo and below hi, on the key's column.
func between(lo, hi int64) string {
	if hi == oldest {
		return "0" // and it has no negative
	}
	var all []string
	if hi != Newest {
		all = append(all, "inv > "+strconv.FormatInt(-hi, 10))
	}
	if lo != oldest {
		all = append(all, "inv <= "+strconv.FormatInt(-lo, 10))
	}
	if len(all) == 0 {
		return "1"
	}
	return strings.Join(all, " AND ")
}

// ByUser are a user's messages below an id, newest first, wherever they were written.
func (r *Reader) ByUser(ctx context.Context, user, before int64, limit int) ([]Message, error) {
	var last *key
	out, err := walk(limit, func(n int) ([]key, error) {
		keys, err := r.written(ctx, user, between(oldest, before), last, n)
		if len(keys) > 0 {
			last = &keys[len(keys)-1]
		}
		return keys, err
	}, func(keys []key) ([]Message, error) {
		states, err := r.of(ctx, keys, columns)
		return seen(states, func(w *row) bool { return w.by(user) }), err
	})
	if err != nil {
		return nil, fmt.Errorf("messages of user %d: %w", user, err)
	}
	return out, nil
}

// written are keys of what a user ever wrote, after one and newest first.
func (r *Reader) written(ctx context.Context, user int64, where string, after *key, n int) ([]key, error) {
	return chhttp.Select[key](ctx, r.users, fmt.Sprintf(
		"SELECT channel_id, inv FROM state WHERE tupleElement(author, 'id') = %d AND %s AND %s ORDER BY inv, channel_id LIMIT %d", user, where, beyond(after), n))
}
