package messages

import (
	"context"
	"fmt"
	"strconv"
	"strings"

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

// Search finds messages, newest first. Words that find nothing by themselves (no letters) find nothing.
func (r *Reader) Search(ctx context.Context, q Query) ([]Message, error) {
	words := search.Parse(q.Words)
	if words.Empty() && (!q.Links || strings.TrimSpace(q.Words) != "") {
		return nil, nil
	}
	c := r.candidates(&q, words)
	next := c.next
	if q.User != nil {
		next = (&written{candidates: c, user: *q.User}).next
	}
	out, err := walk(q.Limit, func(n int) ([]key, error) { return next(ctx, n) }, func(keys []key) ([]Message, error) {
		states, err := r.of(ctx, keys, withSearch)
		return seen(states, func(w *row) bool { return q.finds(words, w) }), err
	})
	if err != nil {
		return nil, fmt.Errorf("search for %q: %w", q.Words, err)
	}
	return out, nil
}

// finds says whether a message is one that is searched for, now.
func (q *Query) finds(words search.Query, w *row) bool {
	if w.Search.Rank != w.Content.Rank || w.Search.Version != w.Content.Version {
		return false // the words are not of this text
	}
	for _, t := range words.Tokens {
		if !strings.Contains(w.Search.Text, " "+t+" ") {
			return false
		}
	}
	for _, p := range words.Phrases {
		if !strings.Contains(w.Search.Text, p) {
			return false
		}
	}
	if q.Links && !strings.Contains(w.Search.Text, " "+search.LinkToken+" ") {
		return false
	}
	return q.User == nil || w.by(*q.User)
}

// inChannels is the condition for the channels that are searched.
func (q *Query) inChannels() string {
	if len(q.Channels) == 0 {
		return "1"
	}
	list := make([]string, len(q.Channels))
	for i, c := range q.Channels {
		list[i] = strconv.FormatInt(c, 10)
	}
	return "channel_id IN (" + strings.Join(list, ", ") + ")"
}
