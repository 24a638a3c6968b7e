package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// PositionAtEnd gives the position that the table will have when everything that is in topic `chunks` now is
// committed: where a worker must start that finds no offset, or an older one, in its group. Errors are the committer's,
// because what stops it must stop a worker too.
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
	opts := append([]kgo.Opt{}, client...)
	cl, err := kgo.NewClient(append(opts,
		// Markers are kept: only they tell that the end was reached, where what stands before it was aborted.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{chunks: {0: kgo.NewOffset().At(pos.Chunks.Next)}}))...)
	if err != nil {
		return Position{}, err
	}
	defer cl.Close()
	for pos.Chunks.Next < end {
		if err := stepAhead(ctx, cl, &pos, sources); err != nil {
			return Position{}, err
		}
	}
	return pos, nil
}

// endOf gives the ids of the topic and its last stable offset.
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
	ends, err := kadm.NewClient(cl).ListCommittedOffsets(ctx, chunks)
	if err == nil {
		err = ends.Error()
	}
	end, _ := ends.Lookup(chunks, 0)
	return id, end.Offset, err
}

// stepAhead polls once and applies what came.
func stepAhead(ctx context.Context, cl *kgo.Client, pos *Position, sources []Source) error {
	fetches := cl.PollFetches(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := fetches.Err(); err != nil {
		if errors.Is(err, kerr.OffsetOutOfRange) {
			return fmt.Errorf("%w: %w", ErrLostRecords, err)
		}
		return err
	}
	for it := fetches.RecordIter(); !it.Done(); {
		rec := it.Next()
		if !rec.Attrs.IsControl() {
			cp, err := Decode(rec.Value)
			if err == nil {
				_, err = pos.Apply(cp, sources)
			}
			if err != nil {
				return fmt.Errorf("offset %d: %w", rec.Offset, err)
			}
		}
		pos.Chunks.Next = rec.Offset + 1
	}
	return nil
}
