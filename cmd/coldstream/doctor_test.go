package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/testkit"
)

// A transaction that nobody writes to any more is named, with what ends it; one that is at work is not.
func TestDoctorNamesAnOpenTransaction(t *testing.T) {
	cfg := &config.Config{}
	cfg.Kafka.Brokers = []string{testkit.Kafka(t)}
	cfg.Kafka.Topics.Events, cfg.Kafka.Topics.Chunks = testkit.Topic(t, 2, nil), testkit.Topic(t, 1, nil)
	cfg.Kafka.Topics.DLQ = testkit.Topic(t, 1, nil)
	left := testkit.KafkaClient(t, kgo.TransactionalID(testkit.Name(t)))
	require.NoError(t, left.BeginTransaction())
	require.NoError(t, left.ProduceSync(t.Context(), &kgo.Record{Topic: cfg.Kafka.Topics.Chunks, Value: []byte("x")}).FirstErr())
	_, err := checkTransactions(t.Context(), cfg)
	require.NoError(t, err)
	_, err = transactionsWithin(t.Context(), cfg, -time.Minute) // as if it had been a minute longer
	require.ErrorContains(t, err, "is open in "+cfg.Kafka.Topics.Chunks+"/0 since offset 0")
	require.ErrorContains(t, err, "the broker ends it within")

	require.NoError(t, left.EndTransaction(t.Context(), kgo.TryAbort))
	testkit.Eventually(t, 10*time.Second, func() error { // markers follow the answer
		_, err := transactionsWithin(t.Context(), cfg, -time.Minute)
		return err
	})
}

// Kafka's tools need a file of their own for a secured broker.
func TestToolsAddress(t *testing.T) {
	cfg := &config.Config{}
	cfg.Kafka.Brokers, cfg.Kafka.SASL = []string{"b:9092", "c:9092"}, config.SASLNone
	require.Equal(t, "b:9092", toolsAddress(cfg))
	cfg.Kafka.TLS = true
	require.Equal(t, "b:9092 --command-config FILE", toolsAddress(cfg))
}
