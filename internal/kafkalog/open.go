package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
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
	// empty if it knows none.
	ID, State string
	Timeout   time.Duration // after which the coordinator aborts it; 0 if it does not know it

	coordinatorEpoch int32 // of the last marker of the producer in the partition; -1: none
	decidedEpoch     int16 // of the producer, at the coordinator
}

// Unfinished says that the coordinator has it in hand: it ends it, sooner or later.
func (o OpenTransaction) Unfinished() bool {
	switch o.State {
	case "Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence":
		return true
	}
	return false
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

// Advice is what an administrator can do about it.
func (o OpenTransaction) Advice(broker string) string {
	commit, decided := o.decision()
	switch {
	case decided && commit:
		return "it was committed, and its end was not written here: give a worker's user the right to alter the cluster, and the worker completes it; an abort would lose what it wrote"
	case o.Unfinished():
		return fmt.Sprintf("the broker ends it within %v of its beginning, and its producer sooner", o.Timeout)
	}
	return fmt.Sprintf("if its producer does not run any more, abort it by Kafka's own tool: kafka-transactions.sh --bootstrap-server %s abort --topic %s --partition %d --start-offset %d",
		broker, o.Topic, o.Partition, o.First)
}

// Topics is a set of all partitions of topics.
func Topics(names ...string) kadm.TopicsSet {
	set := kadm.TopicsSet{}
	for _, name := range names {
		set.Add(name)
	}
	return set
}

// OpenTransactions gives the transactions that are open in partitions (no partitions of a topic: all of them), by topic,
// partition and producer. One that is at work is among them. Where everything is decided it costs two small requests.
func OpenTransactions(ctx context.Context, adm *kadm.Client, in kadm.TopicsSet) ([]OpenTransaction, error) {
	undecided, err := undecided(ctx, adm, in)
	if err != nil || len(undecided) == 0 {
		return nil, err
	}
	described, err := adm.DescribeProducers(ctx, undecided)
	if err != nil {
		return nil, fmt.Errorf("producers of %v: %w", undecided, err)
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

// undecided gives the partitions whose last stable offset is below their end. Topics that are not there have none.
func undecided(ctx context.Context, adm *kadm.Client, in kadm.TopicsSet) (kadm.TopicsSet, error) {
	out := kadm.TopicsSet{}
	stable, err := adm.ListCommittedOffsets(ctx, in.Topics()...)
	if err != nil {
		return nil, fmt.Errorf("last stable offsets of %v: %w", in.Topics(), err)
	}
	ends, err := adm.ListEndOffsets(ctx, in.Topics()...)
	if err != nil {
		return nil, fmt.Errorf("ends of %v: %w", in.Topics(), err)
	}
	ends.Each(func(end kadm.ListedOffset) {
		at, _ := stable.Lookup(end.Topic, end.Partition)
		if only := in[end.Topic]; len(only) > 0 {
			if _, ok := only[end.Partition]; !ok {
				return
			}
		}
		switch e := errors.Join(end.Err, at.Err); {
		case errors.Is(e, kerr.UnknownTopicOrPartition):
		case e != nil:
			err = errors.Join(err, fmt.Errorf("offsets of %s/%d: %w", end.Topic, end.Partition, e))
		case at.Offset < end.Offset:
			out.Add(end.Topic, end.Partition)
		}
	})
	return out, err
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
