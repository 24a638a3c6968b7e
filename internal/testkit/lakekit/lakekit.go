// Package lakekit fills tables for tests and benchmarks without Kafka: generated chat goes through the cold pipeline's
// own sink, and its checkpoint records through the committer.
//
// [Writer] is one worker and one committer in a process; Fork adds workers. Everything returns errors rather than failing a test, so that
// goroutines may use it.
package lakekit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest/generator"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
	sink "github.com/coldstream/coldstream/sinks/lake"
)

const (
	cluster = "lakekit"
	chunks  = "chunks"
)

// Writer writes one table. It belongs to one goroutine.
type Writer struct {
	Table *lake.Table

	sink    *sink.Sink
	decoder codec.JSON
	source  schemas.Source
	next    int64 // of the source
	log     *chunkLog
}

// chunkLog is topic `chunks`.
type chunkLog struct {
	topicID string

	mu      sync.Mutex
	next    int64
	records []lake.Record // not committed yet
}

// NewWriter creates the table unless it is there, and begins a topic of its own; where a writer has written the table
// before, it goes on with that one's.
func NewWriter(ctx context.Context, t *lake.Table) (*Writer, error) {
	v, err := t.Create(ctx)
	if err != nil {
		return nil, err
	}
	src := lake.Source{Cluster: cluster, Topic: "events", TopicID: uuid.NewString()}
	log := &chunkLog{topicID: uuid.NewString()}
	if pos := &v.Position; len(pos.Sources) > 0 {
		src.TopicID, log.topicID, log.next = pos.Sources[0].TopicID, pos.Chunks.TopicID, pos.Chunks.Next
	}
	n, err := t.EnsureSource(ctx, src)
	if err != nil {
		return nil, err
	}
	w := &Writer{Table: t, log: log, source: schemas.Source{Cluster: src.Cluster, Topic: src.Topic, TopicID: src.TopicID, Index: int32(n)}}
	w.next, _ = v.Position.Next(src.Cluster, src.TopicID, 0)
	return w, w.open(ctx)
}

// Fork gives a writer of another partition that may work beside w; Commit of either takes what both have checkpointed.
func (w *Writer) Fork(ctx context.Context, partition int32) (*Writer, error) {
	v, err := w.Table.Load(ctx)
	if err != nil {
		return nil, err
	}
	f := &Writer{Table: w.Table, log: w.log, source: w.source}
	f.source.Partition = partition
	f.next, _ = v.Position.Next(f.source.Cluster, f.source.TopicID, partition)
	return f, f.open(ctx)
}

func (w *Writer) open(ctx context.Context) (err error) {
	w.decoder = codec.JSON{Epoch: schemas.DiscordEpoch}
	w.sink, err = sink.New(sink.Config{
		Table: w.Table, Store: w.Table.Store(), Worker: "lakekit", Chunks: chunks, DLQ: "dlq", Epoch: schemas.DiscordEpoch, Policy: 1,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	return w.sink.Open(ctx, w.take)
}

// take is the transaction: it keeps the checkpoint's record for the committer.
func (w *Writer) take(_ context.Context, _ []schemas.Range, records ...*kgo.Record) error {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	for _, r := range records {
		if r.Topic != chunks {
			return fmt.Errorf("lakekit: %s got a record: %s", r.Topic, r.Value)
		}
		w.log.records = append(w.log.records, lake.Record{Offset: w.log.next, Value: r.Value})
		w.log.next += 2 // a marker after each
	}
	return nil
}

// Add hands documents (JSON events) to the sink, as the next offsets. They reached Kafka at the time at.
func (w *Writer) Add(ctx context.Context, at time.Time, docs ...[]byte) error {
	b := schemas.GetBatch()
	defer func() {
		if !b.Kept() { // else it is the sink's
			b.Release()
		}
	}()
	r := schemas.Range{Source: w.source, From: w.next, Next: w.next + int64(len(docs)), CompleteMs: at.UnixMilli()}
	for i, doc := range docs {
		where := codec.Origin{Source: w.source.Index, Partition: w.source.Partition, Offset: w.next + int64(i), Time: at.UnixMicro()}
		if err := w.decoder.Decode(b, doc, where); err != nil {
			return fmt.Errorf("lakekit: decode %s: %w", doc, err)
		}
	}
	r.Events, w.next = int64(b.Len()), r.Next
	return w.sink.Write(ctx, b, r, nil)
}

// Checkpoint makes what was added durable, as one checkpoint that Commit will take.
func (w *Writer) Checkpoint(ctx context.Context) error {
	return w.sink.Revoke(ctx, []schemas.Source{w.source})
}

// Commit takes the checkpoints made since the last Commit into the table, as one commit.
func (w *Writer) Commit(ctx context.Context) (lake.Committed, error) {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	for {
		done, err := lake.NewCommitter(w.Table, cluster, chunks, w.log.topicID).Commit(ctx, w.log.records)
		if errors.Is(err, lake.ErrUnsettled) && ctx.Err() == nil {
			continue
		}
		if err == nil {
			w.log.records = w.log.records[:0]
		}
		return done, err
	}
}

// FirstDay is where the days of Day begin.
var FirstDay = time.Date(2024, 10, 4, 0, 0, 0, 0, time.UTC)

// Day adds n events over the first five minutes of day number d, counted from FirstDay, and commits them.
func (w *Writer) Day(ctx context.Context, d, n int) error {
	if err := w.Prepare(ctx, d, n); err != nil {
		return err
	}
	_, err := w.Commit(ctx)
	return err
}

// Prepare is Day without the commit.
func (w *Writer) Prepare(ctx context.Context, d, n int) error {
	at := FirstDay.AddDate(0, 0, d)
	chat, err := NewChat(at, float64(n)/300, uint64(d))
	if err != nil {
		return err
	}
	if err = w.Add(ctx, at, chat.Next(n)...); err != nil {
		return err
	}
	return w.Checkpoint(ctx)
}

// Twin gives another committer of what w has checkpointed and not committed, over the same table opened again. It may only
// commit, once.
func (w *Writer) Twin(t *lake.Table) *Writer {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	return &Writer{Table: t, log: &chunkLog{topicID: w.log.topicID, records: slices.Clone(w.log.records)}}
}

// Chat makes events of generated chat, in the order of their times, none of them late, repeated or refused.
type Chat struct {
	gen *generator.Generator
}

// NewChat begins chat at a time, with a number of events a second.
func NewChat(start time.Time, rate float64, seed uint64) (*Chat, error) {
	o := generator.Defaults()
	o.Events, o.Late, o.Duplicates, o.Bad = 0, 0, 0, 0
	o.Start, o.Rate, o.Seed = start, rate, seed
	g, err := generator.New(o)
	if err != nil {
		return nil, err
	}
	return &Chat{gen: g}, nil
}

// Next gives the next n events as documents.
func (c *Chat) Next(n int) [][]byte {
	docs := make([][]byte, n)
	for i := range docs {
		docs[i], _, _ = c.gen.Next(nil)
	}
	return docs
}
