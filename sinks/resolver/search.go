package resolver

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/buger/jsonparser"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// found is a message that exists.
type found struct {
	Channel    int64  `json:"channel_id"`
	Inv        int64  `json:"inv"`
	Hash       uint64 `json:"ref_hash"`
	ChannelRef string `json:"channel"`
}

// document is what is published or reported of a row.
type document struct {
	ID        string `json:"id"`
	Event     string `json:"event"`
	Completed string `json:"completed"`
	Target    string `json:"target"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Seen      int64  `json:"seen_ms"`
}

// search looks rows up and publishes what it can complete, in all of the state table or in what is new of it.
func (r *Resolver) search(ctx context.Context, rows []row, news bool) (completed int, err error) {
	for _, some := range chunks(rows, perQuery) {
		messages, err := r.lookUp(ctx, some, news)
		if err != nil {
			return completed, fmt.Errorf("look %d targets up: %w", len(some), err)
		}
		if len(messages) == 0 {
			continue
		}
		hits := map[string]found{}
		for _, w := range some {
			m, n := match(w, messages)
			if n == 1 && news { // new parts do not show whether another message has the same id
				m, n, err = r.alone(ctx, w)
				if err != nil {
					return completed, err
				}
			}
			if n == 1 {
				hits[w.ID] = m
			}
			w.ambiguous = n
			r.waiting[w.ID] = w
		}
		if err := r.publish(ctx, hits); err != nil {
			return completed, err
		}
		completed += len(hits)
	}
	return completed, nil
}

// alone looks one row up in the whole table.
func (r *Resolver) alone(ctx context.Context, w row) (found, int, error) {
	messages, err := r.lookUp(ctx, []row{w}, false)
	if err != nil {
		return found{}, 0, fmt.Errorf("look a target up: %w", err)
	}
	m, n := match(w, messages)
	return m, n, nil
}

// match finds the messages that a row's target can mean; n is how many, and m the last.
func match(w row, messages []found) (m found, n int) {
	for _, f := range messages {
		if w.HasChannel == 1 && f.Channel != w.ChannelID {
			continue
		}
		if w.TargetHash != 0 && f.Hash == w.TargetHash || w.Decimal == 1 && f.Hash == 0 && f.Inv == -w.TargetID {
			m, n = f, n+1
		}
	}
	return m, n
}

// lookUp asks all shards for the messages of rows: by the hash of an opaque target, and by number for a decimal one. A message
// is there once its creation is; the rest of its rows does not matter, so FINAL is not needed.
func (r *Resolver) lookUp(ctx context.Context, rows []row, news bool) ([]found, error) {
	var all []found
	for _, s := range r.shards {
		parts := ""
		if news {
			if s.news.state == "" {
				continue
			}
			parts = " AND " + s.news.state
		}
		sql := lookUpSQL(rows, parts)
		if sql == "" {
			return nil, nil
		}
		some, err := chhttp.Select[found](ctx, s.client, sql)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func lookUpSQL(rows []row, parts string) string {
	var hashes, numbers []string
	for _, w := range rows {
		if w.TargetHash != 0 {
			hashes = append(hashes, strconv.FormatUint(w.TargetHash, 10))
		}
		if w.Decimal == 1 {
			numbers = append(numbers, strconv.FormatInt(w.TargetID, 10))
		}
	}
	var queries []string
	ask := func(condition string) {
		queries = append(queries, `SELECT channel_id, inv, ref_hash, max(channel_ref) AS channel FROM state
WHERE `+condition+parts+` AND tupleElement(author, 'rank') >= 0 GROUP BY channel_id, inv, ref_hash`)
	}
	if len(hashes) > 0 {
		ask("ref_hash IN (" + strings.Join(hashes, ",") + ")")
	}
	if len(numbers) > 0 {
		ask("ref_hash = 0 AND -inv IN (" + strings.Join(numbers, ",") + ")")
	}
	return strings.Join(queries, "\nUNION ALL ")
}

// publish sends the completed events and marks their rows.
func (r *Resolver) publish(ctx context.Context, hits map[string]found) error {
	if len(hits) == 0 {
		return nil
	}
	ids := make([]string, 0, len(hits))
	for id := range hits {
		ids = append(ids, id)
	}
	documents, err := r.documents(ctx, ids)
	if err != nil {
		return err
	}
	records := make([]*kgo.Record, 0, len(documents))
	for _, d := range documents {
		m := hits[d.ID]
		channel := schemas.FormatID(m.Channel, m.ChannelRef)
		records = append(records, &kgo.Record{
			Topic: r.config.Topic, Key: []byte(channel), Value: complete(d.Completed, channel, -m.Inv),
		})
	}
	if len(records) == 0 { // all were done before
		return r.mark(ctx, ids, 1)
	}
	if err := r.config.Producer.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("publish %d completed events to %s: %w", len(records), r.config.Topic, err)
	}
	return r.mark(ctx, ids, 1)
}

// complete adds the message's number to a document, and the channel if the document lacks it.
func complete(doc, channel string, message int64) []byte {
	out := []byte{'{'}
	if _, _, _, err := jsonparser.Get([]byte(doc), "channel_id"); err != nil {
		out = append(out, `"channel_id":`...)
		out = append(codec.AppendString(out, channel), ',')
	}
	out = append(out, `"message_id":"`...)
	out = append(strconv.AppendInt(out, message, 10), '"', ',')
	return append(out, doc[1:]...)
}

func (r *Resolver) documents(ctx context.Context, ids []string) ([]document, error) {
	rows, err := chhttp.Select[document](ctx, r.config.Client, fmt.Sprintf(`SELECT id, event, completed, target, topic, partition, offset,
toUnixTimestamp64Milli(seen) AS seen_ms FROM unresolved FINAL WHERE status = 0 AND id IN (%s)`, quoted(ids)))
	if err != nil {
		return nil, fmt.Errorf("read %d events that wait: %w", len(ids), err)
	}
	return rows, nil
}
