package messages

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/schemas/search"
)

// Query is a search. What is empty or nil does not restrict it.
type Query struct {
	Words    string // all of them, and "phrases" in quotes
	Links    bool   // has=link
	Channels []int64
	User     *int64
	Before   int64 // message ids below; Newest: no bound. After: above; 0 is no bound.
	After    int64
	Limit    int
}

// firstSearch is the time before Before in which keys are looked for first: a common word has enough of them there, and
// those of a rare one cost little to look for twice.
const firstSearch = 24 * time.Hour

// Search finds messages, newest first. Words that find nothing by themselves (no letters) find nothing.
func (r *Reader) Search(ctx context.Context, q Query) ([]Message, error) {
	words := search.Parse(q.Words)
	if words.Empty() && (!q.Links || strings.TrimSpace(q.Words) != "") {
		return nil, nil
	}
	lo := oldest
	if q.After != 0 {
		lo = q.After + 1
	}
	from := q.Before
	if from == Newest {
		from = r.epoch.ID(r.now().UnixMilli(), 0)
	}
	middle := max(lo, from-firstSearch.Milliseconds()<<22)
	windows := []string{candidates(&q, words, middle, q.Before)}
	if middle > lo {
		windows = append(windows, candidates(&q, words, lo, middle))
	}
	out, err := walk(q.Limit, func(after *key, n int) (keys []key, err error) {
		for len(windows) > 0 {
			some, err := chhttp.Select[key](ctx, r.keys, fmt.Sprintf("SELECT channel_id, inv FROM state WHERE %s AND %s ORDER BY inv, channel_id LIMIT %d", windows[0], beyond(after), n-len(keys)))
			if err != nil {
				return nil, err
			}
			if keys = append(keys, some...); len(keys) == n {
				return keys, nil
			}
			windows, after = windows[1:], nil
		}
		return keys, nil
	}, func(keys []key) ([]Message, error) { return r.found(ctx, &q, words, keys) })
	if err != nil {
		return nil, fmt.Errorf("search for %q: %w", q.Words, err)
	}
	return out, nil
}

// found reads those of the keys' messages that are what is searched for.
func (r *Reader) found(ctx context.Context, q *Query, words search.Query, keys []key) ([]Message, error) {
	having := "tupleElement(search, 'rank') = tupleElement(content, 'rank') AND tupleElement(search, 'version') = tupleElement(content, 'version')"
	for _, t := range words.Tokens {
		having += " AND position(tupleElement(search, 'text'), " + chhttp.Quote(" "+t+" ") + ") > 0"
	}
	for _, p := range words.Phrases {
		having += " AND position(tupleElement(search, 'text'), " + chhttp.Quote(p) + ") > 0"
	}
	if q.Links {
		having += " AND position(tupleElement(search, 'text'), " + chhttp.Quote(" "+search.LinkToken+" ") + ") > 0"
	}
	if q.User != nil {
		having += " AND " + byUser(*q.User)
	}
	return r.of(ctx, keys, having)
}

// candidates is the condition for rows in which the words ever stood. It asks without FINAL, so what a row alone cannot
// say is asked of the user's keys.
func candidates(q *Query, words search.Query, lo, hi int64) string {
	tokens := make([]string, 0, len(words.Tokens)+1)
	for _, t := range words.Tokens {
		tokens = append(tokens, chhttp.Quote(t))
	}
	if q.Links {
		tokens = append(tokens, chhttp.Quote(search.LinkToken))
	}
	where := between(lo, hi) + " AND hasAllTokens(tupleElement(search, 'text'), [" + strings.Join(tokens, ", ") + "])"
	for _, p := range words.Phrases {
		where += " AND position(tupleElement(search, 'text'), " + chhttp.Quote(p) + ") > 0"
	}
	if len(q.Channels) > 0 {
		list := make([]string, len(q.Channels))
		for i, c := range q.Channels {
			list[i] = strconv.FormatInt(c, 10)
		}
		where += " AND channel_id IN (" + strings.Join(list, ", ") + ")"
	}
	if q.User != nil {
		where += fmt.Sprintf(" AND (channel_id, inv) IN (SELECT channel_id, inv FROM state WHERE tupleElement(author, 'id') = %d AND %s)", *q.User, between(lo, hi))
	}
	return where
}
