package broker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/internal/testkit"
)

// worker is the smallest consumer that checkpoints as the cold pipeline does: on the plain client, one transaction
// with a record to `out` and the source offsets named explicitly, under the lock that rebalance callbacks take too.
type worker struct {
	in, out, group, txid string
	client               *kgo.Client
	inID                 [16]byte

	mu      sync.Mutex
	next    map[int32]int64 // buffered, not checkpointed: next offset per partition
	revokes []error         // outcome of each checkpoint inside a revoke
}

// openWorker joins group on in. It leaves when the test ends.
func openWorker(t *testing.T, in, out, group, txid string) *worker {
	t.Helper()
	w := &worker{in: in, out: out, group: group, txid: txid, next: map[int32]int64{}}
	w.client = testkit.KafkaClient(t,
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(in), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.TransactionalID(txid), kgo.TransactionTimeout(15*time.Second),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.DisableAutoCommit(),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.OnPartitionsRevoked(w.onRevoked), kgo.OnPartitionsLost(w.onLost))
	topics, err := kadm.NewClient(w.client).ListTopics(t.Context(), in)
	if err != nil {
		t.Fatalf("list topic %s: %v", in, err)
	}
	w.inID = topics[in].ID
	return w
}

func (w *worker) onRevoked(ctx context.Context, _ *kgo.Client, revoked map[string][]int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.next) > 0 {
		w.revokes = append(w.revokes, w.checkpoint(ctx))
	}
	w.drop(revoked)
}

func (w *worker) onLost(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(lost)
}

func (w *worker) drop(partitions map[string][]int32) {
	for _, partition := range partitions[w.in] {
		delete(w.next, partition)
	}
}

// poll buffers what arrives within d and returns the number of records.
func (w *worker) poll(ctx context.Context, d time.Duration) int {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	fetches := w.client.PollFetches(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	fetches.EachRecord(func(r *kgo.Record) { w.next[r.Partition] = r.Offset + 1 })
	return fetches.NumRecords()
}

// pollUntil buffers until it has n records.
func (w *worker) pollUntil(t *testing.T, n int) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, func() error {
		if n -= w.poll(t.Context(), time.Second); n > 0 {
			return fmt.Errorf("worker %s still wants %d records", w.txid, n)
		}
		return nil
	})
}

// Checkpoint commits what is buffered.
func (w *worker) Checkpoint(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.checkpoint(ctx)
}

// checkpoint is one transaction; the caller holds the lock. A failed one is aborted.
func (w *worker) checkpoint(ctx context.Context) (err error) {
	if err := w.client.BeginTransaction(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if err != nil {
			_ = w.client.EndTransaction(context.Background(), kgo.TryAbort)
		}
	}()
	record := &kgo.Record{Topic: w.out, Key: []byte(w.txid), Value: fmt.Append(nil, w.next)}
	if err := w.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	if err := w.commitOffsets(ctx); err != nil {
		return err
	}
	if err := w.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	w.next = map[int32]int64{}
	return nil
}

// commitOffsets adds the buffered positions to the open transaction.
func (w *worker) commitOffsets(ctx context.Context) error {
	pid, epoch, err := w.client.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("producer id: %w", err)
	}
	add := kmsg.NewAddOffsetsToTxnRequest()
	add.TransactionalID, add.Group, add.ProducerID, add.ProducerEpoch = w.txid, w.group, pid, epoch
	added, err := add.RequestWith(ctx, w.client)
	if err == nil {
		err = kerr.ErrorForCode(added.ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("add offsets: %w", err)
	}
	member, generation := w.client.GroupMetadata()
	return w.txnOffsetCommit(ctx, pid, epoch, member, generation)
}

func (w *worker) txnOffsetCommit(ctx context.Context, pid int64, epoch int16, member string, generation int32) error {
	req := kmsg.NewTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = w.txid, w.group, pid, epoch
	req.MemberID, req.Generation = member, generation
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic, topic.TopicID = w.in, w.inID // from version 6 on, topics go by id
	for partition, next := range w.next {
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset = partition, next
		topic.Partitions = append(topic.Partitions, p)
	}
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, w.client)
	if err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	var errs []error
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				errs = append(errs, fmt.Errorf("commit offset of partition %d: %w", p.Partition, err))
			}
		}
	}
	return errors.Join(errs...)
}

// fetchStable asks for the group's offsets as RequireStableFetchOffsets does and returns the first error in the answer.
func (w *worker) fetchStable(t *testing.T) error {
	t.Helper()
	topic := kmsg.NewOffsetFetchRequestGroupTopic()
	topic.Topic, topic.TopicID = w.in, w.inID
	for partition := range w.next {
		topic.Partitions = append(topic.Partitions, partition)
	}
	group := kmsg.NewOffsetFetchRequestGroup()
	group.Group, group.Topics = w.group, append(group.Topics, topic)
	req := kmsg.NewOffsetFetchRequest()
	req.RequireStable, req.Groups = true, append(req.Groups, group)
	resp, err := req.RequestWith(t.Context(), w.client)
	if err != nil {
		t.Fatalf("fetch offsets: %v", err)
	}
	var errs []error
	for _, g := range resp.Groups {
		errs = append(errs, kerr.ErrorForCode(g.ErrorCode))
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				errs = append(errs, kerr.ErrorForCode(p.ErrorCode))
			}
		}
	}
	return errors.Join(errs...)
}
