package kafkalog

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// OpenTransaction is a transaction that has not ended in a partition. Nobody who reads committed records is given what
// was written there from First on, by whomever.
type OpenTransaction struct {
	Topic     string
	Partition int32
	First     int64 // offset

	ProducerID    int64
	ProducerEpoch int16
	LastWrite     time.Time // of the producer in the partition, by its own clock

	// ID and State are what the transactions' coordinator says of the producer, State being Kafka's word for it. ID is
	// empty if it knows none. A transaction that is over for the coordinator (CompleteCommit, CompleteAbort, Empty) or of
	// which it does not know hangs: nothing ends it in the partition but CompleteDecided or an administrator.
	ID, State string
	Timeout   time.Duration // after which the coordinator aborts it; 0 if it does not know it

	coordinatorEpoch int32 // of the last marker of the producer in the partition; -1: none
	decidedEpoch     int16 // of the producer, at the coordinator
}

// String says it in a sentence's part.
func (o OpenTransaction) String() string {
	of := fmt.Sprintf("producer %d", o.ProducerID)
	if o.ID != "" {
		of += fmt.Sprintf(" (transactional id %s, %s)", o.ID, o.State)
	} else {
		of += " (its coordinator knows of none)"
	}
	return fmt.Sprintf("a transaction of %s is open in %s/%d since offset %d, last written %s", of, o.Topic, o.Partition, o.First, o.LastWrite.UTC().Format(time.RFC3339))
}

// EndCommand is how an administrator aborts it, with Apache Kafka's own tools.
func (o OpenTransaction) EndCommand(broker string) string {
	return fmt.Sprintf("kafka-transactions.sh --bootstrap-server %s abort --topic %s --partition %d --start-offset %d", broker, o.Topic, o.Partition, o.First)
}

// OpenTransactions gives the transactions that are open in the topics, by topic, partition and producer. One that is at
// work is among them.
func OpenTransactions(ctx context.Context, adm *kadm.Client, topics ...string) ([]OpenTransaction, error) {
	set := kadm.TopicsSet{}
	for _, t := range topics {
		set.Add(t)
	}
	described, err := adm.DescribeProducers(ctx, set)
	if err != nil {
		return nil, fmt.Errorf("producers of %v: %w", topics, err)
	}
	var open []OpenTransaction
	for _, p := range described.SortedPartitions() {
		if p.Err != nil {
			return nil, fmt.Errorf("producers of %s/%d: %w", p.Topic, p.Partition, p.Err)
		}
		for _, d := range p.ActiveProducers.Sorted() {
			if d.CurrentTxnStartOffset >= 0 {
				open = append(open, OpenTransaction{
					Topic: d.Topic, Partition: d.Partition, First: d.CurrentTxnStartOffset,
					ProducerID: d.ProducerID, ProducerEpoch: d.ProducerEpoch, LastWrite: time.UnixMilli(d.LastTimestamp),
					coordinatorEpoch: d.CoordinatorEpoch,
				})
			}
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	return open, coordinators(ctx, adm, open)
}

// coordinators asks what is known of the producers of transactions, and notes it there.
func coordinators(ctx context.Context, adm *kadm.Client, open []OpenTransaction) error {
	pids := make([]int64, len(open))
	for i, o := range open {
		pids[i] = o.ProducerID
	}
	listed, err := adm.ListTransactions(ctx, pids, nil)
	if err != nil {
		return fmt.Errorf("transactions of producers %v: %w", pids, err)
	}
	if len(listed) == 0 {
		return nil
	}
	known, err := adm.DescribeTransactions(ctx, listed.TransactionalIDs()...)
	if err != nil {
		return fmt.Errorf("transactions of producers %v: %w", pids, err)
	}
	for i := range open {
		for _, t := range known {
			if o := &open[i]; t.ProducerID == o.ProducerID && t.Err == nil {
				o.ID, o.State, o.Timeout, o.decidedEpoch = t.TxnID, t.State, time.Duration(t.TimeoutMillis)*time.Millisecond, t.ProducerEpoch
			}
		}
	}
	return nil
}
