package kafkalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// ErrHangs says that a transaction is open for good, and could not be ended.
var ErrHangs = errors.New("a transaction hangs")

// CompleteDecided ends transactions that are open in a partition of the topics although their coordinator has ended them,
// as the coordinator has decided, and gives those it ended. It asks which of them it may.
//
// Apache Kafka 4.3 takes a partition whose leader is away at that moment for a deleted one, does not write the marker
// there, and calls the transaction complete (KAFKA-20734): a restart of a broker is enough. Readers of committed records,
// and whoever asks for offsets that were committed in it, then wait for ever.
//
// A transaction is taken for one of these if it is open, its coordinator then says that it is complete, and it is open
// after that too. Complete means that every marker was written that will ever be. The coordinator's epoch of the producer
// must be the next after the transaction's, as it is with brokers of 4.0 or later and clients of theirs: a transaction
// whose decision is forgotten, or of which that cannot be told, is left alone. It takes the right to alter the cluster.
func CompleteDecided(ctx context.Context, adm *kadm.Client, which func(OpenTransaction) bool, topics ...string) ([]OpenTransaction, error) {
	var hanging []OpenTransaction
	open, err := OpenTransactions(ctx, adm, topics...)
	for _, o := range open {
		if _, decided := o.decision(); decided && which(o) {
			hanging = append(hanging, o)
		}
	}
	if err != nil || len(hanging) == 0 {
		return nil, err
	}
	if hanging, err = stillOpen(ctx, adm, hanging, topics); err != nil {
		return nil, err
	}
	for i, o := range hanging {
		commit, _ := o.decision()
		if err := o.mark(ctx, adm, o.decidedEpoch, commit); err != nil {
			return hanging[:i], err
		}
	}
	return hanging, nil
}

// AbortForgotten aborts what earlier epochs of a producer have left open in the topics, and gives it. The caller has the
// present epoch from InitProducerID, after which the coordinator knows of nothing earlier that is not complete.
func AbortForgotten(ctx context.Context, adm *kadm.Client, producer int64, epoch int16, topics ...string) ([]OpenTransaction, error) {
	open, err := OpenTransactions(ctx, adm, topics...)
	if err != nil {
		return nil, err
	}
	var aborted []OpenTransaction
	for _, o := range open {
		if o.ProducerID == producer && o.ProducerEpoch < epoch {
			if err := o.mark(ctx, adm, epoch, false); err != nil {
				return aborted, err
			}
			aborted = append(aborted, o)
		}
	}
	return aborted, nil
}

// decision is what the coordinator has decided; false if it has not, or if it cannot be told.
func (o OpenTransaction) decision() (commit, decided bool) {
	if o.decidedEpoch != o.ProducerEpoch+1 {
		return false, false
	}
	switch o.State {
	case "CompleteCommit":
		return true, true
	case "CompleteAbort":
		return false, true
	}
	return false, false
}

// stillOpen looks again and gives those that have not changed.
func stillOpen(ctx context.Context, adm *kadm.Client, seen []OpenTransaction, topics []string) ([]OpenTransaction, error) {
	type key struct {
		topic     string
		partition int32
		producer  int64
		epoch     int16
		first     int64
	}
	of := func(o OpenTransaction) key { return key{o.Topic, o.Partition, o.ProducerID, o.ProducerEpoch, o.First} }
	now, err := OpenTransactions(ctx, adm, topics...)
	if err != nil {
		return nil, err
	}
	open := map[key]bool{}
	for _, o := range now {
		open[of(o)] = true
	}
	var still []OpenTransaction
	for _, o := range seen {
		if open[of(o)] {
			still = append(still, o)
		}
	}
	return still, nil
}

// mark writes the marker that ends it.
func (o OpenTransaction) mark(ctx context.Context, adm *kadm.Client, epoch int16, commit bool) error {
	set := kadm.TopicsSet{}
	set.Add(o.Topic, o.Partition)
	answers, err := adm.WriteTxnMarkers(ctx, kadm.TxnMarkers{
		ProducerID: o.ProducerID, ProducerEpoch: epoch, Commit: commit, CoordinatorEpoch: max(o.coordinatorEpoch, 0), Topics: set,
	})
	answers.EachPartition(func(p kadm.TxnMarkersPartitionResponse) { err = errors.Join(err, p.Err) })
	if err != nil {
		return fmt.Errorf("%w: %s: %w; an administrator can abort it: %s", ErrHangs, o, err, o.EndCommand("BROKER"))
	}
	return nil
}
