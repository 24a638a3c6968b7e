package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/coldstream/coldstream/internal/kafkalog"
	"github.com/coldstream/coldstream/schemas"
)

const (
	// offsetsTopic is where Kafka keeps what groups commit.
	offsetsTopic = "__consumer_offsets"
	// endTransactions times a transaction's bound is how long a membership waits for its producer id.
	endTransactions = 4
	// decisionEvery is the pause between two questions of whether a transaction is over.
	decisionEvery = 50 * time.Millisecond
	// staleAfter its last write a transaction that nobody will end is told of.
	staleAfter = time.Minute
)

// endPrevious takes the producer id, which ends a transaction that a process before this one left open. Its records would
// be waited for otherwise, as long as the broker lets a transaction live.
//
// A coordinator that cannot end it answers "not now" for ever, and the client would ask for ever; a new membership asks
// after a while. What was decided is forgotten with the next producer id, so before that the last transaction is brought
// to its end, everywhere.
func (s *session) endPrevious(ctx context.Context, client *kgo.Client) error {
	if s.cfg.TransactionalID == "" || s.begun {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, endTransactions*s.cfg.TransactionTimeout)
	defer cancel()
	err := s.finishTransaction(ctx, client)
	for again(ctx, err) { // of a new cluster, or after a broker's start, nobody knows for a moment who coordinates what
		wait(ctx, decisionEvery)
		err = s.finishTransaction(ctx, client)
	}
	if err == nil || unanswerable(err) {
		_, _, err = client.ProducerID(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: producer id of %s: %w", schemas.ErrRewind, s.cfg.TransactionalID, err)
	}
	s.begun = true
	return nil
}

// again says whether an error may pass within the time that there is.
func again(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() == nil && kerr.IsRetriable(err)
}

// finishTransaction has the coordinator abort our last transaction if it is open, waits until it has completed it, and
// completes it where that was forgotten.
func (s *session) finishTransaction(ctx context.Context, client *kgo.Client) error {
	admin := kadm.NewClient(client)
	for ; ; wait(ctx, decisionEvery) {
		described, err := admin.DescribeTransactions(ctx, s.cfg.TransactionalID)
		last := described[s.cfg.TransactionalID]
		switch err = errors.Join(err, last.Err); {
		case errors.Is(err, kerr.TransactionalIDNotFound):
			return s.completeHanging(ctx, client)
		case err != nil:
			return fmt.Errorf("state of its last transaction: %w", err)
		case last.State == "Ongoing":
			if err := s.fence(ctx, client); err != nil {
				return err
			}
		case !strings.HasPrefix(last.State, "Prepare"):
			return s.completeHanging(ctx, client)
		}
	}
}

// fence asks for a producer id once, without waiting for it: an open transaction is aborted by that.
func (s *session) fence(ctx context.Context, client *kgo.Client) error {
	req := kmsg.NewInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &s.cfg.TransactionalID, int32(s.cfg.TransactionTimeout.Milliseconds())
	resp, err := req.RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil && !errors.Is(err, kerr.ConcurrentTransactions) && !kerr.IsRetriable(err) {
		return fmt.Errorf("abort its last transaction: %w", err)
	}
	return nil
}

// settled sees to it that our last transaction is over wherever it wrote. What the next one writes there would end with
// it, or it with the next one, if a marker of it is missing.
func (s *session) settled(ctx context.Context) error {
	id, _, err := s.client.ProducerID(ctx)
	for ; err == nil || again(ctx, err); wait(ctx, decisionEvery) {
		var open []kafkalog.OpenTransaction
		open, err = kafkalog.OpenTransactions(ctx, s.admin, s.written(ctx, s.admin))
		last := -1
		for i, o := range open {
			if o.ProducerID == id {
				last = i
			}
		}
		if err == nil && last < 0 {
			return nil
		}
		if err == nil {
			err = s.completeHanging(ctx, s.client)
		}
		if err == nil && ctx.Err() != nil {
			err = fmt.Errorf("%s: %w; %s", open[last], ctx.Err(), open[last].Advice("BROKER"))
		}
	}
	if unanswerable(err) {
		return nil
	}
	return fmt.Errorf("end of the last transaction: %w", err)
}

// watchHanging looks for transactions that the broker has left open, until ctx is done.
func (s *session) watchHanging(ctx context.Context) {
	told := map[string]bool{}
	for {
		wait(ctx, s.cfg.Hanging/2+rand.N(s.cfg.Hanging))
		if ctx.Err() != nil {
			return
		}
		if err := s.completeHanging(ctx, s.client); err == nil {
			s.tellStale(ctx, told)
		}
	}
}

// tellStale warns once of each transaction that nobody will end, in what we read and what we write.
func (s *session) tellStale(ctx context.Context, told map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.TransactionTimeout)
	defer cancel()
	open, err := kafkalog.OpenTransactions(ctx, s.admin, kafkalog.Topics(slices.Concat(s.cfg.TransactionTopics, s.cfg.Topics)...))
	if err != nil {
		return // completeHanging will meet it
	}
	for _, o := range open {
		if key := fmt.Sprint(o.Topic, o.Partition, o.ProducerID, o.First); !o.Unfinished() && time.Since(o.LastWrite) > staleAfter && !told[key] {
			told[key] = true
			s.cfg.Logger.Warn("nobody reads on behind a transaction that is not ended", "group", s.cfg.Group, "transaction", o.String(), "advice", o.Advice("BROKER"))
		}
	}
}

