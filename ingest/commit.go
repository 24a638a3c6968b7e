package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/internal/faults"
	"github.com/coldstream/coldstream/schemas"
)

// ErrFenced says that another process uses this worker's transactional id, or that a transaction outlived its bound.
var ErrFenced = errors.New("transactional producer was fenced")

// maxFences memberships in a row that end fenced mean that another live worker has our id: one of the two must go.
const maxFences = 3

// commitTries is how often a commit is tried when the group's generation changes under it. The partitions are still
// ours: a revoke or a loss waits for Pipeline.mu, and a loss that nobody tells of changes the membership's id.
const commitTries = 5

// commit is the session's CommitFunc. It runs inside a call of the sink's, so under Pipeline.mu.
//
// It heeds ctx's deadline and not its end: a pipeline that stops must not leave a commit of unknown outcome behind, which
// the sink's Close would then try again.
func (s *session) commit(ctx context.Context, ranges []schemas.Range, records ...*kgo.Record) error {
	if (s.cfg.TransactionalID != "") != (len(records) > 0) { // kgo ends no transaction of offsets that we added alone
		return fmt.Errorf("commit of group %s with %d records: a transaction needs one, a plain commit takes none", s.cfg.Group, len(records))
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	var err error
	for try := range commitTries {
		if try > 0 {
			wait(ctx, 100*time.Millisecond)
		}
		if s.cfg.TransactionalID != "" {
			err = s.transact(ctx, ranges, records)
		} else {
			err = s.commitPlain(ctx, ranges)
		}
		if err == nil {
			s.failures, s.fences = 0, 0
			s.stats.commits.Add(1)
			return nil
		}
		if !errors.Is(err, kerr.IllegalGeneration) && !errors.Is(err, kerr.RebalanceInProgress) {
			break
		}
	}
	if errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced) {
		err = fmt.Errorf("%w (id %s): %w", ErrFenced, s.cfg.TransactionalID, err)
	}
	return fmt.Errorf("%w: commit of group %s: %w", schemas.ErrRewind, s.cfg.Group, err)
}

func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(free, deadline)
	}
	return context.WithCancel(free)
}

// transact commits records and offsets as one transaction. A failure aborts it; where even that fails, the next
// membership's producer id does.
func (s *session) transact(ctx context.Context, ranges []schemas.Range, records []*kgo.Record) (err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.TransactionTimeout*2/3)
	defer cancel()
	if err := s.settled(ctx); err != nil {
		return err
	}
	if err := s.client.BeginTransaction(); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	faults.Point(faults.WorkerTxnBegun)
	defer func() {
		if err != nil {
			s.abort()
		}
	}()
	for _, r := range records {
		r.Context = ctx // the client keeps the context of a first try, which is done by the second
	}
	if err := s.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	faults.Point(faults.WorkerProduced)
	if err := s.commitInTransaction(ctx, ranges); err != nil {
		return err
	}
	faults.Point(faults.WorkerTxnOffsets)
	if err := s.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("end transaction: %w", err)
	}
	faults.Point(faults.WorkerTxnEnded)
	return nil
}

func (s *session) abort() {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.TransactionTimeout/3)
	defer cancel()
	if err := s.client.AbortBufferedRecords(ctx); err != nil {
		s.cfg.Logger.Warn("abort of buffered records", "group", s.cfg.Group, "error", err)
	}
	if err := s.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
		s.cfg.Logger.Warn("abort of transaction; the next membership ends it", "group", s.cfg.Group, "error", err)
	}
}

// commitInTransaction adds the group and its offsets to the open transaction. kgo's own GroupTransactSession would
// commit everything polled, also what is not durable yet.
func (s *session) commitInTransaction(ctx context.Context, ranges []schemas.Range) error {
	member, generation, err := s.membership()
	if err != nil {
		return err
	}
	pid, epoch, err := s.client.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("producer id: %w", err)
	}
	add := kmsg.NewAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = s.cfg.TransactionalID, pid, epoch, s.cfg.Group
	added, err := add.RequestWith(ctx, s.client)
	if err == nil {
		err = kerr.ErrorForCode(added.ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("add offsets to transaction: %w", err)
	}
	faults.Point(faults.WorkerTxnAdded)
	req := kmsg.NewTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = s.cfg.TransactionalID, s.cfg.Group, pid, epoch
	req.MemberID, req.Generation = member, generation
	for name, list := range byTopic(ranges) {
		t := kmsg.NewTxnOffsetCommitRequestTopic()
		t.Topic, t.TopicID = name, s.topics[name].id // newer versions name topics by id
		for _, r := range list {
			p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			p.Partition, p.Offset = r.Partition, r.Next
			t.Partitions = append(t.Partitions, p)
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return fmt.Errorf("commit offsets in transaction: %w", err)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("commit offset of partition %d in transaction: %w", p.Partition, err)
			}
		}
	}
	return nil
}

// commitPlain commits offsets without a transaction.
func (s *session) commitPlain(ctx context.Context, ranges []schemas.Range) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.TransactionTimeout*2/3)
	defer cancel()
	member, generation, err := s.membership()
	if err != nil {
		return err
	}
	req := kmsg.NewOffsetCommitRequest()
	req.Group, req.MemberID, req.Generation = s.cfg.Group, member, generation
	for name, list := range byTopic(ranges) {
		t := kmsg.NewOffsetCommitRequestTopic()
		t.Topic, t.TopicID = name, s.topics[name].id
		for _, r := range list {
			p := kmsg.NewOffsetCommitRequestTopicPartition()
			p.Partition, p.Offset = r.Partition, r.Next
			t.Partitions = append(t.Partitions, p)
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("commit offset of partition %d: %w", p.Partition, err)
			}
		}
	}
	return nil
}

func byTopic(ranges []schemas.Range) map[string][]schemas.Range {
	m := map[string][]schemas.Range{}
	for _, r := range ranges {
		m[r.Topic] = append(m[r.Topic], r)
	}
	return m
}
