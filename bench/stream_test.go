package bench_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coldstream/coldstream/ingest/generator"
	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/internal/testkit"
)

// stream is the topic that all benchmarks of the process read: filled once, read each time by a fresh group.
var stream struct {
	once  sync.Once
	topic string
	contents
}

// contents is what a topic was filled with.
type contents struct {
	generator.Stats
	Bytes int64 `json:"bytes"` // of the records' values
}

// preload makes the topic.
func preload(b *testing.B) {
	b.Helper()
	startBroker(b)
	stream.once.Do(func() {
		topic := testkit.Topic(b, partitions, map[string]string{"retention.ms": "-1"})
		cmd, err := newChild(roleFill, topic)
		if err != nil {
			b.Fatal(err)
		}
		out, err := cmd.Output()
		if err != nil {
			b.Fatalf("bench: fill topic: %v", err)
		}
		if err := json.Unmarshal(out, &stream.contents); err != nil {
			b.Fatalf("bench: %q: %v", out, err)
		}
		stream.topic = topic
	})
	if stream.topic == "" {
		b.Fatal("bench: the topic could not be filled")
	}
}

// fill publishes events with the shares of edits, repeats and bad records that `coldstream generate` has.
func fill(ctx context.Context, broker, topic string) (made contents, err error) {
	options := generator.Defaults()
	options.Events, options.Start = events, time.Now().Add(-24*time.Hour)
	gen, err := generator.New(options)
	if err != nil {
		return made, err
	}
	out, err := producer.New(producer.Config{Brokers: []string{broker}, Topic: topic})
	if err != nil {
		return made, err
	}
	var buf []byte
	for {
		value, key, kind := gen.Next(buf[:0])
		if kind == generator.End {
			break
		}
		buf = value
		made.Bytes += int64(len(value))
		if err := out.PublishRaw(ctx, slices.Clone(key), slices.Clone(value)); err != nil {
			return made, err
		}
	}
	made.Stats = gen.Stats()
	return made, out.Close(ctx)
}
