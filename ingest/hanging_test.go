package ingest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A broker that forgets to end a transaction in a partition holds up everybody who reads there. What the coordinator has
// decided is completed, at the beginning of a membership and while it lasts.
func TestATransactionThatTheBrokerLeftOpenIsCompleted(t *testing.T) {
	s := newStall(t)
	s.produce(0, 10)
	left := s.leaveOpen()
	s.produce(10, 10)
	cfg := s.config("w", s.hoarder())
	cfg.Hanging = 50 * time.Millisecond
	worker := run(t, cfg)
	s.eventually(func() error { return s.book.reached(10) })
	time.Sleep(200 * time.Millisecond) // looked at, and left alone: it is at work
	if n := worker.Stats().Records; n > 2*10+10 {
		t.Errorf("%d records were read past an open transaction", n)
	}
	left.decide("CompleteAbort")
	s.eventually(func() error { return s.book.reached(20) })
}

// leftOpen is a transaction that is open in partition 0 of the events.
type leftOpen struct {
	s     *stall
	pid   int64
	epoch int16
}

func (s *stall) leaveOpen() *leftOpen {
	s.t.Helper()
	producer, err := kgo.NewClient(kgo.SeedBrokers(s.cluster.ListenAddrs()...), kgo.TransactionalID("somebody"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(producer.Close)
	l := &leftOpen{s: s}
	id, epoch, err := producer.ProducerID(s.t.Context())
	l.pid, l.epoch = id, epoch
	err = errors.Join(err, producer.BeginTransaction(), producer.ProduceSync(s.t.Context(), &kgo.Record{Topic: stallTopic, Value: []byte("open")}).FirstErr())
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// decide makes the coordinator say that it has completed the transaction.
func (l *leftOpen) decide(state string) {
	l.s.cluster.ControlKey(int16(kmsg.DescribeTransactions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		l.s.cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
		for _, id := range req.(*kmsg.DescribeTransactionsRequest).TransactionalIDs {
			if id != "somebody" {
				return nil, nil, false
			}
			one := kmsg.NewDescribeTransactionsResponseTransactionState()
			one.TransactionalID, one.ProducerID, one.State, one.ProducerEpoch = id, l.pid, state, l.epoch+1
			resp.TransactionStates = append(resp.TransactionStates, one)
		}
		return resp, nil, true
	})
}
