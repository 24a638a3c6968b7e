package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/ingest/generator"
	"github.com/coldstream/coldstream/internal/progress"
)

// Partitions is how many the topics of the programs have.
const Partitions = 4

const (
	toldEvery = 10_000 // records between two reports of how far the filling is
)

// shares is how the channels are spread over the partitions, in tenths: unevenly, as hot channels make them.
var shares = [Partitions]uint32{4, 3, 2, 1}

// begin is the time of the first event: fixed, so that the same number of events is the same bytes.
var begin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// Contents is what a topic was filled with.
type Contents struct {
	generator.Stats
	Bytes int64 `json:"bytes"` // of the values
}

// Topics makes and fills topics; one goroutine may use it at a time.
type Topics struct {
	client *kgo.Client
	large  *kgo.Client // for records that want a batch above the usual bound
	Admin  *kadm.Client
}

const usualBatch = 1_000_000

// OpenTopics connects to a broker, host:port.
func OpenTopics(kafka string) (*Topics, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(kafka), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerBatchMaxBytes(usualBatch), kgo.ProducerLinger(20 * time.Millisecond), kgo.MaxBufferedRecords(200_000),
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	large, err := kgo.NewClient(append(opts, kgo.ProducerBatchMaxBytes(8<<20-4<<10))...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return &Topics{client, large, kadm.NewClient(client)}, nil
}

// Close lets go of the broker.
func (t *Topics) Close() {
	t.client.Close()
	t.large.Close()
}

// Backlog makes the topic of so many events, or finds it.
func (t *Topics) Backlog(ctx context.Context, events int64) (topic string, made Contents, err error) {
	topic = fmt.Sprintf("bench-%d", events)
	note := topic + "-contents"
	if made, err = t.noted(ctx, note); err == nil {
		fmt.Fprintf(os.Stderr, "topic %s has its %d records already\n", topic, made.Records)
		return topic, made, nil
	}
	for _, name := range []string{topic, note} { // what a fill that was cut short has left
		if _, err := t.Admin.DeleteTopic(ctx, name); err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return "", made, fmt.Errorf("delete topic %s: %w", name, err)
		}
	}
	if err := t.Create(ctx, topic, Partitions); err != nil {
		return "", made, err
	}
	bar := progress.New(os.Stderr, progress.Options{Title: "fill " + topic, Total: events})
	defer bar.Done()
	if made, err = t.Fill(ctx, topic, events, func(int64) { bar.Add(toldEvery) }); err != nil {
		return "", made, err
	}
	if err := t.Create(ctx, note, 1); err != nil {
		return "", made, err
	}
	doc, err := json.Marshal(made)
	if err != nil {
		return "", made, err
	}
	return topic, made, t.client.ProduceSync(ctx, &kgo.Record{Topic: note, Value: doc}).FirstErr()
}

// noted reads what a topic was filled with; an error says that it is not there, or not whole.
func (t *Topics) noted(ctx context.Context, note string) (made Contents, err error) {
	ends, err := t.Admin.ListEndOffsets(ctx, note)
	if err != nil {
		return made, err
	}
	if end, ok := ends.Lookup(note, 0); !ok || end.Err != nil || end.Offset != 1 {
		return made, fmt.Errorf("%s: not there", note)
	}
	cl, err := kgo.NewClient(append(t.client.Opts(), kgo.ConsumeTopics(note), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return made, err
	}
	defer cl.Close()
	fetches := cl.PollFetches(ctx)
	if err := fetches.Err(); err != nil {
		return made, err
	}
	return made, json.Unmarshal(fetches.Records()[0].Value, &made)
}

// Create makes a topic that keeps what it is given.
func (t *Topics) Create(ctx context.Context, name string, n int32) error {
	keep, largest, stamp := "-1", "8388608", "LogAppendTime"
	config := map[string]*string{"retention.ms": &keep, "max.message.bytes": &largest, "message.timestamp.type": &stamp}
	for ctx.Err() == nil { // a topic that was just deleted is still there for a moment
		_, err := t.Admin.CreateTopic(ctx, n, 1, config, name)
		if !errors.Is(err, kerr.TopicAlreadyExists) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return ctx.Err()
}

// Fill publishes what `coldstream generate` makes.
func (t *Topics) Fill(ctx context.Context, topic string, events int64, told func(int64)) (made Contents, err error) {
	o := generator.Defaults()
	o.Events, o.Start = events, begin
	gen, err := generator.New(o)
	if err != nil {
		return made, err
	}
	var failed atomic.Pointer[error]
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			failed.CompareAndSwap(nil, &err)
		}
	}
	var buf []byte
	for n := int64(0); failed.Load() == nil; n++ {
		value, key, kind := gen.Next(buf[:0])
		if kind == generator.End {
			break
		}
		buf = value
		made.Bytes += int64(len(value))
		out := t.client
		if len(value) > usualBatch-1<<10 {
			out = t.large
		}
		out.Produce(ctx, &kgo.Record{Topic: topic, Partition: partitionOf(key), Key: slices.Clone(key), Value: slices.Clone(value)}, promise)
		if n%toldEvery == 0 {
			told(n)
		}
	}
	made.Stats = gen.Stats()
	if err := errors.Join(t.client.Flush(ctx), t.large.Flush(ctx)); err != nil {
		return made, err
	}
	if err := failed.Load(); err != nil {
		return made, fmt.Errorf("fill %s: %w", topic, *err)
	}
	return made, nil
}

func partitionOf(key []byte) int32 {
	h := fnv.New32a()
	_, _ = h.Write(key) // it cannot fail
	at := h.Sum32() % 10
	for p, share := range shares {
		if at < share {
			return int32(p)
		}
		at -= share
	}
	return 0
}

// Ends are the last stable offsets.
func (t *Topics) Ends(ctx context.Context, topic string) ([]int64, error) {
	list, err := t.Admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = list.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("end of %s: %w", topic, err)
	}
	out := make([]int64, Partitions)
	for p := range out {
		o, _ := list.Lookup(topic, int32(p))
		out[p] = max(o.Offset, 0)
	}
	return out, nil
}

// Sum adds offsets up.
func Sum(list []int64) (n int64) {
	for _, v := range list {
		n += v
	}
	return n
}
