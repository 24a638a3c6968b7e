package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// PublishFunc writes records beside the pipeline and returns when the brokers have acknowledged all of them. What it has
// written stays, even if what the pipeline holds is discarded and read again: at least once. Their memory is valid during
// the call.
type PublishFunc = func(ctx context.Context, records []*kgo.Record) error

// Sample says which repeats are published as they came, with headers that say where they stand. What is chosen depends on
// the offset alone.
type Sample struct {
	Topic string // empty: none
	Every int64  // one of so many; 1: all
}

// hand processes a decoded batch and gives it to the sink.
func (s *session) hand(ctx context.Context, in *input, r schemas.Range) error {
	filtered, err := s.process(ctx, in, &r)
	if err != nil {
		return err
	}
	for _, d := range in.batch.Refused() {
		in.refuse(in.record(d.Offset), d.Stage, d.Why)
	}
	routed, err := s.route(ctx, in)
	if err != nil {
		return fmt.Errorf("route %s [%d, %d): %w", r.Source, r.From, r.Next, err)
	}
	r.Events, r.Dead = int64(in.batch.Len()), int64(len(in.dead))
	if err := s.cfg.Sink.Write(ctx, in.batch, r, in.dead); err != nil {
		return fmt.Errorf("write %s [%d, %d): %w", r.Source, r.From, r.Next, err)
	}
	s.stats.add(r, filtered, in.codes)
	s.stats.routed.Add(routed)
	return nil
}

// process runs the processors and says how many rows they dropped, repeats apart. What a processor cannot do is read
// again, from the start: half a batch is no state to go on from.
func (s *session) process(ctx context.Context, in *input, r *schemas.Range) (filtered int64, err error) {
	b := in.batch
	for _, proc := range in.partition.processors {
		n, refused := b.Len(), len(b.Refused())
		if err := proc.Process(b); err != nil {
			return 0, fmt.Errorf("%w: process %s [%d, %d): %w", schemas.ErrRewind, r.Source, r.From, r.Next, err)
		}
		_, history := proc.(Historian)
		if history {
			if err := s.sample(ctx, in); err != nil {
				return 0, fmt.Errorf("sample repeats of %s: %w", r.Source, err)
			}
		}
		b.Compact()
		gone := int64(n - b.Len())
		if history {
			r.Repeats += gone
		} else {
			filtered += gone - int64(len(b.Refused())-refused)
		}
	}
	return filtered, nil
}

// record is the one that a row of the batch came from.
func (in *input) record(offset int64) *kgo.Record {
	at, _ := slices.BinarySearchFunc(in.taken, offset, func(r *kgo.Record, o int64) int { return int(r.Offset - o) })
	return in.taken[at]
}

// origin are headers that say where a record of another topic came from.
func origin(r *kgo.Record, more ...kgo.RecordHeader) []kgo.RecordHeader {
	return append([]kgo.RecordHeader{
		{Key: "topic", Value: []byte(r.Topic)},
		{Key: "partition", Value: strconv.AppendInt(nil, int64(r.Partition), 10)},
		{Key: "offset", Value: strconv.AppendInt(nil, r.Offset, 10)},
	}, more...)
}

// sample publishes some of the rows that are marked as repeats.
func (s *session) sample(ctx context.Context, in *input) error {
	c := &s.cfg.Sample
	if c.Topic == "" || s.cfg.Publish == nil {
		return nil
	}
	var out []*kgo.Record
	for i, offset := range in.batch.Offset {
		if !in.batch.Dropped(i) || !chosen(offset, c.Every) {
			continue
		}
		r := in.record(offset)
		out = append(out, &kgo.Record{Topic: c.Topic, Key: r.Key, Value: r.Value, Headers: origin(r)})
	}
	if err := s.publish(ctx, out); err != nil {
		return err
	}
	s.stats.sampled.Add(int64(len(out)))
	return nil
}

// chosen takes one of so many offsets, and the same ones always.
func chosen(offset, every int64) bool {
	return every <= 1 || uint64(offset)*0x9e3779b97f4a7c15>>1%uint64(every) == 0
}

// route publishes the rows that are routed, and drops those that leave. Where nobody publishes, they are dropped all the
// same: another pipeline does it.
func (s *session) route(ctx context.Context, in *input) (routed int64, err error) {
	b := in.batch
	if !b.Routed() {
		return 0, nil
	}
	var out []*kgo.Record
	for i := range b.EventID {
		var event *kgo.Record
		b.Routes(i, func(topic string) {
			if s.cfg.Publish == nil {
				return
			}
			if event == nil {
				e := b.Event(i)
				version := strconv.AppendUint(nil, uint64(b.Policy), 10)
				event = &kgo.Record{
					Key: producer.Key(&e), Value: codec.AppendEvent(nil, &e),
					Headers: origin(in.record(b.Offset[i]), kgo.RecordHeader{Key: "policy", Value: version}),
				}
			}
			out = append(out, &kgo.Record{Topic: topic, Key: event.Key, Value: event.Value, Headers: event.Headers})
		})
		if b.Leaves(i) {
			b.Drop(i)
		}
	}
	if err := s.publish(ctx, out); err != nil {
		return 0, err
	}
	b.Compact()
	return int64(len(out)), nil
}

// publish writes records and waits for them, for a bounded time: the group's rebalances wait meanwhile.
func (s *session) publish(ctx context.Context, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, s.cfg.TransactionTimeout)
	defer cancel()
	err := s.cfg.Publish(bounded, records)
	if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", schemas.ErrRewind, err)
}
