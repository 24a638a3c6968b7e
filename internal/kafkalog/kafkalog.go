// Package kafkalog reads a topic from its start to its present end, committed records only, for jobs that look at a log
// once: the dead letters, verify.
//
// [Read], [Spans] and [Committed] are the ones to know. Errors name topic, partition and offset. The package joins no group and commits
// nothing.
package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrMoved says that retention has deleted records of a span before they were read: ask for the spans again.
var ErrMoved = errors.New("the log's start has moved past what was to be read")

// Span is the offsets [From, Next) of a partition that the broker holds now; Next is the last stable offset.
type Span struct {
	Partition  int32
	From, Next int64
}

// Spans asks the broker what it holds of a topic, by partition.
func Spans(ctx context.Context, adm *kadm.Client, topic string) ([]Span, error) {
	starts, err := adm.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s: start offsets: %w", topic, err)
	}
	ends, err := adm.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s: end offsets: %w", topic, err)
	}
	var spans []Span
	for _, s := range starts.Offsets().Sorted() {
		e, ok := ends.Lookup(topic, s.Partition)
		if !ok {
			return nil, fmt.Errorf("topic %s: no end offset of partition %d", topic, s.Partition)
		}
		spans = append(spans, Span{s.Partition, s.At, max(e.Offset, s.At)})
	}
	return spans, nil
}

// Read calls f for every committed record of the topic that it holds now, partition by partition in offset order; the
// order between partitions is none. client says how the brokers are reached.
func Read(ctx context.Context, client []kgo.Opt, topic string, f func(*kgo.Record) error) error {
	cl, err := kgo.NewClient(append(slices.Clip(client),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.MaxDecompressBatchBytes(64<<20), kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return fmt.Errorf("topic %s: %w", topic, err)
	}
	defer cl.Close()
	spans, err := Spans(ctx, kadm.NewClient(cl), topic)
	if err != nil {
		return err
	}
	return ReadSpans(ctx, cl, topic, spans, f)
}

// ReadSpans calls f for every committed record within the spans; ErrMoved if the log no longer has one. The client must
// keep control records, so that a span that ends in a transaction's marker ends here too, and must not reset offsets.
func ReadSpans(ctx context.Context, cl *kgo.Client, topic string, spans []Span, f func(*kgo.Record) error) error {
	left := map[int32]int64{}
	from := map[int32]kgo.Offset{}
	for _, s := range spans {
		if s.From < s.Next {
			left[s.Partition], from[s.Partition] = s.Next, kgo.NewOffset().At(s.From)
		}
	}
	if len(left) == 0 {
		return nil
	}
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	defer cl.PurgeTopicsFromConsuming(topic)
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, e := range fetches.Errors() {
			if errors.Is(e.Err, kerr.OffsetOutOfRange) {
				return fmt.Errorf("topic %s partition %d: %w", e.Topic, e.Partition, ErrMoved)
			}
			return fmt.Errorf("topic %s partition %d: %w", e.Topic, e.Partition, e.Err)
		}
		if err := take(fetches, left, f); err != nil {
			return err
		}
	}
	return nil
}

// take hands on the records of a poll and strikes off the partitions that have come to their end.
func take(fetches kgo.Fetches, left map[int32]int64, f func(*kgo.Record) error) error {
	for it := fetches.RecordIter(); !it.Done(); {
		r := it.Next()
		end, open := left[r.Partition]
		if !open {
			continue
		}
		if r.Offset < end && !r.Attrs.IsControl() {
			if err := f(r); err != nil {
				return err
			}
		}
		if r.Offset+1 >= end {
			delete(left, r.Partition)
		}
	}
	return nil
}
