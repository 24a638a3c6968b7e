package kafkalog_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/kafkalog"
	"github.com/coldstream/coldstream/internal/testkit"
)

// A transaction is named with its producer, its id and where it begins, as long as it is open.
func TestOpenTransactions(t *testing.T) {
	topic, other := testkit.Topic(t, 2, nil), testkit.Topic(t, 1, nil)
	adm := kadm.NewClient(testkit.KafkaClient(t))
	plain := testkit.KafkaClient(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, plain.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: 1, Value: []byte("before")}).FirstErr())
	open, err := kafkalog.OpenTransactions(t.Context(), adm, kafkalog.Topics(topic, other))
	require.NoError(t, err)
	require.Empty(t, open)

	id := testkit.Name(t)
	producer := testkit.KafkaClient(t, kgo.TransactionalID(id), kgo.TransactionTimeout(40*time.Second), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, producer.BeginTransaction())
	began := time.Now()
	require.NoError(t, producer.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: 1, Value: []byte("open")}).FirstErr())
	open, err = kafkalog.OpenTransactions(t.Context(), adm, kafkalog.Topics(topic, other))
	require.NoError(t, err)
	require.Len(t, open, 1)
	pid, epoch, err := producer.ProducerID(t.Context())
	require.NoError(t, err)
	got := open[0]
	require.WithinDuration(t, began, got.LastWrite, 10*time.Second)
	require.Equal(t, []any{topic, int32(1), int64(1), pid, epoch, id, "Ongoing", 40 * time.Second},
		[]any{got.Topic, got.Partition, got.First, got.ProducerID, got.ProducerEpoch, got.ID, got.State, got.Timeout})
	require.True(t, got.Unfinished())
	require.Contains(t, got.Advice("b:1"), "within 40s")
	got.State = "Empty"
	require.Contains(t, got.Advice("b:1"), "--bootstrap-server b:1 abort --topic "+topic+" --partition 1 --start-offset 1")
	only := kadm.TopicsSet{}
	only.Add(topic, 0)
	open, err = kafkalog.OpenTransactions(t.Context(), adm, only)
	require.NoError(t, err)
	require.Empty(t, open, "in another partition")
	open, err = kafkalog.OpenTransactions(t.Context(), adm, kafkalog.Topics("nowhere"))
	require.NoError(t, err)
	require.Empty(t, open)

	require.NoError(t, producer.EndTransaction(t.Context(), kgo.TryAbort))
	testkit.Eventually(t, 10*time.Second, func() error { // markers follow the answer
		open, err = kafkalog.OpenTransactions(t.Context(), adm, kafkalog.Topics(topic))
		if err == nil && len(open) > 0 {
			return fmt.Errorf("still open: %s", open[0])
		}
		return err
	})
}
