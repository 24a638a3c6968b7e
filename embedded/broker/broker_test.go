package broker

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// start runs a broker on dir until the test ends.
func start(t *testing.T, dir string) *Broker {
	t.Helper()
	return startWith(t, Config{Dir: dir})
}

func startWith(t *testing.T, cfg Config) *Broker {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	b, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close broker: %v", err)
		}
	})
	return b
}

// client opens a client that is closed with the test.
func client(t *testing.T, b *Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.Addr())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func createTopic(t *testing.T, b *Broker, partitions int32, settings map[string]*string, topic string) {
	t.Helper()
	if _, err := kadm.NewClient(client(t, b)).CreateTopic(t.Context(), partitions, 1, settings, topic); err != nil {
		t.Fatalf("create topic %s: %v", topic, err)
	}
}

func produce(t *testing.T, b *Broker, topic string, values ...string) {
	t.Helper()
	var records []*kgo.Record
	for _, value := range values {
		records = append(records, &kgo.Record{Topic: topic, Value: []byte(value)})
	}
	if err := client(t, b).ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatalf("produce to %s: %v", topic, err)
	}
}

// consume reads n records of a topic from its start.
func consume(t *testing.T, b *Broker, topic string, n int, opts ...kgo.Opt) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c := client(t, b, append([]kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}, opts...)...)
	var records []*kgo.Record
	for len(records) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("consume %s: %v after %d of %d records", topic, err, len(records), n)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

func TestRecordsSurviveAnOrderlyRestart(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir)
	createTopic(t, b, 1, nil, "events")
	produce(t, b, "events", "one", "two")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir)
	records := consume(t, again, "events", 2)
	if string(records[0].Value) != "one" || string(records[1].Value) != "two" {
		t.Fatalf("got %q, %q", records[0].Value, records[1].Value)
	}
}
