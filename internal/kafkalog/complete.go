package kafkalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ErrHangs says that a transaction is open for good, and could not be ended.
var ErrHangs = errors.New("a transaction hangs")

// transactionVersion is that of brokers of 4.0 and later, with which every transaction has an epoch of its own: without it
// a decision cannot be tied to a transaction, nor a marker be kept from the next one.
const transactionVersion = 2

// CompleteDecided ends transactions that are open in partitions although their coordinator has ended them, as the
// coordinator has decided, and gives those it ended. It asks which of them it may.
//
// Apache Kafka 4.3 takes a partition whose leader is away at that moment for a deleted one, does not write the marker
// there, and calls the transaction complete (KAFKA-20734): a restart of a broker is enough. Readers of committed records,
// and whoever asks for offsets that were committed in it, then wait for ever.
//
// A transaction is taken for one of these if it is open, its coordinator then says that it is complete under the epoch
// after the transaction's, and it is open after that too. Complete means that every marker was written that will ever be.
// The marker is of transaction version 2: where the producer has gone on to its next transaction meanwhile, or has ended
// that, the partition's leader refuses it. It takes the right to alter the cluster.
func CompleteDecided(ctx context.Context, cl *kgo.Client, which func(OpenTransaction) bool, in kadm.TopicsSet) ([]OpenTransaction, error) {
	adm := kadm.NewClient(cl)
	var hanging []OpenTransaction
	open, err := OpenTransactions(ctx, adm, in)
	for _, o := range open {
		if _, decided := o.decision(); decided && which(o) {
			hanging = append(hanging, o)
		}
	}
	if err != nil || len(hanging) == 0 {
		return nil, err
	}
	if ok, err := strict(ctx, adm); !ok || err != nil {
		return nil, err
	}
	if hanging, err = stillOpen(ctx, adm, hanging, in); err != nil {
		return nil, err
	}
	var done []OpenTransaction
	for _, o := range hanging {
		switch err := o.mark(ctx, cl); {
		case err == nil:
			done = append(done, o)
		case !errors.Is(err, kerr.InvalidProducerEpoch): // else the producer has gone on
			return done, err
		}
	}
	return done, nil
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

// strict says whether all brokers have transactions of their own epochs, and tell a late marker from one that is due.
func strict(ctx context.Context, adm *kadm.Client) (bool, error) {
	brokers, err := adm.ApiVersions(ctx)
	if err != nil {
		return false, fmt.Errorf("versions of the brokers: %w", err)
	}
	ok := len(brokers) > 0
	brokers.Each(func(b kadm.BrokerApiVersions) {
		if b.Err != nil {
			ok = false
			return
		}
		marker, _ := b.KeyMaxVersion(int16(kmsg.WriteTxnMarkers))
		level := int16(0)
		for _, f := range b.Raw().FinalizedFeatures {
			if f.Name == "transaction.version" {
				level = f.MaxVersionLevel
			}
		}
		ok = ok && marker >= 2 && level >= transactionVersion
	})
	return ok, nil
}

// stillOpen looks again and gives those that have not changed.
func stillOpen(ctx context.Context, adm *kadm.Client, seen []OpenTransaction, in kadm.TopicsSet) ([]OpenTransaction, error) {
	type key struct {
		topic     string
		partition int32
		producer  int64
		epoch     int16
		first     int64
	}
	of := func(o OpenTransaction) key { return key{o.Topic, o.Partition, o.ProducerID, o.ProducerEpoch, o.First} }
	now, err := OpenTransactions(ctx, adm, in)
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

// mark writes the marker that was decided.
func (o OpenTransaction) mark(ctx context.Context, cl *kgo.Client) error {
	commit, _ := o.decision()
	topic := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
	topic.Topic, topic.Partitions = o.Topic, []int32{o.Partition}
	marker := kmsg.NewWriteTxnMarkersRequestMarker()
	marker.ProducerID, marker.ProducerEpoch, marker.Committed = o.ProducerID, o.decidedEpoch, commit
	marker.CoordinatorEpoch, marker.TransactionVersion = max(o.coordinatorEpoch, 0), transactionVersion
	marker.Topics = append(marker.Topics, topic)
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.Markers = append(req.Markers, marker)
	resp, err := req.RequestWith(ctx, cl)
	answers := 0
	if err == nil {
		for _, m := range resp.Markers {
			for _, t := range m.Topics {
				for _, p := range t.Partitions {
					answers++
					err = errors.Join(err, kerr.ErrorForCode(p.ErrorCode))
				}
			}
		}
	}
	if err == nil && answers == 0 {
		err = errors.New("the broker says nothing of the marker")
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w; %s", ErrHangs, o, err, o.Advice("BROKER"))
	}
	return nil
}
