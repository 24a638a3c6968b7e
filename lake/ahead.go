package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/kafkalog"
)

// PositionAtEnd gives the position that the table will have when everything that is in topic `chunks` now is
// committed: where a worker must start that finds no offset, or an older one, in its group. Errors are the committer's,
// because what stops it must stop a worker too. It waits for transactions that are open in `chunks`, until ctx ends.
func (t *Table) PositionAtEnd(ctx context.Context, client []kgo.Opt, chunks string) (Position, error) {
	pos, err := t.readAhead(ctx, client, chunks)
	if err != nil {
		return Position{}, fmt.Errorf("position at the end of %s: %w", chunks, err)
	}
	return pos, nil
}

func (t *Table) readAhead(ctx context.Context, client []kgo.Opt, chunks string) (Position, error) {
	id, end, err := endOf(ctx, client, chunks)
	if err != nil {
		return Position{}, err
	}
	v, err := t.Load(ctx) // after the end is known: what stands before it is from sources that are registered by now
	if err != nil {
		return Position{}, err
	}
	pos, err := NewCommitter(t, id.Cluster, id.Topic, id.TopicID).position(v)
	if err != nil {
		return Position{}, err
	}
	sources, err := v.Sources()
	if err != nil || pos.Chunks.Next >= end {
		return pos, err
	}
	err = eachAhead(ctx, client, chunks, pos.Chunks.Next, end, func(value []byte) error {
		cp, err := Decode(value)
		if err == nil {
			_, err = pos.Apply(cp, sources)
		}
		return err
	})
	pos.Chunks.Next = max(pos.Chunks.Next, end)
	return pos, err
}

// eachAhead gives the committed records of topic `chunks` in [from, end), in order.
func eachAhead(ctx context.Context, client []kgo.Opt, chunks string, from, end int64, take func(value []byte) error) error {
	if from >= end {
		return nil
	}
	opts := append([]kgo.Opt{}, client...)
	cl, err := kgo.NewClient(append(opts,
		// Markers are kept: only they tell that the end was reached, where what stands before it was aborted.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{chunks: {0: kgo.NewOffset().At(from)}}))...)
	if err != nil {
		return err
	}
	defer cl.Close()
	for from < end {
		if from, err = stepAhead(ctx, cl, from, take); err != nil {
			return err
		}
	}
	return nil
}

// settleFirst and settleMost bound the waits for transactions that are open in topic `chunks`; they live for milliseconds.
const (
	settleFirst = 5 * time.Millisecond
	settleMost  = 250 * time.Millisecond
)

// endOf gives the ids of the topic and its end, once everything below it is decided.
//
// The last stable offset alone will not do: a checkpoint whose transaction is committed stands above it as long as its
// marker is on the way, or an older transaction is open. Who begins below such a checkpoint, because the group's offset
// was reset too, makes one that overlaps it, and no committer can go past the two. So it waits for the transactions that
// were open when it asked; the broker ends each after its timeout.
func endOf(ctx context.Context, client []kgo.Opt, chunks string) (Source, int64, error) {
	id, err := IdentifyTopic(ctx, client, chunks)
	if err != nil {
		return Source{}, 0, err
	}
	cl, err := kgo.NewClient(client...)
	if err != nil {
		return Source{}, 0, err
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	end, err := offsetOf(ctx, chunks, admin.ListEndOffsets)
	if err != nil {
		return Source{}, 0, err
	}
	for wait := settleFirst; ; wait = min(2*wait, settleMost) {
		stable, err := offsetOf(ctx, chunks, admin.ListCommittedOffsets)
		if err != nil {
			return Source{}, 0, err
		}
		if stable >= end {
			return id, stable, nil
		}
		if err = pause(ctx, wait); err != nil {
			return Source{}, 0, fmt.Errorf("%s: %w", describeOpen(ctx, admin, chunks, stable), err)
		}
	}
}

// describeTimeout bounds the question of who has a transaction open, when there was too little patience for its end.
const describeTimeout = 5 * time.Second

// describeOpen says what is waited for, and how an administrator ends it.
func describeOpen(ctx context.Context, admin *kadm.Client, chunks string, stable int64) string {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("a transaction is open at offset %d of %s", stable, chunks)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), describeTimeout)
	defer cancel()
	open, err := kafkalog.OpenTransactions(ctx, admin, kafkalog.Topics(chunks))
	if err != nil || len(open) == 0 {
		return fmt.Sprintf("a transaction is open at offset %d of %s, and whose cannot be learnt (%v)", stable, chunks, err)
	}
	oldest := slices.MinFunc(open, func(a, b kafkalog.OpenTransaction) int { return cmp.Compare(a.First, b.First) })
	return fmt.Sprintf("%s, and nothing behind it can be read: %s", oldest, oldest.Advice("BROKER"))
}

// offsetOf gives one offset of partition 0.
func offsetOf(ctx context.Context, topic string, list func(context.Context, ...string) (kadm.ListedOffsets, error)) (int64, error) {
	offsets, err := list(ctx, topic)
	if err == nil {
		err = offsets.Error()
	}
	at, _ := offsets.Lookup(topic, 0)
	return at.Offset, err
}

// stepAhead polls once, gives what came, and says from where to go on.
func stepAhead(ctx context.Context, cl *kgo.Client, from int64, take func(value []byte) error) (int64, error) {
	fetches := cl.PollFetches(ctx)
	if ctx.Err() != nil {
		return from, context.Cause(ctx)
	}
	if err := fetches.Err(); err != nil {
		if errors.Is(err, kerr.OffsetOutOfRange) {
			return from, fmt.Errorf("%w; `coldstream lake accept-gap --chunks` records the loss and goes on: %w", ErrLostRecords, err)
		}
		return from, err
	}
	for it := fetches.RecordIter(); !it.Done(); {
		rec := it.Next()
		if !rec.Attrs.IsControl() {
			if err := take(rec.Value); err != nil {
				return from, fmt.Errorf("offset %d: %w", rec.Offset, err)
			}
		}
		from = rec.Offset + 1
	}
	return from, nil
}
