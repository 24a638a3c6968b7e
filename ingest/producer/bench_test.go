package producer_test

import (
	"testing"
	"time"

	"github.com/coldstream/coldstream/ingest/generator"
	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/internal/testkit"
)

// BenchmarkPublishRaw publishes generated events of about 320 bytes until the broker has acknowledged them.
func BenchmarkPublishRaw(b *testing.B) {
	o := generator.Defaults()
	o.Events, o.Bad, o.Start = 50_000, 0, time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	g, err := generator.New(o)
	if err != nil {
		b.Fatal(err)
	}
	type record struct{ key, value []byte }
	var records []record
	total := int64(0)
	for {
		value, key, kind := g.Next(nil)
		if kind == generator.End {
			break
		}
		records = append(records, record{key, value})
		total += int64(len(value))
	}
	p := open(b, producer.Config{Brokers: []string{testkit.Kafka(b)}, Topic: testkit.Topic(b, 4, nil)})
	b.SetBytes(total / int64(len(records)))
	i := 0
	for b.Loop() {
		r := records[i%len(records)]
		if err := p.PublishRaw(b.Context(), r.key, r.value); err != nil {
			b.Fatal(err)
		}
		i++
	}
	if err := p.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
