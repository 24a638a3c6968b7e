package bench_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coldstream/coldstream/ingest/generator"
	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/internal/testkit"
)

// stream is the topic that all benchmarks of the process read: generated once, read each time by a fresh group.
var stream struct {
	once    sync.Once
	topic   string
	records int64 // events, repeats and records that are refused
	bytes   int64 // of their values
}

// preload makes the topic, with the shares of edits, repeats and bad records that `coldstream generate` makes.
func preload(b *testing.B) {
	b.Helper()
	startBroker(b)
	stream.once.Do(func() {
		topic := testkit.Topic(b, partitions, map[string]string{"retention.ms": "-1"})
		publish(b, topic)
		stream.topic = topic
	})
	if stream.topic == "" {
		b.Fatal("bench: the topic could not be filled")
	}
}

func publish(b *testing.B, topic string) {
	b.Helper()
	options := generator.Defaults()
	options.Events, options.Start = events, time.Now().Add(-24*time.Hour)
	made, err := generator.New(options)
	if err != nil {
		b.Fatal(err)
	}
	out, err := producer.New(producer.Config{Brokers: []string{testkit.Kafka(b)}, Topic: topic})
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	for {
		value, key, kind := made.Next(buf[:0])
		if kind == generator.End {
			break
		}
		buf = value
		stream.bytes += int64(len(value))
		if err := out.PublishRaw(b.Context(), slices.Clone(key), slices.Clone(value)); err != nil {
			b.Fatal(err)
		}
	}
	stream.records = made.Stats().Records
	if err := out.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}
