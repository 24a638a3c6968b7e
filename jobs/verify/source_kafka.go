package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/kafkalog"
)

// KafkaLog is a topic on a broker.
type KafkaLog struct {
	Client []kgo.Opt // how the brokers are reached
	Topic  string
}

func (k KafkaLog) admin() (*kadm.Client, error) {
	cl, err := kgo.NewClient(k.Client...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return kadm.NewClient(cl), nil
}

// Spans is part of Log.
func (k KafkaLog) Spans(ctx context.Context) ([]RangeSpan, error) {
	adm, err := k.admin()
	if err != nil {
		return nil, err
	}
	defer adm.Close()
	spans, err := kafkalog.Spans(ctx, adm, k.Topic)
	if err != nil {
		return nil, err
	}
	out := make([]RangeSpan, len(spans))
	for i, s := range spans {
		out[i] = RangeSpan{k.Topic, s.Partition, s.From, s.Next}
	}
	return out, nil
}

// Read is part of Log.
func (k KafkaLog) Read(ctx context.Context, spans []RangeSpan, f func(Record) error) error {
	cl, err := kgo.NewClient(append(slices.Clip(k.Client), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.MaxDecompressBatchBytes(64<<20), kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer cl.Close()
	of := make([]kafkalog.Span, len(spans))
	for i, s := range spans {
		of[i] = kafkalog.Span{Partition: s.Partition, From: s.From, Next: s.Next}
	}
	err = kafkalog.ReadSpans(ctx, cl, k.Topic, of, func(r *kgo.Record) error {
		return f(Record{Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp, Value: r.Value})
	})
	if errors.Is(err, kafkalog.ErrMoved) {
		return fmt.Errorf("%w: %w", ErrMoved, err)
	}
	return err
}

// Committed is part of Log.
func (k KafkaLog) Committed(ctx context.Context, group string) (map[int32]int64, error) {
	adm, err := k.admin()
	if err != nil {
		return nil, err
	}
	defer adm.Close()
	return kafkalog.Committed(ctx, adm, group, k.Topic)
}
