package ingest_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A coordinator that cannot end the transaction before ours says so again and again. The pipeline says it too, and goes on
// when the coordinator does.
func TestTheProducerIDIsNotWaitedForInSilence(t *testing.T) {
	s := newStall(t)
	s.transactions = true
	var stuck atomic.Bool
	stuck.Store(true)
	s.cluster.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		s.cluster.KeepControl()
		if r := req.(*kmsg.InitProducerIDRequest); r.TransactionalID == nil || !stuck.Load() {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.ConcurrentTransactions.Code
		return resp, nil, true
	})
	s.produce(0, 10)
	cfg := s.config("w", s.hoarder())
	cfg.TransactionTimeout, cfg.Backoff = 300*time.Millisecond, time.Millisecond
	worker := run(t, cfg)
	s.eventually(func() error {
		if worker.Stats().Rewinds == 0 {
			return errors.New("no rewind")
		}
		return nil
	})
	if worker.Stats().Commits != 0 {
		t.Error("committed without a producer id")
	}
	stuck.Store(false)
	s.eventually(func() error { return s.book.reached(10) })
}
