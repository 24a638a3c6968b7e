package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/kafkalog"
	"github.com/coldstream/coldstream/schemas"
)

// offsetsTopic is where Kafka keeps what groups commit.
const offsetsTopic = "__consumer_offsets"

// endTransactions times a transaction's bound is how long a membership waits for its producer id.
const endTransactions = 4

// decisionEvery is the pause between two questions of whether the coordinator has completed a transaction.
const decisionEvery = 100 * time.Millisecond

// endPrevious takes the producer id, which ends a transaction that a process before this one left open. Its records would
// be waited for otherwise, as long as the broker lets a transaction live.
//
// A coordinator that cannot end it answers "not now" for ever, and the client would ask for ever; a new membership asks
// after a while. Before that, what the broker decided and did not write everywhere is completed, because the decision is
// forgotten with the next producer id; what hangs after it was ours to abort.
func (s *session) endPrevious(ctx context.Context, client *kgo.Client, admin *kadm.Client) error {
	if s.cfg.TransactionalID == "" || s.begun {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, endTransactions*s.cfg.TransactionTimeout)
	defer cancel()
	known := s.awaitDecision(ctx, admin)
	if known == nil {
		known = s.completeHanging(ctx, admin)
	}
	id, epoch, err := client.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("%w: producer id of %s: %w", schemas.ErrRewind, s.cfg.TransactionalID, err)
	}
	if known == nil {
		aborted, err := kafkalog.AbortForgotten(ctx, admin, id, epoch, append(s.transactionTopics(), offsetsTopic)...)
		s.tell("a transaction of ours that was not finished hung, and was aborted", aborted, err)
	}
	s.begun = true
	return nil
}

// awaitDecision waits while the coordinator is completing our last transaction, which is a matter of milliseconds.
func (s *session) awaitDecision(ctx context.Context, admin *kadm.Client) error {
	for ; ; wait(ctx, decisionEvery) {
		described, err := admin.DescribeTransactions(ctx, s.cfg.TransactionalID)
		if err == nil {
			err = described[s.cfg.TransactionalID].Err
		}
		switch {
		case errors.Is(err, kerr.TransactionalIDNotFound):
			return nil
		case err != nil:
			s.tell("", nil, err)
			return err
		case !strings.HasPrefix(described[s.cfg.TransactionalID].State, "Prepare"):
			return nil
		}
	}
}

// watchHanging looks for transactions that the broker has left open, until ctx is done.
func (s *session) watchHanging(ctx context.Context) {
	for {
		wait(ctx, s.cfg.Hanging/2+rand.N(s.cfg.Hanging))
		if ctx.Err() != nil {
			return
		}
		_ = s.completeHanging(ctx, s.admin)
	}
}

// completeHanging completes transactions that are decided and not over where we read and write, and where the group's
// offsets are, so that nobody waits for them for ever. Where the broker does not let us look it tells that at level debug.
func (s *session) completeHanging(ctx context.Context, admin *kadm.Client) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.TransactionTimeout)
	defer cancel()
	all := func(kafkalog.OpenTransaction) bool { return true }
	done, err := kafkalog.CompleteDecided(ctx, admin, all, s.transactionTopics()...)
	if s.cfg.TransactionalID != "" {
		ours := func(o kafkalog.OpenTransaction) bool { return strings.HasPrefix(o.ID, s.cfg.Group+"-") }
		offsets, also := kafkalog.CompleteDecided(ctx, admin, ours, offsetsTopic)
		done, err = append(done, offsets...), errors.Join(err, also)
	}
	s.tell("the broker had left a transaction open that was decided; it is completed now", done, err)
	return err
}

func (s *session) transactionTopics() []string {
	return append(slices.Clone(s.cfg.Topics), s.cfg.TransactionTopics...)
}

// tell logs what was done about hanging transactions, or why nothing could be.
func (s *session) tell(what string, done []kafkalog.OpenTransaction, err error) {
	for _, o := range done {
		s.cfg.Logger.Warn(what, "group", s.cfg.Group, "transaction", o.String())
	}
	switch {
	case errors.Is(err, kafkalog.ErrHangs):
		s.cfg.Logger.Warn("nobody reads on behind a transaction that hangs", "group", s.cfg.Group, "error", err)
	case err != nil && !errors.Is(err, context.Canceled):
		s.cfg.Logger.Debug("whether transactions hang is not known", "group", s.cfg.Group, "error", err)
	}
}
