package messages

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/coldstream/coldstream/internal/chhttp"
)

const (
	firstSpan = 24 * time.Hour // bound of a channel of which nothing is known
	leastSpan = time.Hour
	widen     = 16                  // a bound that was too narrow grows by this
	mostSpan  = 60 * 24 * time.Hour // beyond, there is no bound
)

// Before is a page of a channel: the messages below an id, newest first. Fewer than limit are all there are.
func (r *Reader) Before(ctx context.Context, channel, before int64, limit int) ([]Message, error) {
	var out []Message
	from := before
	if from == Newest {
		from = r.epoch.ID(r.now().UnixMilli(), 0)
	}
	for hi, span := before, r.span(channel, firstSpan); ; span *= widen {
		lo := oldest
		if d := span.Milliseconds() << 22; span <= mostSpan && from > oldest+d {
			lo = from - d
		}
		rows, err := r.window(ctx, channel, lo, hi, false, limit-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
		if len(out) >= limit || lo == oldest {
			if len(out) > 0 {
				r.remember(channel, from, out[len(out)-1].ID)
			}
			return out, nil
		}
		hi = lo
	}
}

// After is a page of a channel: the messages nearest above an id, newest first.
func (r *Reader) After(ctx context.Context, channel, after int64, limit int) ([]Message, error) {
	if after == Newest {
		return nil, nil
	}
	var out []Message
	end := r.epoch.ID(r.now().UnixMilli(), 0)
	for lo, span := after+1, r.span(channel, leastSpan); ; span *= widen {
		hi := Newest
		if d := span.Milliseconds() << 22; span <= mostSpan && after < end-d {
			hi = after + d
		}
		rows, err := r.window(ctx, channel, lo, hi, true, limit-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
		if len(out) >= limit || hi == Newest {
			slices.Reverse(out)
			if len(out) > 0 {
				r.remember(channel, out[0].ID, after)
			}
			return out, nil
		}
		lo = hi
	}
}

// Around is a page of a channel about an id, newest first: half of the messages at or below it, half above. The message
// itself may be deleted.
func (r *Reader) Around(ctx context.Context, channel, id int64, limit int) ([]Message, error) {
	var older, newer []Message
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		newer, err = r.After(ctx, channel, id, limit/2)
		return err
	})
	g.Go(func() (err error) {
		bound := id
		if id != Newest {
			bound++
		}
		older, err = r.Before(ctx, channel, bound, limit-limit/2)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return append(newer, older...), nil
}

// window reads a channel's messages at or above lo and below hi: as many as limit, from the newest on, or, ascending, from
// the oldest on. Rows come in the order of the key, so that ClickHouse stops where they are enough; the bound keeps parts
// out that hold nothing near.
func (r *Reader) window(ctx context.Context, channel, lo, hi int64, ascending bool, limit int) ([]Message, error) {
	order := map[bool]string{true: "DESC", false: "ASC"}[ascending] // of -id
	var out []Message
	for n := limit + limit/4 + 2; ; n *= 2 {
		states, complete, err := r.firstRows(ctx, fmt.Sprintf("SELECT %s FROM state WHERE channel_id = %d AND %s ORDER BY inv %s", columns, channel, between(lo, hi), order), n)
		if err != nil {
			return nil, fmt.Errorf("page of channel %d: %w", channel, err)
		}
		if ascending {
			slices.Reverse(states)
		}
		out = append(out, seen(states, nil)...)
		if len(out) >= limit || complete {
			return out[:min(limit, len(out))], nil
		}
		if len(states) == 0 {
			continue // of one message only, and perhaps not all
		}
		if last := -states[len(states)-1].Inv; ascending {
			lo = last + 1 // below hi, as there are more rows
		} else {
			hi = last
		}
	}
}

// firstRows are the states of the first n rows of a query in the order of inv, newest first. Unless these are all, the
// last message is left out, as its rows may be cut.
func (r *Reader) firstRows(ctx context.Context, sql string, n int) (states []row, complete bool, err error) {
	rows, err := chhttp.Select[row](ctx, r.pages, fmt.Sprintf("%s LIMIT %d", sql, n))
	if err != nil || len(rows) < n {
		return mergeRows(rows), true, err
	}
	cut := rows[len(rows)-1].Inv
	return mergeRows(slices.DeleteFunc(rows, func(w row) bool { return w.Inv == cut })), false, nil
}

// span is how far the next page of a channel should look at first.
func (r *Reader) span(channel int64, otherwise time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.spans[channel]; ok {
		return s
	}
	return otherwise
}

// remember notes how far a page reached, and a quarter more, to look as far the next time.
func (r *Reader) remember(channel, hi, lo int64) {
	d := time.Duration(r.epoch.Millis(hi)-r.epoch.Millis(lo)) * time.Millisecond
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.spans) >= maxSpans {
		clear(r.spans)
	}
	r.spans[channel] = min(max(d+d/4, leastSpan), mostSpan)
}