// completeHanging completes the group's transactions that are decided and not over where they write and where its offsets
// are, so that nobody waits for them for ever.
func (s *session) completeHanging(ctx context.Context, client *kgo.Client) error {
	if s.cfg.TransactionalID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.TransactionTimeout)
	defer cancel()
	ours := func(o kafkalog.OpenTransaction) bool { return strings.HasPrefix(o.ID, s.cfg.Group+"-") }
	done, err := kafkalog.CompleteDecided(ctx, client, ours, s.written(ctx, kadm.NewClient(client)))
	for _, o := range done {
		s.cfg.Logger.Warn("the broker had left a transaction open that was decided; it is completed now", "group", s.cfg.Group, "transaction", o.String())
	}
	switch {
	case errors.Is(err, kafkalog.ErrHangs):
		s.cfg.Logger.Warn("nobody reads on behind a transaction that hangs", "group", s.cfg.Group, "error", err)
	case err != nil && ctx.Err() == nil:
		s.cfg.Logger.Debug("whether transactions hang is not known", "group", s.cfg.Group, "error", err)
	}
	return err
}

// written is where the group's transactions write: its topics, and the partition in which Kafka keeps its offsets.
func (s *session) written(ctx context.Context, admin *kadm.Client) kadm.TopicsSet {
	set := kafkalog.Topics(s.cfg.TransactionTopics...)
	n := int(s.offsetsPartitions.Load())
	if n == 0 {
		if topics, err := admin.ListTopicsWithInternal(ctx, offsetsTopic); err == nil {
			n = len(topics[offsetsTopic].Partitions)
			s.offsetsPartitions.Store(int32(n))
		}
	}
	if n > 0 {
		set.Add(offsetsTopic, groupPartition(s.cfg.Group, n))
	}
	return set
}

// groupPartition is the partition of a group's offsets, of n: by the absolute value of Java's hash of the group's name.
func groupPartition(group string, n int) int32 {
	var hash int32
	for _, unit := range utf16.Encode([]rune(group)) {
		hash = 31*hash + int32(unit)
	}
	return int32(max(int64(hash), -int64(hash)) % (1 << 31) % int64(n)) // the least of all is 0
}

// unanswerable says that the broker does not let us look, or does not know how: it is then done without.
func unanswerable(err error) bool {
	var auth *kadm.AuthError
	for _, e := range []error{kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.UnsupportedVersion} {
		if errors.Is(err, e) {
			return true
		}
	}
	return errors.As(err, &auth) || err != nil && strings.Contains(err.Error(), "broker is too old")
}
