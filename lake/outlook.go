package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// partitionKey names a source partition.
type partitionKey struct {
	cluster, topicID string
	partition        int32
}

func (s *SourcePosition) key() partitionKey { return partitionKey{s.Cluster, s.TopicID, s.Partition} }

// log is what a broker says of one partition.
type log struct{ start, stable, end int64 }

// outlook is what topic `chunks` has for a version: what its committer will meet, as if every gap had been accepted.
type outlook struct {
	end     Position               // the position after all of it
	gaps    map[partitionKey]int64 // where the next checkpoint of a partition starts, if that is behind a gap
	pending map[partitionKey]bool  // partitions of which there is a checkpoint to take
}

// lookAhead reads `chunks` from pos.Chunks.Next to end. What is below the position is passed over, as by a committer.
func lookAhead(ctx context.Context, client []kgo.Opt, chunks string, pos Position, end int64, sources []Source) (*outlook, error) {
	o := &outlook{end: pos.clone(), gaps: map[partitionKey]int64{}, pending: map[partitionKey]bool{}}
	err := eachAhead(ctx, client, chunks, pos.Chunks.Next, end, func(value []byte) error {
		cp, err := Decode(value)
		if err != nil {
			return err
		}
		return o.take(cp, sources)
	})
	return o, err
}

// take applies a checkpoint, past a gap if it stands behind one.
func (o *outlook) take(cp *Checkpoint, sources []Source) error {
	fits, err := o.end.Apply(cp, sources)
	if errors.Is(err, ErrGap) {
		for _, r := range cp.Sources {
			s := o.end.find(r.Cluster, r.TopicID, r.Partition)
			if s == nil || r.From <= s.Next {
				continue
			}
			if s.Next = r.From; !o.pending[s.key()] { // else this gap's turn comes when the one before it is taken
				o.gaps[s.key()] = r.From
			}
		}
		fits, err = o.end.Apply(cp, sources)
	}
	if fits {
		for _, r := range cp.Sources {
			o.pending[partitionKey{r.Cluster, r.TopicID, r.Partition}] = true
		}
	}
	return err
}

// logsOf asks the broker where the partitions of a topic start and end.
func logsOf(ctx context.Context, admin *kadm.Client, topic string) (map[int32]log, error) {
	logs := map[int32]log{}
	for i, list := range []func(context.Context, ...string) (kadm.ListedOffsets, error){
		admin.ListStartOffsets, admin.ListCommittedOffsets, admin.ListEndOffsets,
	} {
		offsets, err := list(ctx, topic)
		if err == nil {
			err = offsets.Error()
		}
		if err != nil {
			return nil, fmt.Errorf("offsets of topic %s: %w", topic, err)
		}
		offsets.Each(func(o kadm.ListedOffset) {
			l := logs[o.Partition]
			*[]*int64{&l.start, &l.stable, &l.end}[i] = o.Offset
			logs[o.Partition] = l
		})
	}
	return logs, nil
}

// settledChunks gives the bounds of topic `chunks`, or ErrPending while a transaction is open in it.
func settledChunks(ctx context.Context, admin *kadm.Client, chunks string) (log, error) {
	logs, err := logsOf(ctx, admin, chunks)
	if err != nil {
		return log{}, err
	}
	l := logs[0]
	if l.stable < l.end {
		return l, fmt.Errorf("topic %s: a worker's transaction is open: %w", chunks, ErrPending)
	}
	return l, nil
}

// committedOf gives the offsets of a topic that a group has committed.
func committedOf(ctx context.Context, admin *kadm.Client, group, topic string) (map[int32]int64, error) {
	resp, err := admin.FetchOffsets(kadm.RequireStable(ctx), group)
	if err == nil {
		err = resp.Error()
	}
	switch {
	case errors.Is(err, kerr.GroupIDNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	at := map[int32]int64{}
	for p, o := range resp[topic] {
		if o.At >= 0 {
			at[p] = o.At
		}
	}
	return at, nil
}

// heldBy says which worker holds each partition of a topic. Error: ErrHeld while the group rebalances.
func heldBy(ctx context.Context, admin *kadm.Client, group, topic string) (map[int32]string, error) {
	groups, err := admin.DescribeGroups(ctx, group)
	if err == nil {
		err = groups[group].Err
	}
	switch {
	case errors.Is(err, kerr.GroupIDNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("describe group %s: %w", group, err)
	}
	g := groups[group]
	switch g.State {
	case "Empty", "Dead":
		return nil, nil
	case "Stable":
	default:
		return nil, fmt.Errorf("group %s is in state %s: %w", group, g.State, ErrHeld)
	}
	held := map[int32]string{}
	for _, m := range g.Members {
		assigned, ok := m.Assigned.AsConsumer()
		if !ok {
			continue
		}
		for _, a := range assigned.Topics {
			if a.Topic != topic {
				continue
			}
			for _, p := range a.Partitions {
				held[p] = m.ClientID + "@" + m.ClientHost
			}
		}
	}
	return held, nil
}
