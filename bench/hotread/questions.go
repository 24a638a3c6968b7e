package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/serve/messages"
)

// question is a family of queries: ask puts the next one and returns how many rows came.
type question struct {
	name string
	ask  func(ctx context.Context, s *store, r *rand.Rand) (rows int, err error)
	want int // rows; -1: as many as there are
}

const pageRows, searchRows = 50, 25

// questions are what is asked of a store of so many messages.
func questions(total int) []question {
	return append(append(pages(), searches(total)...), sql()...)
}

// ago is an id of about that many days before the end.
func (s *store) ago(r *rand.Rand, days float64) int64 {
	return schemas.DiscordEpoch.ID(s.now.UnixMilli()-int64(days*24*3_600_000)-r.Int64N(3_600_000), 0)
}

func count(m []messages.Message, err error) (int, error) { return len(m), err }

func pages() []question {
	before := func(channel func(*rand.Rand) int64, days float64) func(context.Context, *store, *rand.Rand) (int, error) {
		return func(ctx context.Context, s *store, r *rand.Rand) (int, error) {
			id := messages.Newest
			if days > 0 {
				id = s.ago(r, days)
			}
			return count(s.reader.Before(ctx, channel(r), id, pageRows))
		}
	}
	the := func(channel int64) func(*rand.Rand) int64 { return func(*rand.Rand) int64 { return channel } }
	some := func(r *rand.Rand) int64 { return busy + 2 + r.Int64N(200) }
	return []question{
		{"page: newest, the busy channel", before(the(busy), 0), pageRows},
		{"page: newest, one of 200 channels", before(some, 0), pageRows},
		{"page: 7 days back", before(the(busy), 7), pageRows},
		{"page: 29 days back", before(the(busy), 28.9), pageRows},
		{"page: around an id", func(ctx context.Context, s *store, r *rand.Rand) (int, error) {
			return count(s.reader.Around(ctx, busy, s.ago(r, 1+27*r.Float64()), pageRows))
		}, pageRows},
		{"page: a channel quiet for a week", before(the(quiet), 0), pageRows},
		{"page: the same, asked for the first time", func(ctx context.Context, s *store, _ *rand.Rand) (int, error) {
			return count(messages.New(s.owner, schemas.DiscordEpoch).Before(ctx, quiet, messages.Newest, pageRows))
		}, pageRows},
	}
}

func searches(total int) []question {
	w := newWords()
	of := float64(total) * meanWords
	rare := 1
	for w.expected(rare, of) > 30 && rare < vocabulary-2000 {
		rare++
	}
	search := func(q messages.Query, words func(*rand.Rand) string) func(context.Context, *store, *rand.Rand) (int, error) {
		return func(ctx context.Context, s *store, r *rand.Rand) (int, error) {
			q.Words, q.Before, q.Limit = words(r), messages.Newest, searchRows
			return count(s.reader.Search(ctx, q))
		}
	}
	from := func(k, n int) func(*rand.Rand) string {
		return func(r *rand.Rand) string { return word(k + r.IntN(n)) }
	}
	return []question{
		{"search: rare word (some 30)", search(messages.Query{}, from(rare, 1000)), -1},
		{"search: common word (1 in 3 to 1 in 12)", search(messages.Query{}, from(1, 8)), searchRows},
		{"search: word of 1 in 1,000", search(messages.Query{}, from(1000, 100)), searchRows},
		{"search: two words", search(messages.Query{}, func(r *rand.Rand) string { return word(20+r.IntN(20)) + " " + word(500+r.IntN(50)) }), searchRows},
		{"search: phrase", search(messages.Query{}, func(r *rand.Rand) string { return `"` + word(20+r.IntN(20)) + " " + word(50+r.IntN(50)) + `"` }), -1},
		{"search: common word, in the busy channel", search(messages.Query{Channels: []int64{busy}}, from(1, 8)), searchRows},
		{"search: word of 1 in 10,000, in the busy channel", search(messages.Query{Channels: []int64{busy}}, from(10_000, 100)), -1},
		{"search: common word, by an author", func(ctx context.Context, s *store, r *rand.Rand) (int, error) {
			author := 100 + r.Int64N(1000)
			return count(s.reader.Search(ctx, messages.Query{Words: word(1 + r.IntN(8)), User: &author, Before: messages.Newest, Limit: searchRows}))
		}, -1},
		{"user: newest messages", func(ctx context.Context, s *store, r *rand.Rand) (int, error) {
			return count(s.reader.ByUser(ctx, 100+r.Int64N(1000), messages.Newest, pageRows))
		}, pageRows},
		{"user: of who wrote most", func(ctx context.Context, s *store, _ *rand.Rand) (int, error) {
			return count(s.reader.ByUser(ctx, 1, messages.Newest, pageRows))
		}, pageRows},
	}
}

// sql are the views as an analyst asks them.
func sql() []question {
	query := func(text string, args ...func(*rand.Rand) any) func(context.Context, *store, *rand.Rand) (int, error) {
		return func(ctx context.Context, s *store, r *rand.Rand) (int, error) {
			var values []any
			for _, a := range args {
				values = append(values, a(r))
			}
			answer, err := s.analyst.Query(ctx, fmt.Sprintf(text, values...))
			return bytes.Count(answer, []byte("\n")), err
		}
	}
	common := func(r *rand.Rand) any { return word(1 + r.IntN(8)) }
	return []question{
		{"SQL: channel_page, newest", query("SELECT * FROM channel_page(channel = 1000, before = 9223372036854775807, limit = 50)"), pageRows},
		{"SQL: a day of a channel", query("SELECT count() FROM messages WHERE channel_id = 1000 AND created_at >= now() - INTERVAL 2 DAY AND message_id >= snowflakeAt(now() - INTERVAL 2 DAY) AND message_id < snowflakeAt(now() - INTERVAL 1 DAY)"), 1},
		{"SQL: search_messages, rare word", query("SELECT message_id, content FROM search_messages(words = '%s') ORDER BY message_id DESC LIMIT 25", func(r *rand.Rand) any { return word(80_000 + r.IntN(1000)) }), -1},
		{"SQL: search_channel, common word", query("SELECT message_id, content FROM search_channel(channel = 1100, words = '%s') ORDER BY message_id DESC LIMIT 25", common), searchRows},
		{"SQL: user_messages, newest", query("SELECT * FROM user_messages(user = %d) ORDER BY message_id DESC LIMIT 50", func(r *rand.Rand) any { return 100 + r.Int64N(1000) }), pageRows},
	}
}
