package lake

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// AdoptRequest says what to adopt.
type AdoptRequest struct {
	Client []kgo.Opt // how to reach the brokers
	Chunks string    // topic of checkpoint records
	Group  string    // consumer group of the archive's workers
	Topic  string    // what was made again: a topic of events, or Chunks

	By     string // who adopts, for the record
	DryRun bool   // look, and change nothing
}

// AdoptTopic goes on after a topic was deleted and made again on the same cluster, which everything else refuses with
// ErrForeign. It is one commit, recorded in Version.Gaps.
//
// A topic of events becomes a further source: it gets the next number, and the rows of the old one keep theirs. The
// table has no position of it, so workers begin at the start of its log. The old one's position stays and is retired:
// complete-until does not wait for it any more, though what it had beyond the position was never archived. What the
// workers' group has committed under the topic's name is of the old topic, because no worker starts with one that the
// table does not know; it is deleted first, else the new topic would be read from there.
//
// Topic `chunks` is followed from offset 0 on. Records of the old one that were not committed are lost with it: what they
// covered shows as a gap, which AcceptGap takes. Where the new one has a checkpoint that is partly in the table already,
// it cannot be followed: ErrOverlap.
//
// Errors: ErrNothing if the table knows the topic's id, or never knew a topic of the name; ErrForeign if `chunks` is of
// another cluster, or was made again too (adopt it first); ErrPending while the committer has checkpoints to take;
// ErrHeld while the group has members.
func (t *Table) AdoptTopic(ctx context.Context, r AdoptRequest) (Decision, error) {
	var done Decision
	cl, err := kgo.NewClient(r.Client...)
	if err != nil {
		return done, fmt.Errorf("adopt topic %s: %w", r.Topic, err)
	}
	defer cl.Close()
	a := adoption{r: &r, admin: kadm.NewClient(cl), table: t}
	err = t.onNewest(ctx, "adopt topic "+r.Topic, func(v *Version) (err error) {
		done = Decision{Kind: KindTopic, By: r.By, Topic: r.Topic}
		if r.Topic == r.Chunks {
			return a.chunks(ctx, v, &done)
		}
		return a.source(ctx, v, &done)
	})
	if err != nil {
		return Decision{}, err
	}
	return done, nil
}

type adoption struct {
	r     *AdoptRequest
	admin *kadm.Client
	table *Table
}

// source makes the topic a further source.
func (a *adoption) source(ctx context.Context, v *Version, d *Decision) error {
	id, err := IdentifyTopic(ctx, a.r.Client, a.r.Topic)
	if err != nil {
		return err
	}
	list, err := v.Sources()
	if err != nil {
		return err
	}
	old := sameName(list, id)
	switch _, known, err := v.SourceNumber(id.Cluster, id.TopicID); {
	case err != nil:
		return err
	case known:
		return fmt.Errorf("the table knows its id %s: it was not made again: %w", id.TopicID, ErrNothing)
	case old < 0:
		return fmt.Errorf("the table knows no topic of this name on cluster %s; workers register a new one by themselves: %w", id.Cluster, ErrNothing)
	}
	d.OldID, d.NewID = list[old].TopicID, id.TopicID
	pos, err := a.settled(ctx, v, list)
	if err != nil || a.r.DryRun {
		return err
	}
	if err = a.forget(ctx); err != nil {
		return err
	}
	pos.retire(old)
	sources, err := encodeSources(append(slices.Clone(list), id))
	if err != nil {
		return err
	}
	return a.table.decide(ctx, v, d, &pos, iceberg.Properties{PropertySources: sources})
}

// settled gives the table's position, once the committer has taken all that is in `chunks`.
func (a *adoption) settled(ctx context.Context, v *Version, list []Source) (Position, error) {
	id, err := IdentifyTopic(ctx, a.r.Client, a.r.Chunks)
	if err != nil {
		return Position{}, err
	}
	l, err := settledChunks(ctx, a.admin, a.r.Chunks)
	if err != nil {
		return Position{}, err
	}
	if err = a.table.stillNewest(ctx, v); err != nil {
		return Position{}, err
	}
	pos, err := NewCommitter(a.table, id.Cluster, id.Topic, id.TopicID).position(v)
	if err != nil {
		return pos, err
	}
	o, err := lookAhead(ctx, a.r.Client, a.r.Chunks, pos, l.end, list)
	if err == nil && len(o.pending) > 0 {
		err = ErrPending
	}
	return pos, err
}

// forget deletes what the workers' group has committed of the topic.
func (a *adoption) forget(ctx context.Context) error {
	committed, err := committedOf(ctx, a.admin, a.r.Group, a.r.Topic)
	if err != nil || len(committed) == 0 {
		return err
	}
	var set kadm.TopicsSet
	for p := range committed {
		set.Add(a.r.Topic, p)
	}
	deleted, err := a.admin.DeleteOffsets(ctx, a.r.Group, set)
	if err == nil {
		err = deleted.Error()
	}
	if errors.Is(err, kerr.GroupSubscribedToTopic) || errors.Is(err, kerr.NonEmptyGroup) {
		err = fmt.Errorf("%w: %w", ErrHeld, err)
	}
	if err != nil {
		return fmt.Errorf("delete the offsets of group %s: %w", a.r.Group, err)
	}
	return nil
}

// chunks makes the table follow the new topic of checkpoint records.
func (a *adoption) chunks(ctx context.Context, v *Version, d *Decision) error {
	id, err := IdentifyTopic(ctx, a.r.Client, a.r.Chunks)
	if err != nil {
		return err
	}
	pos := v.Position.clone()
	switch have := pos.Chunks; {
	case have.TopicID == "":
		return fmt.Errorf("the table follows no topic yet, and will follow this one: %w", ErrNothing)
	case have.Cluster != id.Cluster:
		return fmt.Errorf("the table follows topic %s of cluster %s, this is cluster %s: %w", have.Topic, have.Cluster, id.Cluster, ErrForeign)
	case have.TopicID == id.TopicID:
		return fmt.Errorf("the table follows its id %s: it was not made again: %w", id.TopicID, ErrNothing)
	}
	d.OldID, d.NewID = pos.Chunks.TopicID, id.TopicID
	pos.Chunks = ChunksPosition{Cluster: id.Cluster, Topic: id.Topic, TopicID: id.TopicID}
	l, err := settledChunks(ctx, a.admin, a.r.Chunks)
	if err != nil {
		return err
	}
	if err = a.table.stillNewest(ctx, v); err != nil {
		return err
	}
	list, err := v.Sources()
	if err != nil {
		return err
	}
	from := pos.clone()
	from.Chunks.Next = l.start // what is gone before it is for AcceptGap
	if _, err = lookAhead(ctx, a.r.Client, a.r.Chunks, from, l.end, list); err != nil || a.r.DryRun {
		return err
	}
	return a.table.decide(ctx, v, d, &pos, nil)
}

// retire marks the positions of a source, so that complete-until does not wait for what will not come.
func (p *Position) retire(source int) {
	for i := range p.Sources {
		if p.Sources[i].Source == source {
			p.Sources[i].Retired = true
		}
	}
	p.CompleteMs = p.CompleteUntil()
}
