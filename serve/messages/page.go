package messages

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
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
		rows, err := r.window(ctx, channel, lo, hi, "ASC", limit-len(out))
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
		rows, err := r.window(ctx, channel, lo, hi, "DESC", limit-len(out))
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

// window reads a channel's messages at or above lo and below hi, in an order of -id. The bound keeps parts out that hold nothing near.
func (r *Reader) window(ctx context.Context, channel, lo, hi int64, order string, limit int) ([]Message, error) {
	rows, err := r.rows(ctx, fmt.Sprintf("SELECT %s FROM state FINAL WHERE channel_id = %d AND %s AND %s ORDER BY inv %s LIMIT %d", columns, channel, between(lo, hi), visible, order, limit))
	if err != nil {
		return nil, fmt.Errorf("page of channel %d: %w", channel, err)
	}
	return rows, nil
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
