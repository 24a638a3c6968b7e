package messages

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/schemas/search"
)

const (
	// firstSearch is the time before Before in which keys are looked for first. What they are too few in says how far to
	// look next: a common word has enough of them near, and those of a rare one cost little to look for everywhere.
	firstSearch = 24 * time.Hour
	// mostSearch is beyond what a window is worth while: from there everything is looked for.
	mostSearch = 10 * 24 * time.Hour
)

// candidates are the keys of rows in which the words ever stood, newest first: of one window of time after the other. They
// are asked for without FINAL, so what a row alone cannot say is asked of the states.
type candidates struct {
	reader *Reader
	where  string // without bounds, which come first
	lo, hi int64  // what is not looked at yet
	from   int64  // the newest id there may be, from which windows are counted
	span   time.Duration
	after  *key // within the window, the last one given
}

func (r *Reader) candidates(q *Query, words search.Query) *candidates {
	c := &candidates{reader: r, lo: oldest, hi: q.Before, from: q.Before, span: firstSearch}
	if q.After != 0 {
		c.lo = q.After + 1
	}
	if c.from == Newest {
		c.from = r.epoch.ID(r.now().UnixMilli(), 0)
	}
	tokens := make([]string, 0, len(words.Tokens)+1)
	for _, t := range words.Tokens {
		tokens = append(tokens, chhttp.Quote(t))
	}
	if q.Links {
		tokens = append(tokens, chhttp.Quote(search.LinkToken))
	}
	c.where = q.inChannels() + " AND hasAllTokens(tupleElement(search, 'text'), [" + strings.Join(tokens, ", ") + "])"
	for _, p := range words.Phrases {
		c.where += " AND position(tupleElement(search, 'text'), " + chhttp.Quote(p) + ") > 0"
	}
	return c
}

// next are the next n keys, fewer at the end.
func (c *candidates) next(ctx context.Context, n int) (keys []key, err error) {
	for len(keys) < n && c.lo < c.hi {
		bottom := c.bottom()
		some, err := c.keys(ctx, fmt.Sprintf("%s AND %s AND %s ORDER BY inv, channel_id LIMIT %d", between(bottom, c.hi), beyond(c.after), c.where, n-len(keys)))
		if err != nil {
			return nil, err
		}
		keys = append(keys, some...)
		if len(keys) == n {
			c.after = &keys[n-1]
			return keys, nil
		}
		c.hi, c.after = bottom, nil
		c.span = wider(c.span, len(keys), n)
	}
	return keys, nil
}

// bottom is the lower end of the window.
func (c *candidates) bottom() int64 {
	d := c.span.Milliseconds() << 22
	if c.span >= mostSearch || c.from < oldest+d {
		return c.lo
	}
	return min(max(c.lo, c.from-d), c.hi)
}

// wider is how far back to look after a time that had only some of the n keys: half as far again as they would need if
// they came evenly.
func wider(span time.Duration, some, n int) time.Duration {
	if some == 0 || span > mostSearch {
		return mostSearch
	}
	return max(4*span, time.Duration(min(1.5*float64(span)*float64(n)/float64(some), float64(mostSearch))))
}

func (c *candidates) keys(ctx context.Context, where string) ([]key, error) {
	return chhttp.Select[key](ctx, c.reader.words, "SELECT channel_id, inv FROM state WHERE "+where)
}

// fewWritten and mostWritten are how many of a user's messages are looked through for words at a time.
const fewWritten, mostWritten = 256, 2048

// written are the candidates that a user wrote: of some of the user's keys after the other those in whose rows the words
// stood.
type written struct {
	*candidates
	user    int64
	last    *key // of the user's
	size    int
	done    bool
	pending []key
}

// next are the next n keys, fewer at the end.
func (w *written) next(ctx context.Context, n int) ([]key, error) {
	for len(w.pending) < n && !w.done {
		w.size = min(max(w.size*4, fewWritten), mostWritten)
		own, err := w.reader.written(ctx, w.user, between(w.lo, w.hi), w.last, w.size)
		if err != nil {
			return nil, err
		}
		if w.done = len(own) < w.size; len(own) == 0 {
			break
		}
		w.last = &own[len(own)-1]
		some, err := w.keys(ctx, in(own)+" AND "+w.where+" ORDER BY inv, channel_id")
		if err != nil {
			return nil, err
		}
		w.pending = append(w.pending, some...)
	}
	n = min(n, len(w.pending))
	keys := w.pending[:n]
	w.pending = w.pending[n:]
	return keys, nil
}
