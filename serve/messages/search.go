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

// firstSearch is the time before Before that is searched first: a common word is found there, and a rare one costs little
// to look for twice.
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
	out, err := r.searchBetween(ctx, &q, words, middle, q.Before, q.Limit)
	if err != nil || len(out) == q.Limit || middle == lo {
		return out, err
	}
	more, err := r.searchBetween(ctx, &q, words, lo, middle, q.Limit-len(out))
	return append(out, more...), err
}

func (r *Reader) searchBetween(ctx context.Context, q *Query, words search.Query, lo, hi int64, limit int) ([]Message, error) {
	where := candidates(q, words, lo, hi)
	view, verify := "found_messages(%s, words = "+strings.ReplaceAll(chhttp.Quote(q.Words), "%", "%%")+")", "1"
	if words.Empty() {
		view = "messages_of(%s)"
	}
	if q.User != nil {
		verify = "user_id = " + strconv.FormatInt(*q.User, 10)
	}
	if q.Links {
		verify += " AND match(content, '(?i)https?://[^\\\\x00-\\\\x20]')"
	}
	out, err := walk(limit, func(after *key, n int) ([]key, error) {
		return chhttp.Select[key](ctx, r.keys, fmt.Sprintf("SELECT channel_id, inv FROM state WHERE %s AND %s ORDER BY inv, channel_id LIMIT %d", where, beyond(after), n))
	}, func(keys []key) ([]Message, error) { return r.of(ctx, keys, view, verify) })
	if err != nil {
		return nil, fmt.Errorf("search for %q: %w", q.Words, err)
	}
	return out, nil
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
