package testkit

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/embedded/broker"
	"github.com/coldstream/coldstream/ingest/topics"
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
	adm := kadm.NewClient(KafkaClient(t))
	if _, err := adm.CreateTopic(t.Context(), partitions, 1, configs, name); err != nil {
		t.Fatalf("testkit: create topic %s: %v", name, err)
	}
	AwaitTopic(t, adm, name)
	return name
}

// topicTimeout is how long a broker may take to show a topic that it has made.
const topicTimeout = 30 * time.Second

// AwaitTopic returns when the broker shows a topic that it has just made.
func AwaitTopic(t testing.TB, adm *kadm.Client, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), topicTimeout)
	defer cancel()
	if err := topics.Await(ctx, adm, name); err != nil {
		t.Fatalf("testkit: await topic: %v", err)
	}
}

// RemakeTopic deletes a topic and makes it again, with another id.
func RemakeTopic(t testing.TB, adm *kadm.Client, name string, partitions int32) {
	t.Helper()
	gone, err := adm.DeleteTopics(t.Context(), name)
	if err = errors.Join(err, gone.Error()); err != nil {
		t.Fatalf("testkit: delete topic %s: %v", name, err)
	}
	fresh := kadm.WithAuthorizedOps(t.Context()) // past the client's cache
	Eventually(t, topicTimeout, func() error {   // a broker goes on showing the old one for a moment
		have, err := adm.ListTopics(fresh, name)
		if err == nil && have.Has(name) {
			err = errors.New("it is still there")
		}
		return err
	})
	Eventually(t, topicTimeout, func() error {
		_, err := adm.CreateTopic(t.Context(), partitions, 1, nil, name)
		return err
	})
	AwaitTopic(t, adm, name)
}

// quiet is the servers' log in tests: none, unless COLDSTREAM_TEST_LOG is set.
func quiet() *slog.Logger {
	if os.Getenv("COLDSTREAM_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(io.Discard, nil))
}
