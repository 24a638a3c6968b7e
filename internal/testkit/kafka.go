package testkit

import (
	"context"
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/embedded/broker"
)

// envKafka names a real broker, host:port.
const envKafka = "COLDSTREAM_TEST_KAFKA"

var kafka server[*broker.Broker]

// Kafka returns the seed address (host:port) of the broker that this test process shares. Topics and groups are shared
// too: use names of your own, from Topic and Name.
func Kafka(t testing.TB) (seed string) {
	t.Helper()
	if real := os.Getenv(envKafka); real != "" {
		return real
	}
	return kafka.get(t, "kafka", func(dir string) (*broker.Broker, func() error, error) {
		b, err := broker.Start(context.Background(), broker.Config{Dir: dir, Log: quiet()})
		if err != nil {
			return nil, nil, err
		}
		return b, b.Close, nil
	}).Addr()
}

// RealKafka tells whether Kafka is a real broker rather than the embedded one.
func RealKafka() bool { return os.Getenv(envKafka) != "" }

// KafkaClient opens a client of the shared broker that is closed when the test ends.
func KafkaClient(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(Kafka(t))}, opts...)...)
	if err != nil {
		t.Fatalf("testkit: open Kafka client: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

// Topic creates a topic with a fresh name and these settings (nil: defaults) and returns the name.
func Topic(t testing.TB, partitions int32, settings map[string]string) string {
	t.Helper()
	name := Name(t)
	configs := map[string]*string{}
	for key, value := range settings {
		configs[key] = &value
	}
	ctx := t.Context()
	if _, err := kadm.NewClient(KafkaClient(t)).CreateTopic(ctx, partitions, 1, configs, name); err != nil {
		t.Fatalf("testkit: create topic %s: %v", name, err)
	}
	return name
}

// quiet is the servers' log in tests: none, unless COLDSTREAM_TEST_LOG is set.
func quiet() *slog.Logger {
	if os.Getenv("COLDSTREAM_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(io.Discard, nil))
}
