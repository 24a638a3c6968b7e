package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// each gives the committed records of the topic of events, each partition in order, up to where it ends now.
func (w *world) each(ctx context.Context, take func(*kgo.Record)) error {
	return w.readAll(ctx, w.topic("events"), take)
}

// letters counts the dead letters by their key, topic:partition:offset.
func (w *world) letters(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	err := w.readAll(ctx, w.topic("dlq"), func(r *kgo.Record) { out[string(r.Key)]++ })
	return out, err
}

// readAll reads a topic from its start to its last stable offset.
func (w *world) readAll(ctx context.Context, topic string, take func(*kgo.Record)) error {
	ends, err := w.admin.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return err
	}
	starts, err := w.admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return err
	}
	left, from := map[int32]int64{}, map[int32]kgo.Offset{}
	for p, o := range ends[topic] {
		if first := starts[topic][p].Offset; o.Offset > first {
			left[p], from[p] = o.Offset, kgo.NewOffset().At(first)
		}
	}
	if len(left) == 0 {
		return nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(w.direct), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return err
	}
	defer client.Close()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end, open := left[r.Partition]
			if !open {
				return
			}
			if !r.Attrs.IsControl() && r.Offset < end {
				take(r)
			}
			if r.Offset+1 >= end {
				delete(left, r.Partition)
			}
		})
	}
	return nil
}
