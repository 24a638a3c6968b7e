package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/schemas"
	hot "github.com/coldstream/coldstream/sinks/clickhouse"
)

// What the store is filled with: thirty days of chat, a third of it in one channel.
const (
	guild       = 100
	busy        = 1000 // the channel with a third of all messages
	quiet       = 1001 // nothing for the last eight days
	channels    = 2000
	users       = 20_000
	days        = 30
	batchRows   = 10_000
	blockRows   = 100_000 // a part each while nothing merges
	quietShare  = 0.002
	editShare   = 0.03
	deleteShare = 0.01
)

// filler makes events in the order of their time.
type filler struct {
	r        *rand.Rand
	words    *words
	from, to int64 // Unix milliseconds
	n        uint64
	text     []byte
	recent   []schemas.Row // some of what was created lately, to be edited or deleted
}

// fill writes messages through the sink, whose clock is that of the messages.
func fill(ctx context.Context, c *chhttp.Client, messages int, now time.Time) error {
	f := &filler{r: rand.New(rand.NewPCG(1, 2)), words: newWords(), from: now.AddDate(0, 0, -days).UnixMilli(), to: now.UnixMilli()} //nolint:gosec // made-up chat
	clock := f.from
	sink, err := hot.New(hot.Config{
		Client: c, Epoch: schemas.DiscordEpoch, MaxRows: blockRows, MaxAge: time.Hour, Now: func() time.Time { return time.UnixMilli(clock) },
		DeadLetter: func(_ context.Context, l []schemas.DeadLetter) error {
			return fmt.Errorf("%d rows refused: %s", len(l), l[0].Error)
		},
	})
	if err != nil {
		return err
	}
	if err := sink.Open(ctx, func(context.Context, []schemas.Range, ...*kgo.Record) error { return nil }); err != nil {
		return err
	}
	source, offset := schemas.Source{Topic: "events"}, int64(0)
	for made := 0; made < messages; {
		b := schemas.GetBatch()
		for range min(batchRows, messages-made) {
			clock = f.from + int64(float64(f.to-f.from)*float64(made)/float64(messages))
			f.event(b, clock)
			made++
		}
		r := schemas.Range{Source: source, From: offset, Next: offset + int64(b.Len()), Events: int64(b.Len())}
		for sink.Pressure() {
			if err := sink.Tick(ctx, time.Time{}); err != nil {
				return err
			}
			time.Sleep(5 * time.Millisecond)
		}
		if err := sink.Write(ctx, b, r, nil); err != nil {
			return err
		}
		offset = r.Next
		b.Release()
	}
	return sink.Close(ctx)
}

// event appends a creation, and sometimes the edit or the delete of another message.
func (f *filler) event(b *schemas.Batch, at int64) {
	f.n++
	f.text = f.words.appendText(f.text[:0], f.r)
	row := schemas.Row{
		Type: schemas.TypeCreated, TypeName: []byte("message.created"), EventID: schemas.DiscordEpoch.ID(at, f.n), ChannelID: f.channel(at), GuildID: guild,
		Fields: schemas.FieldGuild | schemas.FieldChannel | schemas.FieldMessage | schemas.FieldUser | schemas.FieldContent,
		UserID: f.user(), Time: at * 1000, KafkaTime: at * 1000, Content: f.text,
	}
	row.MessageID = row.EventID
	b.Append(&row)
	if row.ChannelID != quiet { // so that its newest stay what they are
		row.Content = nil
		if len(f.recent) < 1000 {
			f.recent = append(f.recent, row)
		} else {
			f.recent[f.r.IntN(len(f.recent))] = row
		}
	}
	switch p := f.r.Float64(); {
	case len(f.recent) == 0:
	case p < editShare:
		f.change(b, at, schemas.TypeEdited, "message.edited")
	case p < editShare+deleteShare:
		f.change(b, at, schemas.TypeDeleted, "message.deleted")
	}
}

func (f *filler) change(b *schemas.Batch, at int64, kind schemas.Type, name string) {
	row := f.recent[f.r.IntN(len(f.recent))]
	f.n++
	row.Type, row.TypeName, row.EventID, row.Time, row.KafkaTime = kind, []byte(name), schemas.DiscordEpoch.ID(at, f.n), at*1000, at*1000
	row.Fields = schemas.FieldGuild | schemas.FieldChannel | schemas.FieldMessage
	if kind == schemas.TypeEdited {
		f.text = f.words.appendText(f.text[:0], f.r)
		row.Content = f.text
		row.Fields |= schemas.FieldContent
	}
	b.Append(&row)
}

// channel draws the channel of a message: a third in one, the rest by Zipf.
func (f *filler) channel(at int64) int64 {
	p := f.r.Float64()
	if p < 1.0/3 {
		return busy
	}
	if p < 1.0/3+quietShare && at < f.to-8*24*time.Hour.Milliseconds() {
		return quiet
	}
	return busy + 2 + int64(f.words.draw(f.r)%channels)
}

// user draws an author by Zipf.
func (f *filler) user() int64 { return 1 + int64(f.words.draw(f.r)%users) }
