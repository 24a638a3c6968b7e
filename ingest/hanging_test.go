package ingest_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/ingest"
)

// A broker that forgets to end a transaction in a partition holds up everybody who reads there. What its coordinator has
// decided of the group's own is completed, while the membership lasts; others' are left alone.
func TestATransactionThatTheBrokerLeftOpenIsCompleted(t *testing.T) {
	for id, want := range map[string]bool{stallGroup + "-another": true, "somebody": false} {
		t.Run(id, func(t *testing.T) {
			s := newStall(t)
			s.transactions = true
			left := s.leaveOpen(id)
			cfg := s.config(stallGroup+"-w", s.hoarder())
			cfg.Hanging, cfg.TransactionTopics = 50*time.Millisecond, []string{stallLog}
			run(t, cfg)
			s.produce(0, 10)
			s.eventually(func() error { return s.book.reached(10) })
			if left.over() {
				t.Fatal("a transaction that is at work was ended")
			}
			left.decide("CompleteAbort")
			if !want {
				time.Sleep(10 * cfg.Hanging)
				if left.over() {
					t.Error("another's transaction was ended")
				}
				return
			}
			s.eventually(func() error {
				if !left.over() {
					return errors.New("still open")
				}
				return nil
			})
		})
	}
}

// The next transaction does not begin before the last one is over: it would take the last one's records with it.
func TestTheNextTransactionWaitsForTheLast(t *testing.T) {
	s := newStall(t)
	s.transactions = true
	cfg := s.config(stallGroup+"-w", s.hoarder())
	cfg.TransactionTopics, cfg.TransactionTimeout, cfg.Backoff = []string{stallLog}, 600*time.Millisecond, time.Millisecond
	worker := run(t, cfg)
	s.produce(0, 10)
	s.eventually(func() error { return s.book.reached(10) })
	listed, err := kadm.NewClient(s.client).ListTransactions(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.leaveOpen("somebody") // so that it is looked at who has something open
	var stuck atomic.Bool
	stuck.Store(true)
	s.cluster.ControlKey(int16(kmsg.DescribeProducers), func(req kmsg.Request) (kmsg.Response, error, bool) {
		s.cluster.KeepControl()
		if !stuck.Load() {
			return nil, nil, false
		}
		producer := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		producer.ProducerID, producer.ProducerEpoch, producer.CurrentTxnStartOffset = listed[cfg.TransactionalID].ProducerID, 1000, 0
		partition := kmsg.NewDescribeProducersResponseTopicPartition()
		partition.ActiveProducers = append(partition.ActiveProducers, producer)
		topic := kmsg.NewDescribeProducersResponseTopic()
		topic.Topic, topic.Partitions = stallLog, append(topic.Partitions, partition)
		resp := req.ResponseKind().(*kmsg.DescribeProducersResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	s.produce(10, 10)
	s.eventually(func() error {
		if worker.Stats().Rewinds == 0 {
			return errors.New("no rewind")
		}
		return nil
	})
	if s.book.reached(11) == nil {
		t.Error("committed while the last transaction was open")
	}
	stuck.Store(false)
	s.eventually(func() error { return s.book.reached(20) })
}

// In a new cluster nobody knows for a moment who coordinates transactions: that is waited for, and nothing begins again.
func TestANewClusterIsWaitedFor(t *testing.T) {
	s := newStall(t)
	s.transactions = true
	var asked atomic.Int32
	s.cluster.ControlKey(int16(kmsg.DescribeTransactions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		s.cluster.KeepControl()
		if asked.Add(1) > 5 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
		for _, id := range req.(*kmsg.DescribeTransactionsRequest).TransactionalIDs {
			one := kmsg.NewDescribeTransactionsResponseTransactionState()
			one.TransactionalID, one.ErrorCode = id, kerr.CoordinatorNotAvailable.Code
			resp.TransactionStates = append(resp.TransactionStates, one)
		}
		return resp, nil, true
	})
	s.produce(0, 10)
	worker := run(t, s.config(stallGroup+"-w", s.hoarder()))
	s.eventually(func() error { return s.book.reached(10) })
	if n := worker.Stats().Rewinds; n != 0 || asked.Load() <= 5 {
		t.Errorf("%d rewinds, %d questions", n, asked.Load())
	}
}

// Java's hash of the group's name says where its offsets are.
func TestGroupPartition(t *testing.T) {
	for group, want := range map[string]int32{"coldstream-cold": 1, "": 0, "grüße-😀": 27} {
		if got := ingest.GroupPartition(group, 50); got != want {
			t.Errorf("%q: %d, want %d", group, got, want)
		}
	}
}

// leftOpen is a transaction that is open in the log of checkpoints.
type leftOpen struct {
	s     *stall
	id    string
	pid   int64
	epoch int16
}

func (s *stall) leaveOpen(id string) *leftOpen {
	s.t.Helper()
	producer, err := kgo.NewClient(kgo.SeedBrokers(s.cluster.ListenAddrs()...), kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(producer.Close)
	l := &leftOpen{s: s, id: id}
	l.pid, l.epoch, err = producer.ProducerID(s.t.Context())
	err = errors.Join(err, producer.BeginTransaction(), producer.ProduceSync(s.t.Context(), &kgo.Record{Topic: stallLog, Value: []byte("open")}).FirstErr())
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// over says whether everything in the log of checkpoints is decided.
func (l *leftOpen) over() bool {
	admin := kadm.NewClient(l.s.client)
	stable, err := admin.ListCommittedOffsets(l.s.t.Context(), stallLog)
	ends, err2 := admin.ListEndOffsets(l.s.t.Context(), stallLog)
	if err = errors.Join(err, err2); err != nil {
		l.s.t.Fatal(err)
	}
	at, _ := stable.Lookup(stallLog, 0)
	end, _ := ends.Lookup(stallLog, 0)
	return at.Offset == end.Offset
}

// decide makes the coordinator say that it has completed the transaction.
func (l *leftOpen) decide(state string) {
	l.s.cluster.ControlKey(int16(kmsg.DescribeTransactions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		l.s.cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
		for _, id := range req.(*kmsg.DescribeTransactionsRequest).TransactionalIDs {
			if id != l.id {
				return nil, nil, false
			}
			one := kmsg.NewDescribeTransactionsResponseTransactionState()
			one.TransactionalID, one.ProducerID, one.State, one.ProducerEpoch = id, l.pid, state, l.epoch+1
			resp.TransactionStates = append(resp.TransactionStates, one)
		}
		return resp, nil, true
	})
}
