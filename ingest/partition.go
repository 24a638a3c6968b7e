package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

// partition is one held partition.
type partition struct {
	src        schemas.Source
	start      int64 // first offset that the sink gets
	next       int64 // first offset that it has not got
	logStart   int64
	history    int64 // offsets before start that processors want to remember
	processors []Processor
	rebuild    rebuild

	textRows, textBytes int // of the batch before
}

func (p *partition) key() partitionKey { return partitionKey{p.src.Topic, p.src.Partition} }

// maxBatchText cuts a poll of large records into several batches.
const maxBatchText = 32 << 20

// take works off what was fetched of one partition, in offset order.
func (s *session) take(ctx context.Context, f kgo.FetchTopicPartition) error {
	p := s.parts[partitionKey{f.Topic, f.Partition}]
	if p == nil { // fetched before it was revoked
		return nil
	}
	b := schemas.GetBatch()
	defer func() { b.Release() }()
	old, _ := slices.BinarySearchFunc(f.Records, p.next, func(r *kgo.Record, next int64) int { return int(r.Offset - next) })
	if err := s.remember(p, b, f.Records[:old]); err != nil {
		return err
	}
	if old < len(f.Records) {
		s.rebuilt(p, p.start)
	}
	for rest := f.Records[old:]; len(rest) > 0; {
		b.Reset()
		p.reserve(b, rest)
		in := input{partition: p, batch: b, decoder: s.topics[f.Topic].decoder}
		n, err := in.decode(rest)
		if err != nil {
			return err
		}
		in.taken = rest[:n]
		r := schemas.Range{Source: p.src, From: p.next, Next: rest[n-1].Offset + 1}
		r.CompleteMs = complete(rest[n-1])
		if err := s.hand(ctx, &in, r); err != nil {
			return err
		}
		s.stats.records.Add(int64(in.records))
		p.next, rest = r.Next, rest[n:]
		p.textRows, p.textBytes = b.Len(), b.TextBytes()
		if b.Kept() {
			b = schemas.GetBatch()
		}
	}
	recycle(f.Records)
	return nil
}

// reserve makes room for what records will take, going by the batch before.
func (p *partition) reserve(b *schemas.Batch, records []*kgo.Record) {
	rows := len(records)
	if p.textRows == 0 {
		return
	}
	text := p.textBytes / p.textRows * rows
	b.Reserve(rows, min(text+text/8, maxBatchText))
}

// complete gives the Kafka time before which everything was read when last was, or 0. The log's own times only rise; a
// producer's tell nothing of what comes next. That a poll reached the log's end tells nothing either: the client may have
// kept it for any time, while the log grew. See tellIdle.
func complete(last *kgo.Record) int64 {
	if last.Attrs.TimestampType() != logAppendTime {
		return 0
	}
	return last.Timestamp.UnixMilli()
}

const logAppendTime = 1

// input decodes records into one batch.
type input struct {
	partition *partition
	batch     *schemas.Batch
	decoder   Decoder
	taken     []*kgo.Record // what the batch was decoded from
	dead      []schemas.DeadLetter
	codes     map[string]int64 // refusals by code
	records   int
}

// decode takes records until the batch has enough, and says how many.
func (in *input) decode(records []*kgo.Record) (int, error) {
	for i, r := range records {
		if i > 0 && in.batch.TextBytes() > maxBatchText {
			return i, nil
		}
		if r.Attrs.IsControl() {
			continue
		}
		in.records++
		err := in.decodeOne(r)
		var refusal *schemas.Refusal
		if errors.As(err, &refusal) {
			in.refuse(r, "decode", refusal)
		} else if err != nil {
			return 0, fmt.Errorf("decode %s offset %d: %w", in.partition.src, r.Offset, err)
		}
	}
	return len(records), nil
}

func (in *input) decodeOne(r *kgo.Record) error {
	src := &in.partition.src
	return in.decoder.Decode(in.batch, r.Value, codec.Origin{Source: src.Index, Partition: src.Partition, Offset: r.Offset, Time: r.Timestamp.UnixMicro()})
}

// refuse makes a dead letter, with copies: a record's memory is shared with its whole fetch.
func (in *input) refuse(r *kgo.Record, stage string, why *schemas.Refusal) {
	if in.codes == nil {
		in.codes = map[string]int64{}
	}
	in.codes[why.Code]++
	in.dead = append(in.dead, schemas.DeadLetter{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp,
		Key: slices.Clone(r.Key), Value: slices.Clone(r.Value), Stage: stage, Error: why.Error(),
	})
}
